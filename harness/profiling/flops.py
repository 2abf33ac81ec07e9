"""How much steps compute, counted by torch as they do it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from harness.profiling.profiled_model import ProfiledModel, prepared_step
from harness.profiling.timing import Workload
from harness.results.records import Mode


def count_flops(step: Callable[[], object]) -> int:
    """FLOPs of all matrix products and convolutions in a step.

    Attention is counted as the products that it consists of, since torch's counter does not know
    the fused kernel of a CPU. What works on each number by itself, such as a norm, is not counted.
    """
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        step()
    return int(counter.get_total_flops())


def flops_per_audio_s(profiled: ProfiledModel, workloads: list[Workload]) -> dict[Workload, float]:
    """FLOPs per second of audio under each workload, counted on one utterance.

    The rows of a batch cost alike, and decoding multiplies no matrices.
    """

    @cache
    def counted(mode: Mode, duration_s: float) -> float:
        with prepared_step(profiled, mode, duration_s, 1) as step:
            return count_flops(step) / duration_s

    return {
        (mode, duration_s, size): counted("infer" if mode == "infer" else "train", duration_s)
        for mode, duration_s, size in workloads
    }
