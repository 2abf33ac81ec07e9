"""Faulty recordings, and what the suite's policy does with each: never dropped in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from harness.data.audio_info import AudioInfo, same_sound
from harness.data.readers.audio_files import NAMED_AT_MOST, shortened
from harness.data.utterances import Corpus
from harness.errors import CorpusError
from harness.specs import Handling, QualitySpec

SILENT_PEAK = 1e-3
"""-60 dB of full scale: no speech is that quiet."""

OVER_SCALE = 4.0
"""12 dB above full scale: what is decoded or resampled passes it a little, never so far."""

MIN_DURATION_S = 3_280 / 16_000
"""Ten frames of a wav2vec-2.0-like backbone, the fewest that its time masking accepts."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of one recording, and what was done about it."""

    utterance_id: str
    kind: str
    """A field of `QualitySpec`."""
    handling: Handling
    detail: str


@dataclass(frozen=True)
class QualityReport:
    """How a corpus's recordings are."""

    corpus: str
    checked: int
    used: int
    duration_s: float
    """Of the utterances that are used."""
    problems: tuple[Problem, ...]

    def lines(self) -> list[str]:
        """The report for a reader: a summary, then each problem by name."""
        counts = Counter((problem.kind, problem.handling) for problem in self.problems)
        summary = (
            f"{self.corpus}: {self.used} of {self.checked} utterances used, "
            f"{self.duration_s / 60:.1f} min"
        )
        for (kind, handling), count in sorted(counts.items()):
            summary += f"; {count} {kind.replace('_', ' ')} ({_DONE[handling]})"
        return [summary] + [
            f"  {problem.utterance_id}: {problem.detail} ({_DONE[problem.handling]})"
            for problem in self.problems
        ]


_DONE = {"refuse": "refused", "exclude": "excluded", "keep": "kept"}


def apply_policy(
    corpus: Corpus, audio_info: Iterable[AudioInfo], policy: QualitySpec
) -> tuple[Corpus, QualityReport]:
    """Handle every faulty recording as the suite says.

    Identical recordings are kept or, with `duplicate: exclude`, all but the first are left out.
    If they bear different labels, keeping them is refused and excluding them leaves out all.

    Raises:
        CorpusError: there are faults that the policy refuses, or a class has nothing left.
    """
    audio_info = list(audio_info)
    problems = [*_faults(audio_info, policy), *_duplicates(corpus, audio_info, policy)]
    problems.sort(key=lambda problem: problem.utterance_id)
    _refuse(corpus, problems)
    excluded = {problem.utterance_id for problem in problems if problem.handling == "exclude"}
    used = corpus.where(lambda utterance: utterance.utterance_id not in excluded)
    gone = _labels(corpus) - _labels(used)
    if gone:
        raise CorpusError(
            f"corpus {corpus.name!r}: every recording of {shortened(sorted(gone))} is excluded by "
            "`quality:`; mend the recordings, or leave the label out with `labels:`"
        )
    kept_s = sum(f.duration_s or 0.0 for f in audio_info if f.utterance_id not in excluded)
    report = QualityReport(
        corpus.name, len(corpus.utterances), len(used.utterances), kept_s, tuple(problems)
    )
    return used, report


def _labels(corpus: Corpus) -> set[str]:
    return {u.target for u in corpus.utterances if isinstance(u.target, str)}


def _faults(audio_info: Iterable[AudioInfo], policy: QualitySpec) -> list[Problem]:
    """What is wrong with a recording by itself; the first fault that applies is named."""
    problems = []
    for info in audio_info:
        name = info.utterance_id
        if info.duration_s is None or info.peak is None:
            problem = Problem(name, "undecodable", policy.undecodable, str(info.error))
        elif info.duration_s == 0:
            problem = Problem(name, "empty", policy.empty, "holds no samples")
        elif info.duration_s < MIN_DURATION_S:
            detail = f"lasts {info.duration_s:.3f} s, less than {MIN_DURATION_S:.3f} s"
            problem = Problem(name, "too_short", policy.too_short, detail)
        elif info.peak > OVER_SCALE:
            detail = f"its samples reach {info.peak:.6g} where full scale is 1"
            problem = Problem(name, "over_scale", policy.over_scale, detail)
        elif _heard(info) < SILENT_PEAK:
            problem = Problem(name, "silent", policy.silent, _silence(info))
        else:
            continue
        problems.append(problem)
    return problems


def _heard(info: AudioInfo) -> float:
    stored = info.peak or 0.0
    return stored if info.heard_peak is None else min(stored, info.heard_peak)


def _silence(info: AudioInfo) -> str:
    swing = f"silent: what is heard swings by {_heard(info):.1e} of full scale"
    if (info.peak or 0.0) < SILENT_PEAK:
        return swing
    return f"{swing}, as its channels cancel each other or hold a constant"


def _duplicates(
    corpus: Corpus, audio_info: Iterable[AudioInfo], policy: QualitySpec
) -> list[Problem]:
    target_of = {utterance.utterance_id: utterance.target for utterance in corpus.utterances}
    problems = []
    for ids in same_sound(audio_info):
        first, *others = ids
        if len({target_of[name] for name in ids}) > 1:
            handling: Handling = "exclude" if policy.duplicate == "exclude" else "refuse"
            detail = f"the same sound under different labels: {', '.join(ids)}"
            problems += [Problem(name, "duplicate", handling, detail) for name in ids]
        else:
            problems += [
                Problem(name, "duplicate", policy.duplicate, f"the same sound as {first}")
                for name in others
            ]
    return problems


def _refuse(corpus: Corpus, problems: Iterable[Problem]) -> None:
    refused = [problem for problem in problems if problem.handling == "refuse"]
    if not refused:
        return
    lines = [f"{problem.utterance_id}: {problem.detail}" for problem in refused[:NAMED_AT_MOST]]
    if len(refused) > NAMED_AT_MOST:
        lines.append(f"and {len(refused) - NAMED_AT_MOST} more")
    kinds = ", ".join(f"{kind}: exclude" for kind in sorted({p.kind for p in refused}))
    raise CorpusError(
        f"corpus {corpus.name!r}: {len(refused)} faulty recordings:\n  "
        + "\n  ".join(lines)
        + f"\nMend them, or leave them out with `quality: {{{kinds}}}` under this corpus."
    )
