"""Layers and signal processing that several families share. Importing this loads no torch."""
