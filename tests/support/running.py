"""Runs what reports progress to its end."""

from collections.abc import Generator
from typing import Any, TypeVar

Found = TypeVar("Found")


def result_of(work: Generator[Any, None, Found]) -> Found:
    """What a generator returns once all its events are passed over."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: Found = end.value
            return found
