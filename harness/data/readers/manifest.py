"""A plain list of anyone's recordings: one row an utterance, in CSV, JSONL or Parquet.

Columns: `file` (relative to the corpus's folder), `label`, `speaker` and, when known,
`utterance_id`, `start_s`, `end_s`, `split`, `fold`, `text`, `language`. Where there is no `label`,
a column `target` holds the number that is to be predicted. `duration_s` and `channels` are checked
against the sound. Others are passed over, unless they look like a time, a channel or a split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from harness.data.readers.listed_columns import suspicious_columns, unknown_ignored
from harness.data.readers.manifest_rows import KNOWN, REQUIRED, SPLITS, ManifestRow, read_row
from harness.data.readers.table_rows import Row, read_rows
from harness.data.utterances import Corpus, PublishedFolds, Splits, make_corpus
from harness.errors import CorpusError, choices
from harness.files import is_file
from harness.specs import CorpusSpec

USUAL_NAMES = ("manifest.csv", "manifest.jsonl", "manifest.parquet")


def read(root: Path, spec: CorpusSpec) -> Corpus:
    """List the utterances of a manifest.

    A `split` column gives one official fold; without one, a `fold` column, which numbers the
    fold that each utterance is tested in, gives as many.

    Raises:
        CorpusError: there is no manifest, or rows are faulty; names every one by its line.
    """
    path = find_manifest(root, spec, [root / name for name in USUAL_NAMES])
    rows = read_rows(path)
    required = _required(rows, spec)
    _check_columns(path, rows, required, spec.ignore_columns)
    listed: list[ManifestRow] = []
    mistakes: list[str] = []
    for row in rows:
        found = read_row(row, root, required, spec.ignore_columns)
        if isinstance(found, ManifestRow):
            listed.append(found)
        else:
            mistakes += [f"line {row.line}: {mistake}" for mistake in found]
    mistakes += _repeated_ids(listed) + _incomplete_columns(listed)
    if mistakes:
        raise CorpusError(f"{path}: faulty rows:\n  " + "\n  ".join(mistakes))
    return make_corpus(spec.name, (row.utterance for row in listed), _published(listed))


def find_manifest(root: Path, spec: CorpusSpec, usual: Iterable[Path]) -> Path:
    """The list that a suite names, within the root or beside it; else the first usual one.

    Raises:
        CorpusError: there is none; says where it was looked for.
    """
    named = [root / spec.manifest, Path(spec.manifest).expanduser()] if spec.manifest else [*usual]
    for path in named:
        if is_file(path):
            return path
    raise CorpusError(
        f"corpus {spec.name!r}: no list of utterances; looked for: "
        f"{', '.join(map(str, named))}; name it as `manifest:` under this corpus"
    )


def _required(rows: list[Row], spec: CorpusSpec) -> list[str]:
    """The columns that no row may leave empty."""
    columns = {name for row in rows for name in row.values}
    required = list(REQUIRED)
    if "target" in columns and "label" not in columns:
        required[required.index("label")] = "target"
    if spec.speaker_overlap != "refused":
        required.remove("speaker")
    return required


def _check_columns(
    path: Path, rows: list[Row], required: Iterable[str], ignored: Collection[str]
) -> None:
    columns = dict.fromkeys(name for row in rows for name in row.values)
    missing = [name for name in required if name not in columns]
    if missing and columns:  # without any column the rows themselves are faulty
        near = "; ".join(
            f"no column {name!r}: {choices(name, sorted(columns))}" for name in missing
        )
        hint = (
            "; without speakers, write `speaker_overlap: allowed` under this corpus"
            if "speaker" in missing
            else ""
        )
        raise CorpusError(f"{path}: {near}{hint}")
    if wrong := suspicious_columns(columns, KNOWN, ignored) + unknown_ignored(columns, ignored):
        raise CorpusError(f"{path}: " + "\n  ".join(wrong))


def _repeated_ids(listed: list[ManifestRow]) -> list[str]:
    first: dict[str, int] = {}
    mistakes = []
    for row in listed:
        name = row.utterance.utterance_id
        if name in first:
            mistakes.append(
                f"line {row.line}: utterance {name!r} is already listed on line {first[name]}"
            )
        first.setdefault(name, row.line)
    return mistakes


def _incomplete_columns(listed: list[ManifestRow]) -> list[str]:
    """A split or a fold that only some rows have would leave the others out in silence."""
    splits = Counter(row.split is not None for row in listed)
    folds = Counter(row.fold is not None for row in listed)
    mistakes = []
    for row in listed:
        if splits[True] and row.split is None:
            mistakes.append(f"line {row.line}: split is empty, though other rows have one")
        if folds[True] and row.fold is None:
            mistakes.append(f"line {row.line}: fold is empty, though other rows have one")
    return mistakes


def _published(listed: list[ManifestRow]) -> PublishedFolds:
    ordered = sorted(listed, key=lambda row: row.utterance.utterance_id)
    if any(row.split for row in ordered):
        by_split = {
            split: tuple(row.utterance.utterance_id for row in ordered if row.split == split)
            for split in SPLITS
        }
        return {"official": {1: Splits(**by_split)}}
    folds = sorted({row.fold for row in ordered if row.fold is not None})
    if not folds:
        return {}
    return {
        "official": {
            fold: Splits(
                train=tuple(row.utterance.utterance_id for row in ordered if row.fold != fold),
                dev=(),
                test=tuple(row.utterance.utterance_id for row in ordered if row.fold == fold),
            )
            for fold in folds
        }
    }
