"""Which trials train side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.specs import PROBES, Trial

MOST = 8
"""Their batches lie in memory at the same time."""


def side_by_side_batches(
    trials: Sequence[Trial], device_type: str, keeps: Callable[[Trial], bool]
) -> list[list[Trial]]:
    """All trials of one corpus × backbone, in the order of their first ones; most are alone.

    Those on a frozen backbone that learn from kept frames, with heads of one shape, share their
    passes on a GPU, which one small head leaves idle. On a CPU that saves nothing: see
    `tests/benchmarks/test_side_by_side.py`. Trials in fp16, whose scale of the gradients would be
    shared, and trials with a limit of time stay alone.
    """
    batches: dict[object, list[list[Trial]]] = {}
    for trial in trials:
        shared = device_type == "cuda" and _may_share(trial) and keeps(trial)
        key = (trial.head, trial.training.precision) if shared else trial.trial_id
        found = batches.setdefault(key, [[]])
        if len(found[-1]) == MOST:
            found.append([])
        found[-1].append(trial)
    return [batch for found in batches.values() for batch in found]


def _may_share(trial: Trial) -> bool:
    training = trial.training
    return (
        trial.finetune_layers == 0
        and not trial.choose
        and trial.head.kind not in PROBES
        and training.precision != "fp16"
        and training.time_limit_s is None
    )
