"""What readers must know to trust the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from harness.data.readers.audio_files import shortened
from harness.reporting.formats import DASH
from harness.reporting.report_model import ReportRow
from harness.reporting.seen_notes import seen_notes
from harness.results.failures import error_line
from harness.results.records import CostRecord
from harness.tasks import TASKS
from harness.tasks.task import TaskCard


def comparison_footnotes(
    rows: Sequence[ReportRow],
    programs: Mapping[str, int],
    stale: Sequence[tuple[str, Sequence[str]]] = (),
    lacking: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> tuple[str, ...]:
    """Of scores, parameters and costs; none without rows.

    Args:
        rows: what they qualify
        programs: how many of the trials came from each version of the program
        stale: trials that are left out, and what they rest on that is no longer so
        lacking: test splits, and the classes that never occur in them
    """
    if not rows:
        return ()
    cards = [TASKS[row.task] for row in rows]
    return (
        *dict.fromkeys(card.scores_note for card in cards),
        "Scores are means over folds, of the means over seeds. ± folds: the standard deviation "
        "over folds of the means over seeds; ± seeds: over seeds of the means over folds; "
        f"{DASH} where there is only one.",
        *_dev(rows, cards),
        *_intervals(rows),
        *dict.fromkeys(card.baselines_note for card in cards),
        *_probes(cards),
        "Trained M: millions of parameters that train, the head's included, and their share.",
        "Depth %: the share of the backbone's transformer layers that train.",
        *_depth(rows),
        *_speeds(rows),
        *_programs(programs),
        *_stale(stale),
        *_lacking(lacking),
        *seen_notes(rows),
    )


def cost_footnotes(costs: Sequence[CostRecord]) -> tuple[str, ...]:
    """Of speeds and sizes, what is unstable or missing and what failed; none without costs."""
    if not costs:
        return ()
    done = [cost for cost in costs if cost.status == "ok"]
    notes = [
        "From waveforms to logits, nothing kept; Audio s/s: seconds of audio per second at the "
        "median. Spread: (p90 − p10) / median. A train step has forward, backward and optimiser; "
        "end to end it decodes its recordings too.",
        "GFLOP: matrix products and convolutions, a product and its sum as two. Peak %: of this "
        f"device's own large matrix products, {_matmul_peaks(done)}.",
        "RSS, GPU: the most that the process held, training included where not said otherwise; "
        "torch: the most in its tensors on the GPU.",
    ]
    notes += [f"UNSTABLE: {why}" for cost in done for w in cost.points for why in w.unstable]
    notes += [f"{name} is missing: {why}" for cost in done for name, why in cost.missing.items()]
    notes += [
        f"{cost.trial.describe()}: {cost.status}: {error_line(cost)}"
        for cost in costs
        if cost.status != "ok"
    ]
    return tuple(dict.fromkeys(notes))


def _dev(rows: Sequence[ReportRow], cards: Sequence[TaskCard]) -> list[str]:
    if all(row.dev_score is None for row in rows):
        return []
    titles = dict.fromkeys(card.metric(card.headline).title for card in cards)
    return [
        f"Dev {' or '.join(titles)}: on the split that chose the epoch, and settings where dev "
        "chooses them, hence too good to be quoted; it stands here to be set beside test."
    ]


def _intervals(rows: Sequence[ReportRow]) -> list[str]:
    found = [row.scores[TASKS[row.task].headline] for row in rows if row.scores]
    known = [score.evidence for score in found if score.evidence]
    notes = []
    if known:
        speakers = " or ".join(str(count) for count in sorted({one.speakers for one in known}))
        noise = {
            frozenset({True}): "The noise of training is in it.",
            frozenset({False}): "With one seed, the noise of training is not in it.",
        }.get(
            frozenset(one.retrained for one in known),
            "The noise of training is in it where a row has two seeds.",
        )
        notes.append(
            f"[low, high]: 95 % interval of that mean with other speakers, from {speakers} test "
            f"speakers: jackknife over speakers, Student's t on the logit scale. {noise}"
        )
    if len(known) < len(found):
        notes.append(
            "No interval: predictions are missing, or the test utterances are of one speaker or of "
            "speakers that are not known."
        )
    if any(row.rank_group for row in rows):
        notes.append(
            "Group: rows of a corpus that share a letter are not told apart; ? where one seed "
            "leaves it open. `harness rank` says more."
        )
    return notes


def _probes(cards: Sequence[TaskCard]) -> list[str]:
    kinds = dict.fromkeys(kind.replace("_", " ") for card in cards for kind in card.probes)
    if not kinds:
        return []
    return [
        f"probe on a backbone: {' or '.join(kinds)}, by dev, on the mean and deviation of its "
        "frozen last layer, standardised on train. Heads grow with a backbone's width, probes too."
    ]


def _depth(rows: Sequence[ReportRow]) -> list[str]:
    if not any(row.backbone.startswith("emotion2vec") for row in rows):
        return []
    return [
        "emotion2vec: its four prenet blocks are the same transformer layers as its eight main "
        "blocks and every utterance crosses them, so 3 of 8 main blocks (37.5 %) are 3 of its "
        "12 layers (25.0 %)."
    ]


def _speeds(rows: Sequence[ReportRow]) -> list[str]:
    conditions = dict.fromkeys(
        f"{row.cost.duration_s:g} s × batch {row.cost.batch_size} on {row.cost.device}"
        for row in rows
        if row.cost is not None and row.cost.duration_s is not None
    )
    if not conditions:
        return []
    return [
        "Infer and Train s/s: seconds of audio per second, on the whole uncached path, for "
        f"{'; '.join(conditions)}. RSS and GPU: "
        "the peaks of the whole cost pass, all its durations, batch sizes and training included."
    ]


def _programs(programs: Mapping[str, int]) -> list[str]:
    if len(programs) < 2:
        return []
    listed = "; ".join(f"{program} (trials: {count})" for program, count in programs.items())
    return [f"MIXED: the rows come from {len(programs)} versions of the program: {listed}."]


def _stale(trials: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for name, rests_on in trials:
        by_reason.setdefault(" and ".join(rests_on), []).append(name)
    return [
        f"STALE, other {reason} than now: {shortened(names)}. Run them again, or put the {reason} "
        "back as it was."
        for reason, names in by_reason.items()
    ]


def _lacking(splits: Mapping[str, Sequence[str]]) -> list[str]:
    if not splits:
        return []
    listed = shortened(f"{split} ({', '.join(classes)})" for split, classes in splits.items())
    return [f"Test splits without a class, which macro-F1 counts as 0: {listed}."]


def _matmul_peaks(costs: Sequence[CostRecord]) -> str:
    peaks: dict[str, list[float]] = {}
    for cost in costs:
        if cost.matmul_peak_flops:
            kind = f"GFLOP/s in {cost.precision} on {cost.device}"
            peaks.setdefault(kind, []).append(cost.matmul_peak_flops / 1e9)
    texts = [f"{min(found):.0f} to {max(found):.0f} {kind}" for kind, found in peaks.items()]
    return "; ".join(texts) or "which were not measured"
