"""Rows of a CSV, TSV, JSONL or Parquet file, each with its line, so that a mistake can be named.

What could be read in two ways is refused: a column or key given twice, a row over several lines, a
row with more or fewer cells than the header.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import CorpusError, choices
from harness.files import parse_json

_BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its values by column, without those that are empty."""

    line: int
    """Line in the file; in a Parquet file, the number of the row."""
    values: dict[str, Any]
    mistake: str | None = None
    """Why the row as a whole cannot be read."""


def read_rows(path: Path) -> list[Row]:
    """Read a table; an empty or blank value counts as absent.

    Text is UTF-8, or UTF-16 with its mark; cells are parted by what parts those of the header:
    a comma, else a semicolon, a tab or a bar.

    Raises:
        CorpusError: the file cannot be read, is of another kind, names a column twice, or holds
            no rows.
    """
    if path.suffix.lower() not in _READERS:
        raise CorpusError(f"{path}: not a list I can read {choices(path.suffix, _READERS)}")
    try:
        rows = list(_READERS[path.suffix.lower()](path))
    except (OSError, ValueError, csv.Error) as error:
        raise CorpusError(f"{path}: cannot be read ({error})") from error
    if not rows:
        raise CorpusError(f"{path}: holds no rows")
    return rows


def json_object(text: str) -> dict[str, Any]:
    """A JSON object that gives every key once.

    Raises:
        ValueError: it is none; says why.
    """
    value = parse_json(text, _each_once)
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")
    return value


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 with its mark.

    Raises:
        OSError: it cannot be read.
        ValueError: it is in another encoding; names the first line that shows it.
    """
    content = path.read_bytes()
    encoding = next((name for mark, name in _BOMS.items() if content.startswith(mark)), "utf-8-sig")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"line {line} is not {encoding.removesuffix('-sig').upper()}: save the file as UTF-8"
        ) from error
    if "\0" in text:
        raise ValueError("holds zero bytes, as UTF-16 without its mark does: save it as UTF-8")
    return text


def _csv_rows(path: Path) -> Iterator[Row]:
    # csv counts lines itself, and wants their ends as they are
    lines = list(io.StringIO(read_text(path), newline=""))
    table = csv.reader(lines, delimiter=_delimiter(lines), strict=True, skipinitialspace=True)
    columns: list[str] | None = None
    before = 0
    try:
        for cells in table:
            first, before = before + 1, table.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _columns(cells)
            else:
                yield _csv_row(columns, cells, first, table.line_num)
    except csv.Error as error:
        raise ValueError(
            f"from line {before + 1}: {error}; is a quote opened there that is not closed?"
        ) from error


def _delimiter(lines: list[str]) -> str:
    header = next((line for line in lines if line.strip()), "")
    return next((sign for sign in _DELIMITERS if sign in header), ",")


def _csv_row(columns: list[str], cells: list[str], first: int, last: int) -> Row:
    if last > first:
        return Row(
            first,
            {},
            f"goes on to line {last}: close the quote that is opened in it, or write the row on "
            "one line (JSONL and Parquet hold texts of several lines)",
        )
    difference = len(cells) - len(columns)
    if difference:
        how = "too many" if difference > 0 else "too few"
        return Row(first, {}, f"has {abs(difference)} cells {how}")
    return Row(first, _present(dict(zip(columns, cells, strict=True))))


def _columns(names: Iterable[str]) -> list[str]:
    """Their names, tidied.

    Raises:
        ValueError: one stands there twice, or in two cases.
    """
    tidy = _each_named_once(names)
    small = {name.lower(): name for name in tidy}
    other = next((name for name in tidy if small[name.lower()] != name), None)
    if other is not None:
        raise ValueError(f"{other!r} and {small[other.lower()]!r} differ in case alone: keep one")
    return tidy


def _each_named_once(names: Iterable[str]) -> list[str]:
    tidy = [name.strip() for name in names]
    twice = [name for name, count in Counter(tidy).items() if count > 1 and name]
    if twice:
        raise ValueError(f"{twice[0]!r} stands there twice: keep one")
    return tidy


def _jsonl_rows(path: Path) -> Iterator[Row]:
    for line, text in enumerate(read_text(path).split("\n"), start=1):
        if text.strip():
            yield _json_row(line, text)


def _json_row(line: int, text: str) -> Row:
    try:
        values = json_object(text)
        _columns(values)
        return Row(line, _present(values))
    except json.JSONDecodeError as error:
        return Row(line, {}, f"is not JSON ({error})")
    except ValueError as error:
        return Row(line, {}, str(error))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _each_named_once(name for name, _ in pairs)
    return dict(pairs)


def _parquet_rows(path: Path) -> Iterator[Row]:
    from pyarrow import ArrowException, parquet  # loads slowly, and few lists are Parquet

    try:
        _columns(parquet.read_schema(path).names)
        listed = parquet.read_table(path).to_pylist()
    except (ArrowException, OverflowError) as error:  # a type, or a time, that Python has not
        raise ValueError(str(error)) from error
    for number, values in enumerate(listed, start=1):
        yield Row(number, _present(values))


def _present(values: dict[str, Any]) -> dict[str, Any]:
    tidy = {key.strip(): _stripped(value) for key, value in values.items()}
    return {key: value for key, value in tidy.items() if not _absent(value)}


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _absent(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


_READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".csv": _csv_rows,
    ".tsv": _csv_rows,
    ".jsonl": _jsonl_rows,
    ".parquet": _parquet_rows,
}
