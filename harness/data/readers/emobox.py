"""EmoBox's own lists (Ma et al. 2024, https://arxiv.org/abs/2406.07162), read as they are.

`<name>.jsonl` lists a corpus, `fold_<k>/<name>_{train,valid,test}_fold_<k>.jsonl` its folds, and
`label_map.json` turns the corpus's labels into EmoBox's. The lists name no speakers.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.data.readers.audio_files import shortened
from harness.data.readers.manifest import find_manifest
from harness.data.readers.table_rows import Row, read_rows
from harness.data.utterances import Corpus, Splits, Utterance, make_corpus
from harness.errors import CorpusError
from harness.specs import CorpusSpec

_DOWNLOADS = "downloads"
"""The folder that EmoBox's paths begin with."""


def read(root: Path, spec: CorpusSpec) -> Corpus:
    """List the utterances of an EmoBox list, with its folds.

    The list is `manifest:`, or `data/<name>/<name>.jsonl` or `<name>.jsonl` in the root. Its
    recordings are looked for in the root under the path it gives, with or without the leading
    `downloads/<name>/`, as wav or flac.

    Raises:
        CorpusError: the lists are missing, faulty or disagree; recordings are missing; or no
            speakers are known and the suite does not say `speaker_overlap: allowed`.
    """
    usual = [root / "data" / spec.name / f"{spec.name}.jsonl", root / f"{spec.name}.jsonl"]
    path = find_manifest(root, spec, usual)
    rows = _checked(path, read_rows(path))
    labels = _label_map(path, rows)
    utterances = [_utterance(row, root, labels) for row in rows]
    _check_speakers(spec, utterances)
    missing = [u for u in utterances if not u.path.is_file()]
    if missing and spec.partial == "refuse":
        raise CorpusError(
            f"corpus {spec.name!r}: {len(missing)} of {len(utterances)} recordings are missing "
            f"in {root}: {shortened(u.path.name for u in missing)}; fetch them as EmoBox says, or "
            "write `partial: allow` under this corpus to use what is there"
        )
    folds = _folds(path, {u.utterance_id for u in utterances})
    present = (u for u in utterances if u.path.is_file())
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
    file = path.parent / "label_map.json"
    if not file.is_file():
        return {label: label for label in counts}
    try:
        named = {str(key).lower(): str(value) for key, value in _json_object(file).items()}
    except ValueError as error:
        raise CorpusError(f"{file}: cannot be read ({error})") from error
    unnamed = [f"{label!r} ({counts[label]})" for label in counts if label.lower() not in named]
    if unnamed:
        raise CorpusError(
            f"{file}: does not name labels that {path.name} uses: {', '.join(unnamed)}; add them"
        )
    return {label: named[label.lower()] for label in counts}


def _json_object(file: Path) -> Mapping[str, object]:
    value = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _utterance(row: Row, root: Path, labels: Mapping[str, str]) -> Utterance:
    speaker = row.values.get("speaker", row.values.get("spk"))
    return Utterance(
        utterance_id=str(row.values["key"]),
        path=_locate(root, str(row.values["wav"])),
        target=labels[str(row.values["emo"])],
        speaker=None if speaker is None else str(speaker),
    )


def _locate(root: Path, wav: str) -> Path:
    """The recording's path: as listed, else below `downloads/<name>/`, else by its bare name."""
    listed = Path(wav)
    below = listed.parts[1:] if listed.parts[0] == _DOWNLOADS else listed.parts
    tails = [listed, Path(*below), Path(*below[1:] or below), Path(listed.name)]
    candidates = [
        root / tail.with_suffix(end) for tail in tails for end in (listed.suffix, ".flac")
    ]
    return next((path for path in candidates if path.is_file()), candidates[0])


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
