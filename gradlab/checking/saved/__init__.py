"""A report as one HTML file that needs nothing else: words, tables and figures."""

from gradlab.checking.saved.save import save_report, where_to_save

__all__ = ["save_report", "where_to_save"]
