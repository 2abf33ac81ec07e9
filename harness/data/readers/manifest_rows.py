"""One row of a manifest: its utterance, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from harness.data.readers.audio_files import find_file
from harness.data.readers.listed_columns import (
    CHECKED,
    ENDS,
    STARTS,
    check_against_sound,
    number_of,
    segment_bounds,
    stretch_id,
)
from harness.data.readers.table_rows import Row
from harness.data.utterances import Target, Utterance
from harness.errors import choices

REQUIRED = ("file", "label", "speaker")
COLUMNS = (*REQUIRED, "utterance_id", *STARTS, *ENDS, "split", "fold", "text", "language")
KNOWN = (*COLUMNS, "target", *CHECKED)
SPLITS = ("train", "dev", "test")
SPLIT_NAMES = {name: name for name in SPLITS} | dict.fromkeys(
    ("valid", "validation", "val", "development"), "dev"
)


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """What one row says."""

    line: int
    utterance: Utterance
    split: str | None
    fold: int | None


def read_row(
    row: Row, root: Path, required: Collection[str], ignored: Collection[str] = ()
) -> ManifestRow | list[str]:
    """The utterance that a row lists, or all its mistakes.

    Args:
        row: A row of the list.
        root: Where the files lie.
        required: Columns that must not be empty.
        ignored: Columns that the suite wants passed over.
    """
    if row.mistake:
        return [row.mistake]
    values = {name: value for name, value in row.values.items() if name not in ignored}
    mistakes = [f"{name} is empty" for name in required if name not in values]
    mistakes += [
        f"{name} must be text or a number"
        for name in COLUMNS
        if isinstance(values.get(name), dict | list | bool)
    ]
    file = str(values.get("file", ""))
    path = find_file(root, file) if file else None
    if file and path is None:
        mistakes.append(f"file {file!r} does not exist in {root}")
    start_s, end_s = segment_bounds(values, mistakes)
    split, fold = _split(values, mistakes), _fold(values, mistakes)
    target = _target(values, required, mistakes)
    if path is not None and not mistakes:
        mistakes += check_against_sound(values, path, (start_s, end_s), ignored)
    if mistakes or path is None:
        return mistakes
    utterance = Utterance(
        utterance_id=_text(values, "utterance_id")
        or stretch_id(Path(file).with_suffix("").as_posix(), start_s, end_s),
        path=path,
        target=target,
        speaker=_text(values, "speaker"),
        start_s=start_s,
        end_s=end_s,
        text=_text(values, "text"),
        language=_text(values, "language"),
    )
    return ManifestRow(row.line, utterance, split, fold)


def _target(
    values: dict[str, Any], required: Collection[str], mistakes: list[str]
) -> Target | None:
    if "target" not in required:
        return _text(values, "label")
    value = values.get("target", 0.0)  # that it is empty is told already
    number = number_of(value)
    if isinstance(value, bool) or not isfinite(number):
        mistakes.append(f"target must be a number, found {value!r}")
    return number


def _text(values: dict[str, Any], name: str) -> str | None:
    return str(values[name]) if name in values else None


def _split(values: dict[str, Any], mistakes: list[str]) -> str | None:
    split = _text(values, "split")
    if split is None or split.lower() in SPLIT_NAMES:
        return split and SPLIT_NAMES[split.lower()]
    mistakes.append(f"split {choices(split, SPLITS)}, found {split!r}")
    return None


def _fold(values: dict[str, Any], mistakes: list[str]) -> int | None:
    if "fold" not in values:
        return None
    number = number_of(values["fold"])
    if number >= 1 and number.is_integer():
        return int(number)
    mistakes.append(f"fold must be a whole number from 1, found {values['fold']!r}")
    return None
