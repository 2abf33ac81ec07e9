"""The matrix as people write it today: eager transformers, a full forward pass in every step.

    python tests/benchmarks/plain.py SUITE.yaml --epochs 2 --seeds 1

One trial after another, in float32, with no early stopping. It reads the suite that `harness run`
reads, so that hyperparameters, first weights, batches and steps are the same, and prints one
JSON object.
"""

import argparse
import csv
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Self

import soundfile
import torch
import yaml
from sklearn.metrics import balanced_accuracy_score
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from transformers import WavLMModel

from harness.data.batches import bucketed
from harness.model.head import mlp_classifier
from harness.model.losses import WeightedCrossEntropy
from harness.model.pooling import AttentiveStatisticsPooling

SAMPLING_S = 0.05


@dataclass(frozen=True)
class Split:
    """Recordings of one split, with class numbers and lengths."""

    files: list[Path]
    labels: list[int]
    durations_s: list[float]

    def load(self, indices: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Padded waveforms (B, S), their mask (B, S), and class numbers (B,)."""
        waves = [
            torch.from_numpy(soundfile.read(self.files[index], dtype="float32")[0])
            for index in indices
        ]
        lengths = torch.tensor([len(wave) for wave in waves])
        waveforms = pad_sequence(waves, batch_first=True)
        mask = (torch.arange(waveforms.shape[1]) < lengths[:, None]).long()
        return waveforms, mask, torch.tensor([self.labels[index] for index in indices])


def read_splits(root: Path) -> dict[str, Split]:
    """The splits that a manifest names, each in the order of its files."""
    with (root / "manifest.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["file"])
    numbers = {label: n for n, label in enumerate(sorted({row["label"] for row in rows}))}
    splits: dict[str, Split] = {}
    for row in rows:
        split = splits.setdefault(row["split"], Split([], [], []))
        split.files.append(root / row["file"])
        split.labels.append(numbers[row["label"]])
        split.durations_s.append(soundfile.info(root / row["file"]).duration)
    return splits


class SpeechClassifier(nn.Module):
    """WavLM with its top layers released, attentive statistics and an MLP."""

    def __init__(
        self, folder: str, released: int, head: dict[str, Any], classes: int, seed: int
    ) -> None:
        super().__init__()
        backbone: Any = WavLMModel.from_pretrained(folder, layerdrop=0.0, apply_spec_augment=False)
        backbone.freeze_feature_encoder()
        backbone.requires_grad_(False)
        self.backbone = backbone
        layers = backbone.encoder.layers
        self.released = layers[len(layers) - released :]
        self.released.requires_grad_(True)
        width = backbone.config.hidden_size
        torch.manual_seed(seed)  # now, since loading draws numbers too
        self.pooling = AttentiveStatisticsPooling(width, width)
        self.classifier = mlp_classifier(
            self.pooling.output_dim,
            head["head_dim"],
            classes,
            layers=head["head_layers"],
            dropout=head["dropout"],
        )

    def train(self, mode: bool = True) -> Self:
        # LayerDrop, SpecAugment and dropout stay off in what is frozen, so that both sides
        # train the same network; released layers have their usual dropout
        super().train(mode)
        self.backbone.eval()
        self.released.train(mode)
        return self

    def forward(self, waveforms: Tensor, mask: Tensor) -> Tensor:
        with torch.set_grad_enabled(len(self.released) > 0 and torch.is_grad_enabled()):
            frames = self.backbone(waveforms, attention_mask=mask).last_hidden_state
        real = self.backbone._get_feature_vector_attention_mask(frames.shape[1], mask)
        logits: Tensor = self.classifier(self.pooling(frames, real))
        return logits

    def trained(self) -> dict[str, Tensor]:
        """Copies of what training changes."""
        return {
            name: parameter.detach().clone()
            for name, parameter in self.named_parameters()
            if parameter.requires_grad
        }


def make_optimizer(model: SpeechClassifier, training: dict[str, Any]) -> AdamW:
    """AdamW with one rate for the head and one for the backbone; no decay of biases and norms."""
    rates, decay = training["learning_rate"], training["weight_decay"]
    head = [*model.pooling.parameters(), *model.classifier.parameters()]
    groups = [
        {
            "params": [p for p in parameters if (p.ndim > 1) == is_matrix],
            "lr": rate,
            "weight_decay": decay if is_matrix else 0.0,
        }
        for parameters, rate in (
            (head, rates["head"]),
            (list(model.released.parameters()), rates["backbone"]),
        )
        for is_matrix in (True, False)
    ]
    return AdamW(groups)


def warmup_then_linear(optimizer: AdamW, steps: int, warmup_share: float) -> LambdaLR:
    warmup = max(1, round(steps * warmup_share))
    return LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, (steps - step) / (steps - warmup))
    )


def train_epoch(
    model: SpeechClassifier,
    loss: nn.Module,
    train: Split,
    plan: list[list[int]],
    optimizer: AdamW,
    schedule: LambdaLR,
    max_grad_norm: float,
) -> None:
    model.train()
    for indices in plan:
        waveforms, mask, labels = train.load(indices)
        loss(model(waveforms, mask), labels).backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()


@torch.no_grad()
def uar(model: SpeechClassifier, split: Split, batch_seconds: float) -> float:
    model.eval()
    true: list[int] = []
    guessed: list[int] = []
    for indices in bucketed(split.durations_s, batch_seconds):
        waveforms, mask, labels = split.load(indices)
        guessed += model(waveforms, mask).argmax(1).tolist()
        true += labels.tolist()
    return float(balanced_accuracy_score(true, guessed))


def run_trial(
    suite: dict[str, Any], splits: dict[str, Split], released: int, seed: int, epochs: int
) -> dict[str, Any]:
    """Train for the first `epochs` of the suite's epochs, score on dev after each, then test."""
    training = suite["training"]
    batch_seconds = training["batch_seconds"]
    clock = Stopwatch()
    train = splits["train"]
    counts = [train.labels.count(label) for label in sorted(set(train.labels))]
    source = suite["backbones"][0]["source"]
    model = SpeechClassifier(source, released, suite["head"], len(counts), seed)
    loss = WeightedCrossEntropy(counts)
    plans = [
        bucketed(train.durations_s, batch_seconds, (seed, epoch))
        for epoch in range(1, training["epochs"] + 1)
    ]
    optimizer = make_optimizer(model, training)
    steps = sum(map(len, plans))
    schedule = warmup_then_linear(optimizer, steps, training["warmup_share"])
    load_s = clock.lap_s()
    train_s, dev_s = [], []
    best_uar, best = -1.0, model.trained()
    for plan in plans[:epochs]:
        train_epoch(model, loss, train, plan, optimizer, schedule, training["max_grad_norm"])
        train_s.append(clock.lap_s())
        dev_uar = uar(model, splits["dev"], batch_seconds)
        if dev_uar > best_uar:
            best_uar, best = dev_uar, model.trained()
        dev_s.append(clock.lap_s())
    model.load_state_dict(best, strict=False)
    test_uar = uar(model, splits["test"], batch_seconds)
    return {
        "finetune_layers": released,
        "seed": seed,
        "steps": steps,
        "load_s": load_s,
        "train_s": train_s,
        "dev_s": dev_s,
        "test_s": clock.lap_s(),
        "test_uar": test_uar if epochs >= training["epochs"] else None,
    }


class Stopwatch:
    """Seconds from one lap to the next."""

    def __init__(self) -> None:
        self.started = time.perf_counter()

    def lap_s(self) -> float:
        before, self.started = self.started, time.perf_counter()
        return self.started - before


class AnonymousMemory(Thread):
    """Watches this process's anonymous memory from the side."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0

    def run(self) -> None:
        while True:
            status = Path("/proc/self/status").read_text()
            found = re.search(r"RssAnon:\s+(\d+) kB", status)
            self.peak_bytes = max(self.peak_bytes, int(found[1]) * 1024 if found else 0)
            time.sleep(SAMPLING_S)


def trials(suite: dict[str, Any], seeds: list[int], epochs: int) -> Iterator[dict[str, Any]]:
    splits = read_splits(Path(suite["corpora"][0]["root"]))
    for released in suite["matrix"]["finetune_layers"]:
        for seed in seeds:
            yield run_trial(suite, splits, released, seed, epochs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", type=Path, help="the YAML file")
    parser.add_argument("--epochs", type=int, help="how many to run; the suite's if left out")
    parser.add_argument(
        "--seeds", type=int, nargs="+", help="which to run; the suite's if left out"
    )
    arguments = parser.parse_args()
    memory = AnonymousMemory()
    memory.start()
    suite = yaml.safe_load(arguments.suite.read_text())
    seeds = arguments.seeds or suite["matrix"]["seed"]
    done = list(trials(suite, seeds, arguments.epochs or suite["training"]["epochs"]))
    print(json.dumps({"trials": done, "peak_anonymous_bytes": memory.peak_bytes}))


if __name__ == "__main__":
    main()
