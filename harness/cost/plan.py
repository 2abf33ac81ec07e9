"""Which costs a suite needs measured. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

from harness.files import content_digest
from harness.suite.schema import (
    TRIAL_ID_LENGTH,
    BackboneSpec,
    CostSpec,
    FinetuneLayers,
    HeadSpec,
    Spec,
    TrainingSpec,
    Trial,
)


class CostTrial(Spec):
    """One backbone × finetune_layers whose cost is to be measured."""

    backbone: BackboneSpec
    finetune_layers: FinetuneLayers
    head: HeadSpec
    training: TrainingSpec
    cost: CostSpec

    def cost_id(self, machine: str) -> str:
        """Hash of what is measured and on which kind of machine."""
        content = self.model_dump(mode="json", exclude={"training"})
        content |= {"precision": self.training.precision, "machine": machine}
        return content_digest(content)[:TRIAL_ID_LENGTH]


def cost_trials(trials: Iterable[Trial], cost: CostSpec | None) -> tuple[CostTrial, ...]:
    """One measurement per backbone × finetune_layers, with the first head that uses it."""
    if cost is None:
        return ()
    found: dict[tuple[BackboneSpec, FinetuneLayers], CostTrial] = {}
    for trial in trials:
        key = (trial.backbone, trial.finetune_layers)
        if key not in found:
            found[key] = CostTrial(
                backbone=trial.backbone,
                finetune_layers=trial.finetune_layers,
                head=trial.head,
                training=trial.training,
                cost=cost,
            )
    return tuple(found.values())
