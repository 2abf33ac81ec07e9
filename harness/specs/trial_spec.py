"""What a trial is, and a measurement of costs."""

from __future__ import annotations

from typing import Any

from harness.files import content_digest
from harness.specs.data_specs import BackboneSpec, CorpusSpec, ProtocolSpec
from harness.specs.spec_base import FinetuneLayers, FrozenMode, PositiveInt, Precision, Seed, Spec
from harness.specs.suite_spec import CostSpec
from harness.specs.training_specs import PROBES, HeadSpec, TrainingSpec

TRIAL_ID_LENGTH = 12


class Axes(Spec):
    """What the matrix of a suite can vary."""

    finetune_layers: FinetuneLayers = 0
    loss: str = "weighted_cross_entropy"
    seed: Seed = 1
    head: HeadSpec = HeadSpec()
    training: TrainingSpec = TrainingSpec()


_NOT_INTENT = {
    "corpus": {"root", "manifest"},
    "backbone": {"source"},
    "protocol": {"only_folds"},
    "training": {"time_limit_s", "checkpoint_s"},
}


class Trial(Axes):
    """One run of the matrix; everything that decides its outcome, and nothing else."""

    corpus: CorpusSpec
    protocol: ProtocolSpec
    fold: PositiveInt
    backbone: BackboneSpec
    limit_utterances: PositiveInt | None = None
    task: str = "classification"
    choose: dict[str, tuple[Any, ...]] = {}
    """Axis -> values among which dev chooses; `head` and `training` have the first of each."""

    @property
    def trial_id(self) -> str:
        """Hash of the intent: the same wherever the corpus lies and in whatever suite.

        Folders of this machine and which other folds run beside it are left out; that weights,
        recordings and labels are still the same is told by the digests in the record.
        """
        # without defaults, a setting that a later version adds leaves the ids of today as they are
        content = self.model_dump(mode="json", exclude_defaults=True, exclude=_NOT_INTENT)
        stated = {part: value for part, value in content.items() if value != {}}
        return content_digest(stated)[:TRIAL_ID_LENGTH]

    def settings(self) -> dict[str, Any]:
        """All that decides the outcome, defaults included: `trial_id` leaves those out."""
        return self.model_dump(mode="json", exclude=_NOT_INTENT)

    def describe(self) -> str:
        """One short line; `harness.config.trial_names` tells a trial from others of its plan."""
        return (
            f"{self.corpus.name} fold {self.fold} · {self.backbone.name} · "
            f"{self.finetune_layers} layers · {self.loss} · seed {self.seed}"
            f"{f' · {self.head.kind}' if self.head.kind in PROBES else ''}"
        )


class CostTrial(Spec):
    """One backbone × finetune_layers whose cost is to be measured, and how it is used."""

    backbone: BackboneSpec
    finetune_layers: FinetuneLayers
    head: HeadSpec
    precision: Precision
    frozen_mode: FrozenMode
    cost: CostSpec

    @classmethod
    def of(cls, trial: Trial, cost: CostSpec) -> CostTrial:
        """What a trial costs depends on: neither its data nor its loss, rates or seed."""
        return cls(
            backbone=trial.backbone,
            finetune_layers=trial.finetune_layers,
            head=trial.head,
            precision=trial.training.precision,
            frozen_mode=trial.training.frozen_mode,
            cost=cost,
        )

    def describe(self) -> str:
        """For people."""
        return f"{self.backbone.name} · {self.finetune_layers} layers"

    def cost_id(self, device_name: str) -> str:
        """Hash of what is measured and on which processor or GPU."""
        content = {"trial": self.model_dump(mode="json"), "machine": device_name}
        return content_digest(content)[:TRIAL_ID_LENGTH]
