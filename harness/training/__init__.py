"""The fit: one loop, and early stopping."""
