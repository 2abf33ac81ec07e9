"""One row of a manifest: its utterance, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from harness.data.readers.table_rows import Row
from harness.data.utterances import Target, Utterance
from harness.errors import choices

REQUIRED = ("file", "label", "speaker")
COLUMNS = (*REQUIRED, "utterance_id", "start_s", "end_s", "split", "fold", "text", "language")
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """What one row says."""

    line: int
    utterance: Utterance
    split: str | None
    fold: int | None


def read_row(row: Row, root: Path, required: Collection[str]) -> ManifestRow | list[str]:
    """The utterance that a row lists, or all its mistakes.

    Args:
        row: A row of the list.
        root: Where the files lie.
        required: Columns that must not be empty.
    """
    if row.mistake:
        return [row.mistake]
    values = row.values
    mistakes = [f"{name} is empty" for name in required if name not in values]
    mistakes += [
        f"{name} must be text or a number"
        for name in COLUMNS
        if isinstance(values.get(name), dict | list | bool)
    ]
    file = str(values.get("file", ""))
    if file and not (root / file).is_file():
        mistakes.append(f"file {file!r} does not exist in {root}")
    start_s, end_s = _segment_bounds(values, mistakes)
    split, fold = _split(values, mistakes), _fold(values, mistakes)
    target = _target(values, required, mistakes)
    if mistakes:
        return mistakes
    utterance = Utterance(
        utterance_id=_text(values, "utterance_id") or _default_id(file, start_s, end_s),
        path=root / file,
        target=target,
        speaker=_text(values, "speaker"),
        start_s=start_s,
        end_s=end_s,
        text=_text(values, "text"),
        language=_text(values, "language"),
    )
    return ManifestRow(row.line, utterance, split, fold)


def _default_id(file: str, start_s: float | None, end_s: float | None) -> str:
    """The file's path without its suffix, and its segment where it has one."""
    stem = Path(file).with_suffix("").as_posix()
    if start_s is None and end_s is None:
        return stem
    return f"{stem}@{start_s or 0.0:g}-{'' if end_s is None else format(end_s, 'g')}"


def _target(
    values: dict[str, Any], required: Collection[str], mistakes: list[str]
) -> Target | None:
    if "target" not in required:
        return _text(values, "label")
    value = values.get("target", 0.0)  # that it is empty is told already
    number = _number(value)
    if isinstance(value, bool) or not isfinite(number):
        mistakes.append(f"target must be a number, found {value!r}")
    return number


def _text(values: dict[str, Any], name: str) -> str | None:
    return str(values[name]) if name in values else None


def _segment_bounds(
    values: dict[str, Any], mistakes: list[str]
) -> tuple[float | None, float | None]:
    start_s, end_s = _seconds(values, "start_s", mistakes), _seconds(values, "end_s", mistakes)
    if end_s is not None and end_s <= (start_s or 0.0):
        mistakes.append(f"end_s {end_s:g} does not lie after start_s {start_s or 0.0:g}")
    return start_s, end_s


def _seconds(values: dict[str, Any], name: str, mistakes: list[str]) -> float | None:
    if name not in values:
        return None
    number = _number(values[name])
    if 0 <= number < float("inf"):
        return number
    mistakes.append(f"{name} must be a number of seconds, found {values[name]!r}")
    return None


def _split(values: dict[str, Any], mistakes: list[str]) -> str | None:
    split = _text(values, "split")
    if split is not None and split not in SPLITS:
        mistakes.append(f"split {choices(split, SPLITS)}, found {split!r}")
    return split


def _fold(values: dict[str, Any], mistakes: list[str]) -> int | None:
    if "fold" not in values:
        return None
    number = _number(values["fold"])
    if number >= 1 and number.is_integer():
        return int(number)
    mistakes.append(f"fold must be a whole number from 1, found {values['fold']!r}")
    return None


def _number(value: Any) -> float:
    """The value as a number; what is none becomes NaN, which no range holds."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
