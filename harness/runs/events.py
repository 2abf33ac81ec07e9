"""What happens in a run, in the order in which it happens. Everything here can be pickled."""

from __future__ import annotations

from dataclasses import dataclass

from harness.profiling.estimation.forecast import Amount
from harness.results.records import CostRecord
from harness.runs.frame_events import FramesEvent
from harness.runs.trial_execution import Outcome
from harness.runs.work_units import WorkUnit
from harness.specs import CostTrial, Trial
from harness.training.fit_driver import FitEvent


@dataclass(frozen=True)
class UnitStarted:
    """A unit of work begins."""

    unit: WorkUnit


@dataclass(frozen=True)
class UnitReady:
    """Frames are there; what is left can be done by anyone, in any order."""

    batches: tuple[tuple[Trial, ...], ...]
    """Trials, or those that train side by side."""


@dataclass(frozen=True)
class FramesFailed:
    """Frames could not be kept; the trials compute them anew."""

    reason: str


@dataclass(frozen=True)
class TrialsStarted:
    """A trial begins to train, or several side by side."""

    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class FitAdvanced:
    """A step or an epoch of the trials that are training is done."""

    progress: FitEvent
    steps: int = 1
    """How many steps this stands for."""


@dataclass(frozen=True)
class TrialEnded:
    """A trial ended, well or not."""

    outcome: Outcome


@dataclass(frozen=True)
class UnitEnded:
    """A unit of work is done."""

    unit: WorkUnit
    taken: Amount


@dataclass(frozen=True)
class WorkerLost:
    """A worker is gone, for no reason of its trials: they are run again elsewhere."""

    reason: str


@dataclass(frozen=True)
class Stopping:
    """Whoever is at work was asked to save what there is, and to stop."""


@dataclass(frozen=True)
class CostsStarted:
    """Costs are about to be measured, so many times in all."""

    measurements: int


@dataclass(frozen=True)
class CostStarted:
    """A cost is about to be measured."""

    trial: CostTrial
    round: int
    rounds: int


@dataclass(frozen=True)
class CostMeasured:
    """A round of a cost is done."""

    latest: CostRecord
    """Of this round."""
    joined: CostRecord
    """Of all rounds until now."""


@dataclass(frozen=True)
class CostAdvanced:
    """One of the announced measurements is done, or was known already."""

    trial: CostTrial
    known: CostRecord


CostEvent = CostsStarted | CostStarted | CostMeasured | CostAdvanced

Event = (
    UnitStarted
    | UnitReady
    | FramesEvent
    | FramesFailed
    | TrialsStarted
    | FitAdvanced
    | TrialEnded
    | UnitEnded
    | WorkerLost
    | Stopping
    | CostEvent
)
