"""Pooling, head and losses on top of a backbone."""
