"""Parts of a suite for runs that know nothing of each other, such as the jobs of an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from harness.errors import SuiteError
from harness.specs import Shard

Item = TypeVar("Item")


def read_shard(text: str) -> Shard:
    """Read "k/n".

    >>> read_shard("2/8")
    Shard(number=2, of=8)

    Raises:
        SuiteError: it is not that, or k is not one of 1 to n.
    """
    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise SuiteError(f"shard {text!r}: needs k/n with k from 1 to n, such as 1/8")
    return Shard(number=int(number), of=int(of))


def shard_of(items: Sequence[Item], shard: Shard | None) -> tuple[Item, ...]:
    """A shard's items: such as stand together, since they share backbone and frames.

    The shards of a sequence hold each item once, and are as long as each other, or one longer.

    >>> [shard_of("abcde", Shard(number=k, of=2)) for k in (1, 2)]
    [('a', 'b'), ('c', 'd', 'e')]
    """
    if shard is None:
        return tuple(items)
    first, end = (len(items) * part // shard.of for part in (shard.number - 1, shard.number))
    return tuple(items[first:end])
