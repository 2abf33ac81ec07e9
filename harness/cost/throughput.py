"""Seconds of audio per second, for inference and for a training step, from waveform to logits."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Literal

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import Optimizer

from harness.audio import SAMPLE_RATE_HZ
from harness.heads.ser_model import SERModel
from harness.records.schema import CostPoint
from harness.training.fit import trainable
from harness.training.predict import evaluating

MAX_GRAD_NORM = 1.0


def measure_inference(
    model: SERModel, duration_s: float, batch_size: int, repeats: int, accelerator: Accelerator
) -> CostPoint:
    """Time the forward pass in eval mode."""
    waveforms, lengths, _ = example_batch(duration_s, batch_size, 1, accelerator.device)

    def step() -> None:
        with accelerator.autocast():
            model.logits(waveforms, lengths)

    with evaluating(model), torch.inference_mode():
        samples = timed(step, repeats, accelerator.device)
    return _point("infer", duration_s, batch_size, samples)


def measure_training(
    model: SERModel,
    loss: nn.Module,
    optimizer: Optimizer,
    classes: int,
    duration_s: float,
    batch_size: int,
    repeats: int,
    accelerator: Accelerator,
) -> CostPoint:
    """Time forward, backward, clipping and the optimiser step.

    One prepared optimizer serves all shapes: each holds two numbers for every trained one.
    """
    waveforms, lengths, labels = example_batch(duration_s, batch_size, classes, accelerator.device)
    model.train()

    def step() -> None:
        with accelerator.autocast():
            value = loss(model.logits(waveforms, lengths), labels)
        accelerator.backward(value)
        accelerator.clip_grad_norm_(trainable(model), MAX_GRAD_NORM)
        optimizer.step()
        optimizer.zero_grad()

    return _point("train", duration_s, batch_size, timed(step, repeats, accelerator.device))


def timed(step: Callable[[], None], repeats: int, device: torch.device) -> list[float]:
    """Wall seconds of each of `repeats` steps, after one warm-up step of the same shape."""
    samples = []
    step()
    for _ in range(repeats):
        synchronise(device)
        started = time.perf_counter()
        step()
        synchronise(device)
        samples.append(time.perf_counter() - started)
    return samples


def synchronise(device: torch.device) -> None:
    """Wait until the device has done everything asked of it so far."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def example_batch(
    duration_s: float, batch_size: int, classes: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Noise at speech level: the time of a forward pass does not depend on what is said.

    Shape:
        waveforms (B, S), lengths (B,), labels (B,)
    """
    samples = round(duration_s * SAMPLE_RATE_HZ)
    noise = torch.randn(batch_size, samples, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(batch_size) % classes
    lengths = torch.full((batch_size,), samples)
    return (0.1 * noise).to(device), lengths.to(device), labels.to(device)


def _point(
    mode: Literal["train", "infer"], duration_s: float, batch_size: int, samples: list[float]
) -> CostPoint:
    rate = duration_s * batch_size / median(samples)
    return CostPoint(
        mode=mode,
        duration_s=duration_s,
        batch_size=batch_size,
        samples_s=samples,
        audio_s_per_s=rate,
    )
