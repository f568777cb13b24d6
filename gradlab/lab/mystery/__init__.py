"""The mystery bug: a round, the hidden bug, its answers, and its view."""
