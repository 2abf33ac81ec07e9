"""What a further trial on a frozen backbone costs beside a first one, alone and in shared passes.

    pytest tests/benchmarks/test_side_by_side.py -s

It is why trials train side by side on a GPU only.
"""

import time
from collections.abc import Callable, Sequence
from statistics import median

import pytest
import torch
from accelerate import Accelerator
from tabulate import tabulate
from torch import Tensor, nn

import backbones
from backbones.base import Frames
from harness.model.building import build_model
from harness.model.ser_model import SERModel
from harness.specs import HeadSpec, TrainingSpec
from harness.training.devices import make_accelerator
from harness.training.gradients import GradientPasses, GradientRequest
from harness.training.optimisation import make_optimizer, optimiser_step, trainable

TRIALS = 8
ROWS, FRAMES = 8, 149  # 8 utterances of 3 s
ROUNDS = 15
LABELS = torch.arange(ROWS) % 4
HEADS = {
    "attention over all frames": (HeadSpec(), FRAMES),
    "the mean alone": (HeadSpec(pooling="mean"), 1),
}


def models(head: HeadSpec, count: int) -> list[SERModel]:
    backbone = backbones.load("wavlm-base", init="random")
    return [build_model(backbone, head, 4, 0, seed).train() for seed in range(count)]


def median_s(step: Callable[[], object]) -> float:
    samples = []
    for turn in range(ROUNDS + 3):
        started = time.perf_counter()
        step()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        if turn >= 3:
            samples.append(time.perf_counter() - started)
    return median(samples)


def steps(
    chosen: Sequence[SERModel], frames: int, accelerator: Accelerator, together: bool
) -> Callable[[], None]:
    """One optimiser step of every model."""
    device = accelerator.device
    values = torch.randn(ROWS, frames, 768, device=device)
    states = (Frames(values, torch.full((ROWS,), frames, device=device)),)
    labels = LABELS.to(device)
    optimizers, passes = [], GradientPasses(accelerator)
    for model in chosen:
        model.to(device)
        optimizers.append(make_optimizer(model, TrainingSpec()))

    def loss(logits: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits, labels)

    def step() -> None:
        requests = [GradientRequest(model, states, loss) for model in chosen]
        for batch in [requests] if together else [[request] for request in requests]:
            passes.add(batch)
        for model, optimizer in zip(chosen, optimizers, strict=True):
            optimiser_step(accelerator, optimizer, trainable(model), 1.0)

    return step


def further_share(head: HeadSpec, frames: int, accelerator: Accelerator) -> tuple[float, float]:
    """What each further trial costs, as a share of the first: one by one, and together."""
    chosen = models(head, TRIALS)
    first_s = median_s(steps(chosen[:1], frames, accelerator, together=False))
    alone, shared = (
        (median_s(steps(chosen, frames, accelerator, together)) / first_s - 1) / (TRIALS - 1)
        for together in (False, True)
    )
    return alone, shared


@pytest.fixture(scope="module")
def shares() -> dict[str, tuple[float, float]]:
    accelerator = make_accelerator("auto", "auto")
    found = {name: further_share(*of, accelerator) for name, of in HEADS.items()}
    rows = [[name, f"{alone:.0%}", f"{shared:.0%}"] for name, (alone, shared) in found.items()]
    headers = [f"each further trial, {accelerator.device.type}", "one by one", "side by side"]
    print(f"\n\n{tabulate(rows, headers)}\n")
    return found


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("head", HEADS)
def test_on_a_gpu_a_further_trial_costs_little(
    head: str, shares: dict[str, tuple[float, float]]
) -> None:
    assert shares[head][1] < 0.15


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("head", HEADS)
def test_on_a_cpu_nothing_is_lost_by_training_one_by_one(
    head: str, shares: dict[str, tuple[float, float]]
) -> None:
    alone, shared = shares[head]
    assert alone < 1.2 * shared
