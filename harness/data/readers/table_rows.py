"""Rows of a CSV, JSONL or Parquet file, each with its line, so that a mistake can be named."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import CorpusError, choices


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its values by column, without those that are empty."""

    line: int
    """Line in the file; in a Parquet file, the number of the row."""
    values: dict[str, Any]
    mistake: str | None = None
    """Why the row as a whole cannot be read."""


def read_rows(path: Path) -> list[Row]:
    """Read a table; text is taken as UTF-8, and an empty or blank value counts as absent.

    Raises:
        CorpusError: the file cannot be read, is of another kind, or holds no rows.
    """
    if path.suffix.lower() not in _READERS:
        raise CorpusError(f"{path}: not a list I can read {choices(path.suffix, _READERS)}")
    try:
        rows = list(_READERS[path.suffix.lower()](path))
    except (OSError, ValueError, csv.Error) as error:  # undecodable text is a ValueError
        raise CorpusError(f"{path}: cannot be read ({error})") from error
    if not rows:
        raise CorpusError(f"{path}: holds no rows")
    return rows


def _csv_rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file, strict=True, skipinitialspace=True)
        for values in table:
            extra = values.pop(None, None)
            mistake = f"has {len(extra)} cells too many" if extra else None
            yield Row(table.line_num, _present(values), mistake)


def _jsonl_rows(path: Path) -> Iterator[Row]:
    for line, text in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if text.strip():
            yield _json_row(line, text)


def _json_row(line: int, text: str) -> Row:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        return Row(line, {}, f"is not JSON ({error})")
    if not isinstance(values, dict):
        return Row(line, {}, "is not a JSON object")
    return Row(line, _present(values))


def _parquet_rows(path: Path) -> Iterator[Row]:
    from pyarrow import parquet  # loads slowly, and few lists are Parquet

    for number, values in enumerate(parquet.read_table(path).to_pylist(), start=1):
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
    ".jsonl": _jsonl_rows,
    ".parquet": _parquet_rows,
}
