"""The mystery bug: a round, its case, its answers, and its view."""
