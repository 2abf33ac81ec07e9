"""Runs what reports progress to its end."""

from collections import deque
from collections.abc import Generator, Iterable
from contextlib import closing
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


def to_the_end(work: Iterable[object]) -> None:
    """Do all of the work that an iterator does when it is asked for its next item."""
    deque(work, maxlen=0)


def interrupted_after(done: int, work: Generator[int, None, None]) -> None:
    """Stop work that says how much is done, as Ctrl-C would."""
    with closing(work):
        for now in work:
            if now == done:
                raise KeyboardInterrupt
