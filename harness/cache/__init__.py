"""Frames of frozen layers, computed once and kept for every trial that needs them."""
