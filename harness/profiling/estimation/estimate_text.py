"""Estimates as text: a table before a run, a line after it, and a file to look it up in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from tabulate import tabulate

from harness.profiling.estimation.forecast import Amount
from harness.profiling.estimation.suite_estimate import Estimate

FACTOR = 3
"""How far off an estimate may be, either way, as `tests/benchmarks/test_estimate.py` checks."""

CAVEAT = "Less, if frames are kept already or trials stop early. The cost pass comes on top."


def table(estimates: Sequence[Estimate]) -> str:
    """A row for each corpus × backbone and, where there are several, one for all of them."""
    rows = [_row(e.corpus, e.backbone, e.trials, e.audio_s, e.expected) for e in estimates]
    if len(rows) > 1:
        corpora = {e.corpus: e.audio_s for e in estimates}
        trials = sum(e.trials for e in estimates)
        rows.append(_row("all", "", trials, sum(corpora.values()), total_of(estimates)))
    for row, estimate in zip(rows, estimates, strict=False):
        row["GFLOP/audio s"] = f"{estimate.flops_per_audio_s / 1e9:.2f}"
    sides = ("left", "left", *["right"] * 7)
    grid = tabulate(rows, headers="keys", disable_numparse=True, colalign=sides)
    return f"{grid}\n{CAVEAT}"


def comparison(expected: Amount | None, taken: Amount) -> str:
    """Estimate and truth in a line.

    >>> comparison(Amount(60, 660, 410_000_000), Amount(42, 588, 410_000_000))
    'estimated 12 min, took 10 min; frames 0.41 GB planned, 0.41 GB written'
    >>> comparison(None, Amount(42, 588))
    'took 10 min; frames 0 MB written'
    """
    took, written = duration_text(taken.wall_s), size_text(taken.frames_bytes)
    if expected is None:
        return f"took {took}; frames {written} written"
    estimated, planned = duration_text(expected.wall_s), size_text(expected.frames_bytes)
    return f"estimated {estimated}, took {took}; frames {planned} planned, {written} written"


def estimate_line(expected: Amount) -> str:
    """An estimate in a line, with the range in which it is held to come true.

    >>> estimate_line(Amount(60, 660, 410_000_000))
    'about 12 min (4 min to 36 min), frames 0.41 GB'
    """
    about = expected.wall_s
    low, high = duration_text(about / FACTOR), duration_text(about * FACTOR)
    size = size_text(expected.frames_bytes)
    return f"about {duration_text(about)} ({low} to {high}), frames {size}"


def to_json(
    estimates: Sequence[Estimate], taken: Mapping[tuple[str, str], Amount], device_name: str
) -> str:
    """Everything, raw: seconds and bytes, `taken` null where a run has not come so far."""
    groups = [
        asdict(each) | {"taken": amount and asdict(amount)}
        for each in estimates
        for amount in [taken.get((each.corpus, each.backbone))]
    ]
    return json.dumps({"machine": device_name, "groups": groups}, indent=1)


def total_of(estimates: Sequence[Estimate]) -> Amount:
    """All of it together."""
    return sum((estimate.expected for estimate in estimates), Amount())


def duration_text(seconds: float) -> str:
    """A length of time in its two largest units.

    >>> [duration_text(seconds) for seconds in (0.84, 42, 150, 4319, 180_000)]
    ['0.8 s', '42 s', '2 min 30 s', '1 h 12 min', '50 h 0 min']
    """
    if seconds < 9.5:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    if seconds < 3570:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min"


def size_text(size_bytes: float) -> str:
    """Disk space.

    >>> [size_text(size) for size in (0, 4_100_000, 412_000_000)]
    ['0 MB', '4 MB', '0.41 GB']
    """
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes < 1e8 else f"{size_bytes / 1e9:.2f} GB"


def _row(corpus: str, backbone: str, trials: int, audio_s: float, amount: Amount) -> dict[str, str]:
    return {
        "corpus": corpus,
        "backbone": backbone,
        "trials": str(trials),
        "audio": f"{audio_s / 3600:.2f} h",
        "frames": duration_text(amount.extraction_s),
        "training": duration_text(amount.training_s),
        "whole": duration_text(amount.wall_s),
        "disk": size_text(amount.frames_bytes),
    }
