"""A column of a table: declared once, for the files and for the tables that people read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from types import UnionType
from typing import Any, Literal

from harness.reporting.formats import DASH, Format, plain

Kind = type | UnionType
"""Of the raw values: int, float, bool, str; LAYERS; or object where axes differ."""

LAYERS = int | str
"""A number of layers, or "all"."""

Unit = Literal[
    "",
    "share",
    "s",
    "bytes",
    "parameters",
    "frames",
    "layers",
    "audio s/s",
    "FLOP/s",
    "FLOP/audio s",
    "J/audio h",
]

Part = Literal["name", "scores", "trials", "cost", "flags"]


@dataclass(frozen=True)
class Column:
    """What stands under one heading."""

    name: str
    """Heads it in files; also the attribute of a row that it holds, unless `value` says else."""
    type: Kind
    unit: Unit = ""
    """Of the raw values in files."""
    title: str = ""
    """Heads it where people read it; empty for what stands in files alone."""
    format: Format = plain
    """The text of a value for people."""
    part: Part = "cost"
    """What it tells of a row: which one it is, how good, of how many trials, or at what cost."""
    better: Literal["", "high", "low"] = ""
    """Which end comes first where rows are sorted by it; the low one if neither is better."""
    value: Callable[[Any], Any] | None = None
    """The raw value of a row."""
    displayed: Callable[[Any], Any] | None = None
    """What `format` takes of a row, where people read more than the raw value."""

    def raw(self, row: Any) -> Any:
        """The value of a row; None for what is not known of it.

        Raises:
            AttributeError: rows of this kind have no such attribute.
        """
        return self.value(row) if self.value else getattr(row, self.name)

    def text(self, row: Any) -> str:
        """The value of a row, for people."""
        return self.format(self.displayed(row) if self.displayed else self.raw(row))

    @property
    def heading(self) -> str:
        """What heads it where people asked for it by its name."""
        return self.title or self.name

    @property
    def numeric(self) -> bool:
        """Whether it is aligned to the right."""
        return self.type not in (str, bool, object)

    def read(
        self, value: Callable[[Any], Any], displayed: Callable[[Any], Any] | None = None
    ) -> Column:
        """The same column of rows of another kind."""
        return replace(self, value=value, displayed=displayed)


def within(holder: Callable[[Any], Any], *columns: Column) -> tuple[Column, ...]:
    """The same columns of rows that hold such a row; all None where they hold none.

    Args:
        holder: gives the inner row of an outer one
        columns: those of the inner rows
    """
    return tuple(_within(holder, column) for column in columns)


def _within(holder: Callable[[Any], Any], column: Column) -> Column:
    def raw(row: Any) -> Any:
        inner = holder(row)
        return None if inner is None else column.raw(inner)

    displayed = column.displayed
    if displayed is None:
        return column.read(raw)
    return column.read(raw, lambda row: displayed(holder(row)))


def not_empty(columns: Iterable[Column], rows: Sequence[Any]) -> tuple[Column, ...]:
    """Those that say something of one of the rows."""
    return tuple(c for c in columns if any(c.text(row) not in ("", DASH) for row in rows))


def pick(columns: Iterable[Column], names: Sequence[str]) -> tuple[Column, ...]:
    """The columns of these names, in the order of the names.

    Raises:
        KeyError: there is none of a name.
    """
    known = {column.name: column for column in columns}
    return tuple(known[name] for name in names)
