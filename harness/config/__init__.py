"""Reads a suite, finds all its mistakes, and expands it to trials."""
