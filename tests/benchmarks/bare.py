"""The least that the matrix can take: one pass over the audio, and bare steps from its frames.

    python tests/benchmarks/bare.py SUITE.yaml

Measures in plain torch, in bfloat16 and on frames that lie in memory, what one batch costs: the
backbone's whole forward pass, and for each number of released layers a training step (those
layers, head, loss, optimiser) and the same forward alone. Prints one JSON object of medians.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
import yaml
from torch import Tensor, nn
from torch.optim import AdamW

import backbones
from backbones.base import Backbone, Frames
from harness.model.head import mlp_classifier
from harness.model.losses import WeightedCrossEntropy
from harness.model.pooling import AttentiveStatisticsPooling
from harness.training.devices import keep_freed_memory

SAMPLE_RATE_HZ = 16_000
UTTERANCE_S = 3
CLASSES = 4
WARM_UPS = 3
ROUNDS = 15


class Top(nn.Module):
    """The released layers of a backbone and a head on them, from stored frames to logits."""

    def __init__(self, backbone: Backbone, head: dict[str, Any]) -> None:
        super().__init__()
        self.backbone = backbone
        width = backbone.config.hidden_size
        self.pooling = AttentiveStatisticsPooling(width, width)
        self.classifier = mlp_classifier(
            self.pooling.output_dim,
            head["head_dim"],
            CLASSES,
            layers=head["head_layers"],
            dropout=head["dropout"],
        )

    def forward(self, frames: Frames) -> Tensor:
        depth, released = len(self.backbone.layers), self.backbone.finetune_layers
        if released:
            frames = self.backbone.finish(self.backbone.run(frames, depth - released, depth))
        logits: Tensor = self.classifier(self.pooling(frames.values, frames.mask()))
        return logits


@torch.no_grad()
def stored_frames(backbone: Backbone, waveforms: Tensor) -> Frames:
    """What lies below the released layers, in the precision in which the backbone gives it."""
    depth, released = len(backbone.layers), backbone.finetune_layers
    lengths = torch.full((len(waveforms),), waveforms.shape[1])
    with mixed():
        frames = backbone.run(backbone.stem(waveforms, lengths), 0, depth - released)
        return frames if released else backbone.finish(frames)


def mixed() -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16)


def median_s(step: Callable[[], object]) -> float:
    samples = []
    for turn in range(WARM_UPS + ROUNDS):
        started = time.perf_counter()
        step()
        if turn >= WARM_UPS:
            samples.append(time.perf_counter() - started)
    return median(samples)


def extraction_s(backbone: Backbone, waveforms: Tensor) -> float:
    """The whole forward pass over a batch of audio."""

    def forward() -> None:
        with torch.inference_mode(), mixed():
            backbone(waveforms)

    return median_s(forward)


def training_step_s(top: Top, frames: Frames, max_grad_norm: float) -> float:
    """One optimiser step on a batch of stored frames."""
    top.train()
    released = [parameter for parameter in top.parameters() if parameter.requires_grad]
    optimizer = AdamW(released, lr=1e-6, fused=True)
    loss = WeightedCrossEntropy([1] * CLASSES)
    labels = torch.arange(len(frames.lengths)) % CLASSES

    def step() -> None:
        with mixed():
            value = loss(top(frames), labels)
        value.backward()
        nn.utils.clip_grad_norm_(released, max_grad_norm)
        optimizer.step()
        optimizer.zero_grad()

    return median_s(step)


def scoring_s(top: Top, frames: Frames) -> float:
    """Logits of a batch of stored frames."""
    top.eval()

    def forward() -> None:
        with torch.inference_mode(), mixed():
            top(frames)

    return median_s(forward)


def measure(suite: dict[str, Any]) -> dict[str, Any]:
    """Seconds a batch; by finetune_layers where it depends on them."""
    keep_freed_memory()
    own = suite["backbones"][0]
    card = backbones.card_from_config(own["name"], own["kind"], own["source"])
    backbone = backbones.load(card, offline=True)
    rows = int(suite["training"]["batch_seconds"] // UTTERANCE_S)
    waveforms = 0.1 * torch.randn(rows, UTTERANCE_S * SAMPLE_RATE_HZ)
    found: dict[str, Any] = {
        "rows": rows,
        "extraction_s": extraction_s(backbone, waveforms),
        "step_s": {},
        "scoring_s": {},
    }
    for layers in suite["matrix"]["finetune_layers"]:
        frames = stored_frames(backbone.finetune(layers).eval(), waveforms)
        top = Top(backbone, suite["head"])
        found["step_s"][layers] = training_step_s(top, frames, suite["training"]["max_grad_norm"])
        found["scoring_s"][layers] = scoring_s(top, frames)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", type=Path, help="the YAML file")
    suite = yaml.safe_load(parser.parse_args().suite.read_text())
    print(json.dumps(measure(suite)))


if __name__ == "__main__":
    main()
