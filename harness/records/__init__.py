"""One immutable outcome per trial, on disk."""
