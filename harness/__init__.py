"""Benchmark harness for speech emotion recognition with self-supervised backbones."""

__version__ = "0.1.0"
