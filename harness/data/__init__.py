"""Corpora, their recordings and the splits they fall into."""
