"""Views of the records: tables."""
