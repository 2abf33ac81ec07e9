"""Tables of text that fit a width: what is too wide is folded, and nothing is cut."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.cells import cell_len, chop_cells

from harness.reporting.columns import Column
from harness.reporting.formats import printable

GAP = 2
"""Between two columns."""
_NARROWEST = 8
"""To which a name is folded where it has no better place to be folded at."""
_PLACES = re.compile(r"(?<=[\s_/,;])(?!%)|(?<=[-.])(?=[^\W\d])")
"""After what a text may be folded: not within a number."""


@dataclass(frozen=True)
class TextColumn:
    """A heading and the texts under it."""

    heading: str
    texts: tuple[str, ...]
    right: bool = False
    foldable: bool = False
    """Whether its texts may be folded; headings always may."""


@dataclass(frozen=True)
class TextTable:
    """Columns with their widths: as wide as is said, or wider where that was too narrow."""

    columns: tuple[TextColumn, ...]
    widths: tuple[int, ...]

    @property
    def width(self) -> int:
        """Of a line."""
        return sum(self.widths) + GAP * (len(self.widths) - 1)

    def head(self) -> list[str]:
        """The lines of the headings, the shorter ones at the bottom."""
        cells = [fold(c.heading, w) for c, w in zip(self.columns, self.widths, strict=True)]
        height = max(map(len, cells))
        return self._lines([[""] * (height - len(cell)) + cell for cell in cells])

    def row(self, place: int) -> list[str]:
        """The lines of a row."""
        pairs = zip(self.columns, self.widths, strict=True)
        return self._lines([fold(column.texts[place], width) for column, width in pairs])

    def _lines(self, cells: Sequence[Sequence[str]]) -> list[str]:
        lines = []
        for number in range(max(map(len, cells))):
            parts = [cell[number] if number < len(cell) else "" for cell in cells]
            texts = (_padded(*of) for of in zip(parts, self.columns, self.widths, strict=True))
            lines.append((" " * GAP).join(texts).rstrip())
        return lines


def text_columns(rows: Sequence[Any], columns: Iterable[Column]) -> tuple[TextColumn, ...]:
    """What people read of the rows."""
    return tuple(
        TextColumn(
            heading=printable(column.heading),
            texts=tuple(_lines_of(column.text(row)) for row in rows),
            right=column.numeric,
            foldable=not column.numeric,
        )
        for column in columns
    )


def fitted(
    columns: Sequence[TextColumn], room: int, *, within_words: bool = False
) -> TextTable | None:
    """A table of so many cells in width; None if that is too narrow for what cannot be folded.

    Args:
        columns: what it holds
        room: cells in a line
        within_words: whether names may be folded within a word too

    >>> table = fitted([TextColumn("name", ("a_long_name", "b"), foldable=True)], 8)
    >>> table.row(0) if table else None
    ['a_long_', 'name']
    """
    free = room - GAP * (len(columns) - 1)
    floor_of = _narrowest if within_words else _unbroken
    floors = [floor_of(column) for column in columns]
    if sum(floors) > free:
        return None
    return _table(columns, _shrunk([_natural(column) for column in columns], floors, free))


def unfolded(columns: Sequence[TextColumn]) -> TextTable:
    """A table as wide as its texts are."""
    return _table(columns, [_natural(column) for column in columns])


def in_blocks(
    names: Sequence[TextColumn],
    others: Sequence[TextColumn],
    room: int,
    last: Sequence[TextColumn] = (),
) -> list[TextTable]:
    """Tables under each other, each with the names and as many of the others as fit beside them.

    Where the names and one of the others are too wide, the table is wider than the room.

    Args:
        names: the first columns of every table
        others: what is shared out among the tables, in this order
        room: cells in a line
        last: the last columns of every table
    """
    found: list[TextTable] = []
    rest = list(others)
    while rest or not found:
        count = 1
        while count < len(rest) and fitted([*names, *rest[: count + 1], *last], room):
            count += 1
        taken = [*names, *rest[:count], *last]
        table = fitted(taken, room) or fitted(taken, room, within_words=True)
        found.append(table or _table(taken, [_narrowest(column) for column in taken]))
        rest = rest[count:]
    return found


def merged(columns: Sequence[TextColumn], heading: str) -> TextColumn:
    """One column in place of several: their headings and texts in lines under each other."""
    rows = zip(*(column.texts for column in columns), strict=True)
    pairs = (zip(columns, row, strict=True) for row in rows)
    texts = ("\n".join(f"{column.heading} {text}" for column, text in pair) for pair in pairs)
    return TextColumn(heading, tuple(texts), foldable=True)


def fold(text: str, width: int) -> list[str]:
    """Lines of at most so many cells, broken after spaces and signs, or anywhere if need be.

    >>> fold("weighted_cross_entropy", 16), fold("表情認識", 4), fold("0.001", 4)
    (['weighted_cross_', 'entropy'], ['表情', '認識'], ['0.00', '1'])
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for piece in _pieces(paragraph):
            if cell_len((line + piece).rstrip()) <= width:
                line += piece
                continue
            lines += [line.rstrip()] if line.strip() else []
            *full, line = chop_cells(piece, width) if cell_len(piece.rstrip()) > width else [piece]
            lines += full
        lines.append(line.rstrip())
    return lines


def _lines_of(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


def _pieces(text: str) -> list[str]:
    return [piece for piece in _PLACES.split(text) if piece]


def _padded(text: str, column: TextColumn, width: int) -> str:
    spaces = " " * (width - cell_len(text))
    return spaces + text if column.right else text + spaces


def _table(columns: Sequence[TextColumn], widths: Sequence[int]) -> TextTable:
    """With each column as narrow as its lines are once they are folded."""
    used = [
        _widest((column.heading, *column.texts), partial(fold, width=width))
        for column, width in zip(columns, widths, strict=True)
    ]
    return TextTable(tuple(columns), tuple(max(width, 1) for width in used))


def _shrunk(natural: Sequence[int], floors: Sequence[int], free: int) -> list[int]:
    """Widths from the natural ones down to the floors, the widest first, until they are free."""
    widths = list(map(max, natural, floors))
    while sum(widths) > free:
        able = [place for place, width in enumerate(widths) if width > floors[place]]
        if not able:
            break
        widths[max(able, key=lambda place: widths[place])] -= 1
    return widths


def _natural(column: TextColumn) -> int:
    """Texts on one line each, and the heading folded where it is wider than they are."""
    return max(_widest(column.texts), _widest_piece([column.heading]))


def _unbroken(column: TextColumn) -> int:
    """No piece of a text is broken."""
    if not column.foldable:
        return _natural(column)
    return _widest_piece([column.heading, *column.texts])


def _narrowest(column: TextColumn) -> int:
    return min(_unbroken(column), _NARROWEST) if column.foldable else _natural(column)


def _widest(texts: Iterable[str], parts: Callable[[str], Iterable[str]] = str.splitlines) -> int:
    return max((cell_len(part) for text in texts for part in parts(text)), default=0)


def _widest_piece(texts: Iterable[str]) -> int:
    return _widest(texts, lambda text: (piece.rstrip() for piece in _pieces(text)))
