"""Pins of what comes before a network: recordings, corpora, splits and batches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from harness.data.audio import read_file
from harness.data.audio_info import AudioInfo, audio_digest, inspect_audio
from harness.data.batches import LabelledSplit, bucketed, load_batch
from harness.data.label_mapping import map_labels
from harness.data.quality import apply_policy
from harness.data.readers import emobox, emodb, manifest, ravdess, synthetic
from harness.data.splits.folds import split
from harness.data.splits.leakage import split_digest
from harness.data.subset import subset
from harness.data.utterances import Corpus, Utterance, make_corpus
from harness.errors import UserError
from harness.specs import CorpusSpec, ProtocolSpec, QualitySpec


def wave(seconds: float, rate_hz: int = 16_000, channels: int = 1) -> np.ndarray:
    """A sum of tones, other in each channel."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    rows = [
        0.4 * np.sin(2 * np.pi * (220 + 90 * number) * time) + 0.1 * np.cos(2 * np.pi * 3100 * time)
        for number in range(channels)
    ]
    return np.stack(rows, axis=1)


def write(path: Path, seconds: float, rate_hz: int = 16_000, channels: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave(seconds, rate_hz, channels), rate_hz, subtype="PCM_16")
    return path


def outcome(of: Any) -> Any:
    """What a call gives, or the kind of error that it raises."""
    try:
        return of()
    except (UserError, ValueError) as error:
        return type(error).__name__


def sampled(samples: np.ndarray) -> list[float]:
    return [len(samples), *samples[:: max(1, len(samples) // 23)][:24]]


def decoding(folder: Path) -> Any:
    found: dict[str, Any] = {}
    for rate_hz, channels in ((16_000, 1), (16_000, 2), (44_100, 1), (48_000, 2), (8_000, 1)):
        path = write(folder / f"{rate_hz}-{channels}.wav", 0.3, rate_hz, channels)
        found[path.stem] = sampled(read_file(path))
        found[f"{path.stem} segment"] = sampled(read_file(path, 0.05, 0.2))
    path = folder / "16000-1.wav"
    for end_s in (0.3, 0.3 + 0.009, 0.3 + 0.012):
        found[f"to {end_s}"] = outcome(lambda end_s=end_s: len(read_file(path, 0.1, end_s)))
    found["beyond"] = outcome(lambda: len(read_file(path, 0.301)))
    return found


def corpus(speakers: int, labels: str, takes: int, known: bool = True) -> Corpus:
    """Utterances whose numbers differ between speakers and labels."""
    return make_corpus(
        "pinned",
        (
            Utterance(f"s{s}-{label}-{take}", Path("x.wav"), label, f"s{s}" if known else None)
            for s in range(speakers)
            for number, label in enumerate(labels)
            for take in range(takes + (s + number) % 3)
        ),
    )


def quality(folder: Path) -> Any:
    ids = [f"u{number}" for number in range(9)]
    labelled = [Utterance(i, Path("x.wav"), "ab"[n % 2], "s") for n, i in enumerate(ids)]
    info = [
        AudioInfo("u0", 1.0, 0.5, "one"), AudioInfo("u1", 1.0, 0.5, "two"),
        AudioInfo("u2", 3_280 / 16_000, 0.5, "three"), AudioInfo("u3", 3_279 / 16_000, 0.5, "4"),
        AudioInfo("u4", 1.0, 1e-3, "five"), AudioInfo("u5", 1.0, 0.999e-3, "six"),
        AudioInfo("u6", 0.0, 0.0, "seven"), AudioInfo("u7", None, None, None, "broken"),
        AudioInfo("u8", 1.0, 0.5, "one"),
    ]  # fmt: skip
    found: dict[str, Any] = {}
    everything = make_corpus("pinned", labelled)
    for handling in ("exclude", "keep"):
        policy = QualitySpec(
            undecodable="exclude", empty="exclude", too_short="exclude",
            silent=handling, duplicate=handling,
        )  # fmt: skip
        used, report = apply_policy(everything, info, policy)
        found[handling] = [
            [u.utterance_id for u in used.utterances], report.checked, report.used,
            report.duration_s, [[p.utterance_id, p.kind, p.handling] for p in report.problems],
        ]  # fmt: skip
    apart = [AudioInfo(i, 1.0, 0.5, "same" if n < 2 else i) for n, i in enumerate(ids)]
    for duplicate in ("exclude", "keep"):
        policy = QualitySpec(duplicate=duplicate)
        found[f"other labels, {duplicate}"] = outcome(
            lambda policy=policy: len(apply_policy(everything, apart, policy)[0].utterances)
        )
    found["refused"] = outcome(lambda: apply_policy(everything, info, QualitySpec()))
    recorded = make_corpus("pinned", [
        Utterance("mono", write(folder / "mono.wav", 0.4), "a", "s"),
        Utterance("part", folder / "mono.wav", "a", "s", start_s=0.1, end_s=0.3),
        Utterance("stereo", write(folder / "stereo.wav", 0.4, 48_000, 2), "b", "s"),
    ])  # fmt: skip
    seen = inspect_audio(recorded)
    found["inspected"] = [[i.utterance_id, i.duration_s, i.peak, i.sha256] for i in seen]
    found["digest"] = [audio_digest(seen, ["mono", "part"]), audio_digest(seen, ["stereo"])]
    return found


def labels(folder: Path) -> Any:
    whole = corpus(3, "abcd", 2)
    kept = map_labels(whole, {"a": "x", "b": "y", "c": None, "d": "x"})
    return {
        "mapped": [[u.utterance_id, u.target] for u in kept.utterances],
        "classes": kept.classes,
        "unmapped": map_labels(whole, None).classes,
        "unnamed": outcome(lambda: map_labels(whole, {"a": "x"})),
        "never occurs": outcome(lambda: map_labels(whole, dict.fromkeys("abcde", "x"))),
        "one class": outcome(lambda: map_labels(whole, dict.fromkeys("abcd", "x"))),
    }


def subsets(folder: Path) -> Any:
    whole, unknown = corpus(5, "abcd", 2), corpus(2, "abc", 3, known=False)
    return {
        f"{name} {count}": [u.utterance_id for u in subset(of, count).utterances]
        for name, of in (("known", whole), ("unknown", unknown))
        for count in (1, 2, 5, 9, 14, 99)
    }


def splits(folder: Path) -> Any:
    known, unknown = corpus(7, "abcd", 2), corpus(3, "abc", 5, known=False)
    found: dict[str, Any] = {}
    for folds, fold, dev in ((3, 1, None), (3, 3, 2), ("loso", 2, None), (2, 1, 2), (7, 4, 1)):
        protocol = ProtocolSpec(folds=folds, dev_speakers=dev)
        cut = split(known, protocol, fold)
        found[f"{folds} {fold} {dev}"] = [cut.named(), split_digest(cut, known)]
    for fold in (1, 2):
        found[f"utterances {fold}"] = outcome(
            lambda fold=fold: split(
                unknown, ProtocolSpec(folds=4), fold, speaker_overlap="allowed"
            ).named()
        )
    found["refused"] = outcome(lambda: split(unknown, ProtocolSpec(folds=4), 2))
    found["too few"] = outcome(lambda: split(known, ProtocolSpec(folds=8), 1))
    found["dev too large"] = outcome(lambda: split(known, ProtocolSpec(folds=7, dev_speakers=6), 1))
    return found


def batching(folder: Path) -> Any:
    durations = [1.0, 3.0, 1.2, 2.9, 0.4, 7.5, 2.0, 2.0, 1.1, 0.9]
    found: dict[str, Any] = {
        f"{seconds} {seed}": bucketed(durations, seconds, seed)
        for seconds in (4.0, 6.0, 20.0)
        for seed in (None, (1, 1), (1, 2), (2, 1))
    }
    files = [write(folder / f"{n}.wav", s) for n, s in enumerate((0.5, 0.8, 0.3))]
    utterances = tuple(Utterance(path.stem, path, "a", "s") for path in files)
    for crop_s in (None, 0.4):
        listed = LabelledSplit(utterances, (0, 2, 1), (0.5, 0.8, 0.3), crop_s)
        found[f"seconds {crop_s}"] = listed.seconds()
        for seed in ((1, 1), (1, 2)):
            batch = load_batch(listed, [1, 0, 2], seed)
            found[f"batch {crop_s} {seed}"] = [
                list(batch.waveforms.shape), batch.lengths, batch.waveforms[:, ::531],
            ]  # fmt: skip
    return found


def where(utterance: Utterance) -> tuple[Any, ...]:
    return utterance.start_s, utterance.end_s, utterance.text, utterance.language


def listed(found: Corpus) -> Any:
    """Everything that a reader says of a corpus, but where it lies."""
    return {
        "utterances": [
            [u.utterance_id, u.path.name, u.target, u.speaker, *where(u)] for u in found.utterances
        ],
        "classes": found.classes,
        "published": {
            source: {number: folds[number].named() for number in folds}
            for source, folds in found.published.items()
        },
    }


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def reader_ravdess(folder: Path) -> Any:
    names = [
        f"Actor_{actor:02}/03-{channel}-{emotion:02}-01-{1 + actor % 2:02}-01-{actor:02}.wav"
        for actor in range(1, 25)
        for channel in ("01", "02")
        for emotion in (1 + actor % 8, 1 + (actor + 3) % 8)
    ]
    found = {
        "listed": listed(ravdess.read(touch(folder / "a", *names), CorpusSpec(name="ravdess")))
    }
    flat = touch(folder / "b", "03-01-08-02-02-02-13.flac", "readme.txt", ".hidden.wav")
    found["flat"] = listed(ravdess.read(flat, CorpusSpec(name="mine")))
    strange = touch(folder / "c", "someone.wav")
    found["strange"] = outcome(lambda: ravdess.read(strange, CorpusSpec(name="ravdess")))
    return found


def reader_emodb(folder: Path) -> Any:
    names = [f"wav/{s:02}{t}{e}{v}.wav" for s, t, e, v in zip(
        (3, 8, 9, 10, 11, 12, 13), ("a01", "a02", "a04", "b01", "b02", "b09", "b10"),
        "WLEAFTN", ("a", "b", "", "c", "d", "a", "b"), strict=True)]  # fmt: skip
    found = {"listed": listed(emodb.read(touch(folder / "a", *names), CorpusSpec(name="emodb")))}
    strange = touch(folder / "b", "03a01X.wav")
    found["strange"] = outcome(lambda: emodb.read(strange, CorpusSpec(name="emodb")))
    return found


def reader_manifest(folder: Path) -> Any:
    found: dict[str, Any] = {}
    tables = {
        "plain": "file,label,speaker\nb.wav,sad,s2\na.wav,happy,s1\n",
        "segments": "file,label,speaker,start_s,end_s\na.wav,sad,s1,0.5,1\na.wav,happy,s1,1,\n",
        "split": "file,label,speaker,split,text\na.wav,x,1,train,hi\nb.wav,y,2,test,\n"
        "c.wav,x,3,dev,\n",
        "folds": "file,label,speaker,fold,language\na.wav,x,1,1,de\nb.wav,y,2,2,en\nc.wav,x,3,1,\n",
        "own ids": "utterance_id,file,label,speaker\nz,a.wav,x,1\ny,b.wav,y,2\n",
        "empty": "file,label,speaker\na.wav,,1\n",
        "missing": "file,label,speaker\nnowhere.wav,x,1\n",
        "twice": "file,label,speaker\na.wav,x,1\na.wav,y,1\n",
        "no speakers": "file,label\na.wav,x\nb.wav,y\n",
        "half split": "file,label,speaker,split\na.wav,x,1,train\nb.wav,y,2,\n",
        "negative": "file,label,speaker,start_s\na.wav,x,1,-1\n",
    }
    for name, text in tables.items():
        root = touch(folder / name, "a.wav", "b.wav", "c.wav")
        (root / "manifest.csv").write_text(text)
        for overlap in ("refused", "allowed"):
            spec = CorpusSpec(name="mine", kind="manifest", speaker_overlap=overlap)
            found[f"{name} {overlap}"] = outcome(lambda s=spec, r=root: listed(manifest.read(r, s)))
    root = touch(folder / "jsonl", "a.wav")
    (root / "manifest.jsonl").write_text('{"file": "a.wav", "label": 3, "speaker": 7}\n\n')
    spec = CorpusSpec(name="mine", kind="manifest")
    found["jsonl"] = listed(manifest.read(root, spec))
    return found


def reader_emobox(folder: Path) -> Any:
    rows = [
        {"key": f"k{n}", "wav": f"downloads/mine/x/{n}.wav", "emo": emo} | speaker
        for n, (emo, speaker) in enumerate(
            [("Ang", {"speaker": "1"}), ("sad", {"spk": 2}), ("ang", {"speaker": "3"})]
        )
    ]
    root = touch(folder / "a", "x/0.wav", "x/1.flac", "2.wav")
    lists = {
        "mine.jsonl": rows,
        "fold_1/mine_train_fold_1.jsonl": rows[:2],
        "fold_1/mine_test_fold_1.jsonl": rows[2:],
        "fold_2/mine_train_fold_2.jsonl": rows[1:2],
        "fold_2/mine_valid_fold_2.jsonl": rows[2:],
        "fold_2/mine_test_fold_2.jsonl": rows[:1],
    }
    for name, content in lists.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("".join(json.dumps(row) + "\n" for row in content))
    found = {"plain": listed(emobox.read(root, CorpusSpec(name="mine", kind="emobox")))}
    (root / "label_map.json").write_text('{"ANG": "angry", "Sad": "sadness"}')
    found["mapped"] = listed(emobox.read(root, CorpusSpec(name="mine", kind="emobox")))
    (root / "2.wav").unlink()
    for partial in ("refuse", "allow"):
        spec = CorpusSpec(name="mine", kind="emobox", partial=partial)
        found[partial] = outcome(lambda s=spec: len(emobox.read(root, s).utterances))
    return found


def reader_synthetic(folder: Path) -> Any:
    takes = [("s1", "angry", 1), ("s2", "happy", 3), ("s5", "neutral", 8), ("s8", "sad", 2)]
    sounds = {
        f"{speaker} {label} {take}": sampled(synthetic.synthesise(speaker, label, take))
        for speaker, label, take in takes
    }
    found = synthetic.read(folder, CorpusSpec(name="synthetic"))
    names = [[u.utterance_id, u.target, u.speaker] for u in found.utterances]
    return {"sounds": sounds, "utterances": names, "classes": found.classes}


PINS = {
    "decoding": decoding,
    "quality": quality,
    "labels": labels,
    "subset": subsets,
    "splits": splits,
    "batching": batching,
    "reader.ravdess": reader_ravdess,
    "reader.emodb": reader_emodb,
    "reader.manifest": reader_manifest,
    "reader.emobox": reader_emobox,
    "reader.synthetic": reader_synthetic,
}
