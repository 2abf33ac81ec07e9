"""The fit: one loop, its inputs, and early stopping."""
