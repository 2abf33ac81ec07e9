"""Views of the records: tables and figures."""
