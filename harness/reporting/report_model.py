"""All that a report says, typed. Nothing is measured, formatted or written here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.results.class_scores import PooledClass
from harness.results.cost_matching import TrialCost
from harness.results.failures import Failure
from harness.results.group_scores import GroupScore
from harness.results.ranking import Ranking
from harness.results.records import CostRecord, Epoch, Record
from harness.results.seen_before import SeenBefore
from harness.results.trial_groups import row_name
from harness.specs import FinetuneLayers


@dataclass(frozen=True)
class ReportRow:
    """A group of trials that differ in fold and seed alone."""

    corpus: str
    backbone: str
    finetune_layers: FinetuneLayers
    axes: Mapping[str, Any]
    """What else tells the rows of this report apart, such as the loss; the same in every row."""
    task: str
    folds: int
    """How many the finished trials have."""
    seeds: int
    """How many the finished trials have."""
    trials: int
    """How many ended well."""
    planned: int
    """How many are planned or have a record."""
    scores: Mapping[str, GroupScore]
    """On test, by metric of the task; empty where no trial ended well."""
    dev_score: float | None
    """The headline of the task on dev, which chooses epochs and settings."""
    classes: tuple[PooledClass, ...]
    """How well each is recognised on test; empty without classes, or if no trial ended well."""
    trainable_parameters: int | None
    total_parameters: int | None
    depth_share: float | None
    """Of the backbone's transformer layers, those that train."""
    cost: TrialCost | None
    flags: tuple[str, ...]
    rank_group: str | None
    """Letters: rows of its corpus that nothing tells apart share one; "?" where one seed leaves it
    open, None where it is not ranked."""
    chosen: str | None
    """The settings that dev chose, in how many trials each, and from how many; None without."""
    seen_before: SeenBefore
    """What the backbone met of the corpus before, and of others."""

    @property
    def name(self) -> str:
        """What tells it apart from the others on its corpus."""
        return row_name(self.backbone, self.finetune_layers, self.axes)

    @property
    def speakers(self) -> int | None:
        """How many the intervals rest on; None without any."""
        known = [score.evidence for score in self.scores.values() if score.evidence]
        return known[0].speakers if known else None

    @property
    def trainable_share(self) -> float | None:
        """Of all parameters, those that train."""
        if self.trainable_parameters is None or not self.total_parameters:
            return None
        return self.trainable_parameters / self.total_parameters


@dataclass(frozen=True)
class BaselineRow:
    """What guessing, or a probe of a frozen backbone, scores on the test splits of a corpus."""

    corpus: str
    baseline: str
    """One of those of the task, such as "majority", or "probe on " and the backbone."""
    task: str
    folds: int
    scores: Mapping[str, GroupScore]
    flags: tuple[str, ...]


@dataclass(frozen=True)
class TrialRow:
    """One trial, whatever became of it, and what its backbone costs."""

    record: Record
    settings: Mapping[str, Any]
    """Every axis of the trial by its full name."""
    cost: TrialCost | None
    stale: tuple[str, ...] = ()
    """On what it rests that is no longer so; no row takes its scores in then."""


@dataclass(frozen=True)
class LearningCurve:
    """How the fit of one trial went, epoch by epoch."""

    trial_id: str
    corpus: str
    backbone: str
    finetune_layers: FinetuneLayers
    axes: Mapping[str, Any]
    """Those of the trial's row."""
    fold: int
    seed: int
    epochs: tuple[Epoch, ...]
    best_epoch: int


@dataclass(frozen=True)
class Report:
    """A suite's results, as tables, figures and pages say them."""

    title: str
    rows: tuple[ReportRow, ...]
    """In the order of corpora, of the table of backbones and of finetune_layers."""
    baselines: tuple[BaselineRow, ...]
    """In the order of corpora; of each the probes, in the order of backbones, then guessing."""
    footnotes: tuple[str, ...]
    """What a reader must know to trust the rows; empty without any."""
    rankings: tuple[Ranking, ...]
    """Of each corpus that has two rows or more, in their order."""
    failures: tuple[Failure, ...]
    curves: tuple[LearningCurve, ...]
    """In the order of the rows, then of folds and seeds."""
    trials: tuple[TrialRow, ...]
    """In the order of their ids."""
    costs: tuple[CostRecord, ...]
    """In the order of the table of backbones and of finetune_layers, then of time."""
    cost_footnotes: tuple[str, ...]

    @property
    def axis_names(self) -> tuple[str, ...]:
        """What tells rows apart beside corpus, backbone and finetune_layers."""
        return tuple(self.rows[0].axes) if self.rows else ()

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks of its rows, each once."""
        return tuple(dict.fromkeys(row.task for row in self.rows))

    def rows_with_baselines(self) -> tuple[ReportRow | BaselineRow, ...]:
        """The rows of each corpus, followed by what guessing scores on it."""
        found: list[ReportRow | BaselineRow] = []
        for corpus in dict.fromkeys(row.corpus for row in self.rows):
            found += [row for row in self.rows if row.corpus == corpus]
            found += [row for row in self.baselines if row.corpus == corpus]
        return tuple(found)
