"""EmoBox's own lists (Ma et al. 2024, https://arxiv.org/abs/2406.07162), read as they are.

`<name>.jsonl` lists a corpus, `fold_<k>/<name>_{train,valid,test}_fold_<k>.jsonl` its folds, and
`label_map.json` turns the corpus's labels into EmoBox's. The lists name no speakers. Utterances
that are stretches of longer recordings have `start_time` and `end_time`, in seconds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from harness.data.readers.audio_files import find_file, shortened
from harness.data.readers.listed_columns import (
    CHECKED,
    ENDS,
    STARTS,
    check_against_sound,
    segment_bounds,
    suspicious_columns,
    unknown_ignored,
)
from harness.data.readers.manifest import find_manifest
from harness.data.readers.table_rows import Row, json_object, read_rows, read_text
from harness.data.utterances import Corpus, Splits, Utterance, make_corpus
from harness.errors import CorpusError
from harness.files import is_file
from harness.specs import CorpusSpec

_LABEL_MAPS = ("label_map.json", "label_dict.json")
_KNOWN = (
    *("key", "dataset", "wav", "type", "sample_rate", "num_frame", "task", "emo"),
    *("speaker", "spk", "text", "language", *STARTS, *ENDS, *CHECKED),
)
_DECODED = (".wav", ".flac", ".mp3", ".ogg", ".opus")
"""Kinds of file that are looked for beside what a list names; it may name a video."""
_DOWNLOADS = "downloads"
"""The folder that EmoBox's paths begin with."""


def read(root: Path, spec: CorpusSpec) -> Corpus:
    """List the utterances of an EmoBox list, with its folds.

    The list is `manifest:`, or `data/<name>/<name>.jsonl` or `<name>.jsonl` in the root. Its
    recordings are looked for in the root under the path it gives, with or without the leading
    `downloads/<name>/`, as wav, flac and the like, also where the list names a video.

    Raises:
        CorpusError: the lists are missing, faulty or disagree; recordings are missing; or no
            speakers are known and the suite does not say `speaker_overlap: allowed`.
    """
    usual = [root / "data" / spec.name / f"{spec.name}.jsonl", root / f"{spec.name}.jsonl"]
    path = find_manifest(root, spec, usual)
    rows = _checked(path, read_rows(path))
    columns = dict.fromkeys(name for row in rows for name in row.values)
    ignored = spec.ignore_columns
    if wrong := suspicious_columns(columns, _KNOWN, ignored) + unknown_ignored(columns, ignored):
        raise CorpusError(f"{path}: " + "\n  ".join(wrong))
    labels = _label_map(path, rows)
    utterances = _utterances(path, rows, root, labels, spec.ignore_columns)
    _check_speakers(spec, utterances)
    missing = [u for u in utterances if not is_file(u.path)]
    if missing and spec.partial == "refuse":
        raise CorpusError(
            f"corpus {spec.name!r}: {len(missing)} of {len(utterances)} recordings are missing "
            f"in {root}: {shortened(u.path.name for u in missing)}; fetch them as EmoBox says, or "
            "write `partial: allow` under this corpus to use what is there"
        )
    folds = _folds(path, {u.utterance_id for u in utterances})
    present = (u for u in utterances if is_file(u.path))
    return make_corpus(spec.name, present, {"emobox": folds} if folds else {})


def _checked(path: Path, rows: list[Row]) -> list[Row]:
    """The rows, unless one lacks what every row must have."""
    mistakes = [
        f"line {row.line}: {row.mistake or f'{name} is missing'}"
        for row in rows
        for name in ("key", "wav", "emo")
        if name not in row.values
    ]
    if mistakes:
        raise CorpusError(f"{path}: faulty rows:\n  " + "\n  ".join(dict.fromkeys(mistakes)))
    return rows


def _label_map(path: Path, rows: list[Row]) -> dict[str, str]:
    """Each label of the list and EmoBox's name for it; lists and map disagree in case."""
    counts = Counter(str(row.values["emo"]) for row in rows)
    file = _label_map_file(path)
    if file is None:
        return {label: label for label in counts}
    named = _named_labels(file)
    unnamed = [f"{label!r} ({counts[label]})" for label in counts if label.lower() not in named]
    if unnamed:
        raise CorpusError(
            f"{file}: does not name labels that {path.name} uses: {', '.join(unnamed)}; add them"
        )
    return {label: named[label.lower()] for label in counts}


def _label_map_file(path: Path) -> Path | None:
    """The label map beside a list; None if there is nothing that could be one."""
    beside = sorted(
        file
        for file in path.parent.iterdir()
        if re.fullmatch(r".*(label|map).*\.(json|ya?ml)", file.name.lower())
    )
    if len(beside) > 1 or (beside and beside[0].name not in _LABEL_MAPS):
        raise CorpusError(
            f"{path.parent}: which of these names the labels of {path.name}: "
            f"{', '.join(file.name for file in beside)}? Keep one, as {_LABEL_MAPS[0]}"
        )
    return beside[0] if beside else None


def _named_labels(file: Path) -> dict[str, str]:
    """EmoBox's names by the labels in small letters.

    Raises:
        CorpusError: the file cannot be read, a name is no text, or two labels that differ in case
            alone have different names.
    """
    try:
        entries = json_object(read_text(file))
    except (OSError, ValueError) as error:
        raise CorpusError(f"{file}: cannot be read ({error})") from error
    named: dict[str, str] = {}
    for label, name in entries.items():
        if not isinstance(name, str) or not name.strip():
            raise CorpusError(f"{file}: {label!r} must be named by a text, found {name!r}")
        if named.setdefault(label.lower(), name) != name:
            raise CorpusError(
                f"{file}: {label!r} is named {name!r}, and in other letters "
                f"{named[label.lower()]!r}; labels are found whatever their case: keep one"
            )
    return named


def _utterances(
    path: Path, rows: Iterable[Row], root: Path, labels: Mapping[str, str], ignored: Collection[str]
) -> list[Utterance]:
    utterances: list[Utterance] = []
    mistakes: list[str] = []
    for row in rows:
        values = {name: value for name, value in row.values.items() if name not in ignored}
        wrong: list[str] = []
        start_s, end_s = segment_bounds(values, wrong)
        recording = _locate(root, str(values["wav"]))
        if not wrong:
            wrong = check_against_sound(values, recording, (start_s, end_s), ignored)
        mistakes += [f"line {row.line}: {mistake}" for mistake in wrong]
        speaker = values.get("speaker", values.get("spk"))
        utterances.append(
            Utterance(
                utterance_id=str(values["key"]),
                path=recording,
                target=labels[str(values["emo"])],
                speaker=None if speaker is None else str(speaker),
                start_s=start_s,
                end_s=end_s,
            )
        )
    if mistakes:
        raise CorpusError(f"{path}: faulty rows:\n  " + "\n  ".join(mistakes))
    return utterances


def _locate(root: Path, wav: str) -> Path:
    """The recording's path: as listed, else below `downloads/<name>/`, else by its bare name."""
    listed = Path(wav)
    below = listed.parts[1:] if listed.parts[0] == _DOWNLOADS else listed.parts
    tails = [listed, Path(*below), Path(*below[1:] or below), Path(listed.name)]
    own = [listed.suffix] if listed.suffix.lower() in _DECODED else []
    names = [str(tail.with_suffix(end)) for tail in tails for end in (*own, *_DECODED)]
    return next((path for name in names if (path := find_file(root, name))), root / listed)


def _check_speakers(spec: CorpusSpec, utterances: list[Utterance]) -> None:
    unknown = sum(utterance.speaker is None for utterance in utterances)
    if unknown and spec.speaker_overlap == "refused":
        raise CorpusError(
            f"corpus {spec.name!r}: the lists name no speaker for {unknown} of {len(utterances)} "
            "utterances, so it cannot be checked that no speaker is in two splits. To accept "
            "that, write `speaker_overlap: allowed` under this corpus; every table will say so."
        )


def _folds(path: Path, known: set[str]) -> dict[int, Splits]:
    name = path.stem
    tests = path.parent.glob(f"fold_*/{name}_test_fold_*.jsonl")
    numbers = sorted(int(file.stem.rpartition("_")[2]) for file in tests)
    return {number: _fold(path, number, known) for number in numbers}


def _fold(path: Path, number: int, known: set[str]) -> Splits:
    folder, name = path.parent / f"fold_{number}", path.stem
    files = {
        split: folder / f"{name}_{split}_fold_{number}.jsonl"
        for split in ("train", "valid", "test")
    }
    for split in ("train", "test"):
        if not files[split].is_file():
            raise CorpusError(f"{folder}: there is no {files[split].name}")
    listed = {split: _keys(file) if file.is_file() else () for split, file in files.items()}
    strange = sorted({key for keys in listed.values() for key in keys} - known)
    if strange:
        raise CorpusError(f"{folder}: lists what {path.name} does not: {shortened(strange)}")
    return Splits(listed["train"], listed["valid"], listed["test"])


def _keys(file: Path) -> tuple[str, ...]:
    rows: Iterable[Row] = _checked(file, read_rows(file))
    return tuple(sorted(str(row.values["key"]) for row in rows))
