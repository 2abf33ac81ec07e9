"""Which measured cost counts, and which trial it belongs to: decided here alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness.results.records import CostRecord, Mode, WorkloadCost
from harness.specs import CostSpec, CostTrial, Trial

CostKey = tuple[CostTrial, str | None]
"""What was measured, and the device where costs of several devices are kept apart."""


@dataclass(frozen=True)
class TrialCost:
    """What the backbone of a trial costs at the trial's finetune_layers."""

    train_audio_s_per_s: float | None
    infer_audio_s_per_s: float | None
    peak_gpu_bytes: int | None
    peak_rss_bytes: int | None
    device: str
    duration_s: float | None
    """Of an utterance, in the workload whose speeds these are."""
    batch_size: int | None
    unstable: bool
    """Whether the speeds are not to be relied on."""


def newest_costs(
    costs: Iterable[CostRecord], *, per_device: bool = False
) -> dict[CostKey, CostRecord]:
    """Of the measurements of the same thing, the newest that ended well.

    Args:
        costs: the measurements
        per_device: keep one for each device that measured; else one alone
    """
    finished = sorted(
        (cost for cost in costs if cost.status == "ok"), key=lambda cost: cost.started_at
    )
    return {(_subject(cost.trial), cost.device if per_device else None): cost for cost in finished}


def cost_lookup(costs: Iterable[CostRecord]) -> Callable[[Trial], TrialCost | None]:
    """Finds what a trial costs; None where that was not measured."""
    newest = newest_costs(costs)

    def find(trial: Trial) -> TrialCost | None:
        cost = newest.get((_subject(CostTrial.of(trial, CostSpec())), None))
        return None if cost is None else _trial_cost(cost)

    return find


def representative(workloads: Sequence[WorkloadCost], mode: Mode) -> WorkloadCost | None:
    """The workload of this mode that stands for a backbone's speed.

    It is the one with the largest batch at the first duration: a suite lists first the duration
    it cares for most, and the largest batch shows what the device can do.
    """
    of_mode = [workload for workload in workloads if workload.mode == mode]
    at_first = [workload for workload in of_mode if workload.duration_s == of_mode[0].duration_s]
    return max(at_first, key=lambda workload: workload.batch_size, default=None)


def _subject(trial: CostTrial) -> CostTrial:
    """What is measured, wherever its weights lie and at whatever workloads."""
    backbone = trial.backbone.model_copy(update={"source": None})
    return trial.model_copy(update={"backbone": backbone, "cost": CostSpec()})


def _trial_cost(cost: CostRecord) -> TrialCost:
    infer, train = (representative(cost.points, mode) for mode in ("infer", "train"))
    stated = infer or train
    return TrialCost(
        train_audio_s_per_s=train.audio_s_per_s if train else None,
        infer_audio_s_per_s=infer.audio_s_per_s if infer else None,
        peak_gpu_bytes=cost.peak_gpu_bytes,
        peak_rss_bytes=cost.peak_rss_bytes,
        device=cost.device,
        duration_s=stated.duration_s if stated else None,
        batch_size=stated.batch_size if stated else None,
        unstable=any(workload.unstable for workload in (infer, train) if workload),
    )
