"""A short calibration: how fast this machine computes the components of a network.

Each component, at its own size, is timed on one utterance and on as many as keep the machine busy
for a moment; a linear fit through the two gives the cost of a batch and of a FLOP. The components
are a stem, one frozen layer, one released layer in a training step, and a head in either way.

Left out are the loss and the scores, the decoding of audio and the reading of frames where they
do not keep up, and how busy other processes are later on. Next to a network of a usual size all
but the last is little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from threading import Barrier

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import AdamW

from backbones.base import Backbone, Frames
from harness.cache.frame_views import FrameView
from harness.data.audio import SAMPLE_RATE_HZ
from harness.data.batches import DECODING_THREADS
from harness.model.ser_model import SERModel
from harness.profiling.estimation.work import BackboneWork, Work, noise
from harness.profiling.profiled_model import MAX_GRAD_NORM, Step, frame_count
from harness.profiling.timing import timed
from harness.training.optimisation import optimiser_step, trainable

BUSY_S = 0.1
MIN_REPEATS = 3
MAX_REPEATS = 7


@dataclass(frozen=True)
class LinearCost:
    """Seconds that a batch takes: some in any case, and some for each FLOP."""

    fixed_s: float = 0.0
    per_flop_s: float = 0.0

    def seconds(self, flops: float) -> float:
        """Of a batch with so much work.

        >>> LinearCost(fixed_s=0.5, per_flop_s=0.1).seconds(10)
        1.5
        """
        return self.fixed_s + self.per_flop_s * flops

    @classmethod
    def through(cls, small: tuple[float, float], large: tuple[float, float]) -> LinearCost:
        """From two batches, each with its FLOPs and seconds; nothing takes less than no time.

        >>> LinearCost.through((10.0, 3.0), (20.0, 5.0))
        LinearCost(fixed_s=1.0, per_flop_s=0.2)
        >>> LinearCost.through((10.0, 1.0), (20.0, 4.0))
        LinearCost(fixed_s=0.0, per_flop_s=0.2)
        """
        (few, shorter_s), (many, longer_s) = small, large
        if few == many:
            return cls(0.0, longer_s / many)
        per_flop_s = max(0.0, longer_s - shorter_s) / (many - few)
        fixed_s = longer_s - per_flop_s * many
        return cls(fixed_s, per_flop_s) if fixed_s >= 0 else cls(0.0, longer_s / many)


@dataclass(frozen=True)
class BackboneSpeed:
    """How fast the components of a backbone are."""

    stem: LinearCost
    layer: LinearCost
    released: LinearCost
    """A layer forward, backward and in the optimiser's step, by its FLOPs forward."""


@dataclass(frozen=True)
class HeadSpeed:
    """How fast a head is, by its FLOPs forward."""

    infer: LinearCost
    train: LinearCost


@dataclass(frozen=True)
class CalibrationBatch:
    """The largest batch to time with: how many utterances, of which length."""

    seconds: float
    rows: int


def backbone_speed(
    backbone: Backbone, work: BackboneWork, largest: CalibrationBatch, accelerator: Accelerator
) -> BackboneSpeed:
    """Time a backbone's stem and one of its layers, frozen and released."""
    device, width = accelerator.device, backbone.config.hidden_size
    samples = torch.tensor([round(largest.seconds * SAMPLE_RATE_HZ)])
    audio_frames = frame_count(backbone, largest.seconds)
    frames = audio_frames + work.extra_tokens

    def stem(rows: int) -> Step:
        waveforms = 0.1 * torch.randn(rows, int(samples), device=device)
        lengths = samples.expand(rows).to(device)
        return _inference(lambda: backbone.stem(waveforms, lengths), accelerator)

    def layer(rows: int) -> Step:
        states = noise(rows, frames, width, device)
        return _inference(lambda: backbone.run(states, 0, 1), accelerator)

    def released(rows: int) -> Step:
        states = noise(rows, frames, width, device)
        states.values.requires_grad_()
        backbone.finetune(1).train()
        return _training(
            lambda: backbone.run(states, work.layers - 1, work.layers).values, backbone, accelerator
        )

    stem_cost = _linear_cost(stem, work.stem.flops(audio_frames), largest.rows, device)
    if not work.layers:
        return BackboneSpeed(stem_cost, LinearCost(), LinearCost())
    flops = work.layer.flops(frames)
    layer_cost = _linear_cost(layer, flops, largest.rows, device)
    released_cost = _linear_cost(released, flops, largest.rows, device)
    backbone.finetune(0).eval()
    return BackboneSpeed(stem_cost, layer_cost, released_cost)


def head_speed(
    model: SERModel,
    work: Work,
    view: FrameView,
    largest: CalibrationBatch,
    accelerator: Accelerator,
) -> HeadSpeed:
    """Time the head on a frozen backbone, on frames of a view."""
    device, width = accelerator.device, model.backbone.config.hidden_size
    frames = view.rows(frame_count(model.backbone, largest.seconds))

    def states(rows: int) -> list[Frames]:
        return [noise(rows, frames, width, device) for _ in model.depths]

    def infer(rows: int) -> Step:
        batch = states(rows)
        return _inference(lambda: model.suffix(batch), accelerator)

    def train(rows: int) -> Step:
        batch = states(rows)
        return _training(lambda: model.suffix(batch), model.train(), accelerator)

    flops = work.flops(frames)
    infer_cost = _linear_cost(infer, flops, largest.rows, device)
    train_cost = _linear_cost(train, flops, largest.rows, device)
    model.eval()
    return HeadSpeed(infer_cost, train_cost)


def _linear_cost(
    batch: Callable[[int], Step], flops: float, most_rows: int, device: torch.device
) -> LinearCost:
    one_s = _median_s(batch(1), device)
    rows = min(most_rows, max(2, round(BUSY_S / one_s)))
    many_s = _median_s(batch(rows), device)
    return LinearCost.through((flops, one_s), (rows * flops, many_s))


def _median_s(step: Step, device: torch.device) -> float:
    """Seconds of a step, the median of several; a short one is repeated more often."""
    (first_s,) = timed(step, 1, device)
    repeats = min(MAX_REPEATS, max(MIN_REPEATS, round(BUSY_S / first_s)))
    return median(timed(step, repeats, device))


def _inference(forward: Callable[[], object], accelerator: Accelerator) -> Step:
    def step() -> None:
        with torch.inference_mode(), accelerator.autocast():
            forward()

    return step


def _training(forward: Callable[[], Tensor], module: nn.Module, accelerator: Accelerator) -> Step:
    """Forward, backward, clipping and the optimiser's step, as in a fit."""
    parameters = trainable(module)
    optimizer = AdamW(parameters, lr=1e-9, fused=True)

    def step() -> None:
        with accelerator.autocast():
            output = forward()
        accelerator.backward(output.float().square().mean())
        optimiser_step(accelerator, optimizer, parameters, MAX_GRAD_NORM)

    return step


LARGE = 1 << 20  # numbers, so many that torch shares them out among its own threads


@contextmanager
def gathering_threads() -> Iterator[None]:
    """Idle threads that have computed once, as those that gather a run's batches.

    OpenMP counts them: with more threads than cores it no longer lets one spin while it waits for
    another. Where all cores are taken, spinning makes each product some milliseconds slower, and
    where they are free some microseconds faster; neither is what a run sees.
    """
    together = Barrier(DECODING_THREADS)

    def compute(_: int) -> None:
        torch.ones(LARGE).mul_(2.0)
        together.wait()  # so that one thread does not do it for all

    with ThreadPoolExecutor(DECODING_THREADS, thread_name_prefix="gather") as pool:
        list(pool.map(compute, range(DECODING_THREADS)))
        yield
