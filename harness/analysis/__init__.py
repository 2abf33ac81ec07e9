"""Numbers derived from records: metrics and statistics."""
