"""All pins, and the versions of what they pin."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from backbones.families import FAMILIES
from harness.data.corpora import CORPORA
from harness.model.components import LOSSES, POOLINGS
from harness.results.versions import VERSIONS
from harness.tasks import TASKS
from pins import data_pins, model_pins, task_pins
from pins.pin import Pin

PINS: Mapping[str, Pin] = {**data_pins.PINS, **model_pins.PINS, **task_pins.PINS}

TOLERANCES = {"backbone": 2e-4, "training": 2e-4, "frames": 2e-4, "head": 1e-4, "evaluation": 2e-4}
"""Of float32 products, which differ between processors; by component or its kind."""


def tolerance(component: str) -> float:
    return TOLERANCES.get(component.partition(".")[0], 2e-5)


def versions() -> dict[str, int]:
    """Every component's declared version."""
    return {
        **VERSIONS,
        **{f"reader.{name}": card.version for name, card in CORPORA.items()},
        **{f"pooling.{name}": part.version for name, part in POOLINGS.items()},
        **{f"loss.{name}": part.version for name, part in LOSSES.items()},
        **{f"task.{name}": card.version for name, card in TASKS.items()},
        **{f"backbone.{name}": family.version for name, family in FAMILIES.items()},
    }


def prepared() -> None:
    """The same random numbers for every pin."""
    torch.manual_seed(0)
