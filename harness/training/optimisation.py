"""The optimiser, its schedule, and the one optimiser step of the program."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from accelerate import Accelerator
from torch import nn
from torch.optim import AdamW, Optimizer

from harness.model.ser_model import SERModel
from harness.specs import TrainingSpec


def make_optimizer(model: SERModel, spec: TrainingSpec) -> AdamW:
    """AdamW with one rate for the head and one for released backbone layers.

    Biases and norms are not decayed.
    """
    released = [p for p in model.backbone.parameters() if p.requires_grad]
    groups = [
        {"params": parameters, "lr": rate, "weight_decay": decay}
        for tensors, rate in (
            (model.head_parameters(), spec.learning_rate.head),
            (released, spec.learning_rate.backbone),
        )
        for parameters, decay in (
            ([p for p in tensors if p.ndim > 1], spec.weight_decay),
            ([p for p in tensors if p.ndim <= 1], 0.0),
        )
        if parameters
    ]
    return AdamW(groups, fused=True)


EPOCHS = 30
LEAST_STEPS = 1000


def enough_epochs(steps_per_epoch: int) -> int:
    """How many epochs a fit has where a suite does not say.

    >>> enough_epochs(steps_per_epoch=56), enough_epochs(steps_per_epoch=10)
    (30, 100)
    """
    return max(EPOCHS, math.ceil(LEAST_STEPS / max(1, steps_per_epoch)))


def warmup_then_linear(steps: int, warmup_share: float) -> Callable[[int], float]:
    """Factor on the learning rates at each step: a linear rise, then a linear fall to 0.

    >>> factor = warmup_then_linear(steps=10, warmup_share=0.2)
    >>> [factor(step) for step in (0, 1, 2, 10)]
    [0.5, 1.0, 1.0, 0.0]
    """
    warmup = round(steps * warmup_share)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return max(0.0, (steps - step) / max(1, steps - warmup))

    return factor


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """The parameters that the optimiser changes."""
    return [p for p in model.parameters() if p.requires_grad]


def optimiser_step(
    accelerator: Accelerator,
    optimizer: Optimizer,
    parameters: Sequence[nn.Parameter],
    max_grad_norm: float,
) -> None:
    """Clip the gradients that are there, change the parameters, and clear the gradients.

    Training, cost measurements and the calibration of estimates all take this step. It goes round
    accelerate's own optimiser, whose look at the set-up costs a quarter of a small head's step.

    Args:
        accelerator: has the scale of the gradients where precision is fp16
        optimizer: of torch
        parameters: those whose common gradient norm is clipped
        max_grad_norm: what that norm is clipped to
    """
    scaler = accelerator.scaler
    if scaler is not None:
        scaler.unscale_(optimizer)
    _clip(parameters, max_grad_norm)
    if scaler is None:
        optimizer.step()
    else:
        scaler.step(optimizer)
        scaler.update()
    optimizer.zero_grad()


def _clip(parameters: Sequence[nn.Parameter], max_grad_norm: float) -> None:
    """As `clip_grad_norm_`, which on a CPU goes over gradients that need no clipping once more."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    # a GPU would have to be waited for
    if norm.device.type != "cpu" or not norm + _MARGIN <= max_grad_norm:
        nn.utils.clip_grads_with_norm_(parameters, max_grad_norm, norm)


_MARGIN = 1e-6
"""What torch adds to the norm that it divides by."""
