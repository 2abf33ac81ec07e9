"""Ours against the plain libraries, side by side in one process.

    pytest tests/benchmarks -s

Wants an idle machine. Every ratio is of medians over rounds in which the variants take turns.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
import torch
from transformers import WavLMConfig, WavLMModel

from backbones import BACKBONES, load
from harness.training.devices import cpu_has_fast_bfloat16

ROUNDS = 5
SIXTY_SECONDS = 60 * 16_000


def medians_s(variants: dict[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, float]:
    """Median seconds of each variant; they take turns, after one warm-up each."""
    samples: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(rounds + 1):
        for name, step in variants.items():
            started = time.perf_counter()
            step()
            if turn:
                samples[name].append(time.perf_counter() - started)
    return {name: median(values) for name, values in samples.items()}


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # of transformers
@pytest.mark.skipif(not cpu_has_fast_bfloat16(), reason="this processor has no fast bfloat16")
def test_wavlm_base_is_2_2_times_as_fast_in_bf16_and_no_slower_in_float32(benchmark: Any) -> None:
    ours = load("wavlm-base", init="random")
    architecture = dict(BACKBONES["wavlm-base"].architecture)
    torch.manual_seed(0)
    plain = WavLMModel(WavLMConfig.from_dict(architecture)).eval()
    waveforms = 0.1 * torch.randn(8, 3 * 16_000)
    mask = torch.ones(8, 3 * 16_000, dtype=torch.long)

    def mixed() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            ours(waveforms, mask)

    with torch.inference_mode():
        found = medians_s(
            {
                "transformers float32": lambda: plain(waveforms, attention_mask=mask),
                "ours float32": lambda: ours(waveforms, mask),
                "ours bf16": mixed,
            }
        )
        benchmark.pedantic(mixed, rounds=1)
    base = found["transformers float32"]
    for name, seconds in found.items():
        print(f"\nWavLM base, 8 × 3 s, {name}: {seconds:.2f} s, {base / seconds:.2f} ×", end="")
        benchmark.extra_info[name] = seconds
    assert base / found["ours bf16"] >= 2.2
    assert base / found["ours float32"] >= 0.95


OURS = """
from backbones import load
net = load("emotion2vec_base", init="random")
step = lambda: net(waveform)
"""

FUNASR = """
from backbones import BACKBONES
from backbones.families.emotion2vec.emotion2vec_network import _without_decoder
from backbones.families.emotion2vec.funasr_import import emotion2vec_class, process_state_kept
with process_state_kept():
    net = emotion2vec_class()(
        model_conf=_without_decoder(dict(BACKBONES["emotion2vec_base"].architecture))
    ).eval()
step = lambda: net.extract_features(waveform, padding_mask=None, mask=False)
"""

RISE = """
import torch
from harness.profiling.memory import peak_rss
torch.manual_seed(0)
waveform = torch.randn(1, {samples})
{setup}
with torch.inference_mode():
    short, waveform = waveform, waveform[:, :16_000]
    step()
    waveform, before = short, peak_rss().bytes
    step()
print(peak_rss().bytes - before)
"""


def memory_rise_bytes(setup: str) -> int:
    """How far the peak of a fresh process rises with one utterance of a minute."""
    code = RISE.format(samples=SIXTY_SECONDS, setup=setup)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(run.stdout.split()[-1])


def test_a_minute_takes_emotion2vec_half_the_memory_of_funasr(benchmark: Any) -> None:
    ours = benchmark.pedantic(memory_rise_bytes, args=(OURS,), rounds=1)
    theirs = memory_rise_bytes(FUNASR)
    benchmark.extra_info.update(ours_bytes=ours, funasr_bytes=theirs)
    print(f"\nemotion2vec base, 60 s: {ours / 1e9:.2f} GB, FunASR {theirs / 1e9:.2f} GB", end="")
    assert ours <= theirs / 2
