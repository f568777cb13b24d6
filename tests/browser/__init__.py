"""Tests that need a browser: the lessons in JupyterLab in Chromium."""
