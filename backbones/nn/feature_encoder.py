"""The convolutional feature encoder of wav2vec 2.0, as far as its shape goes. No torch here."""

from __future__ import annotations

CONVOLUTIONS = ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2))
"""Kernel and stride of its layers, which emotion2vec shares."""
