"""Pretrained speech networks behind one contract. Imports nothing from `harness`."""
