"""Pins of networks and of what is trained: backbones, heads, losses, the fit, scores and costs."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from made_up import make_cost
from running import result_of, to_the_end
from torch import Tensor, nn

from backbones import BACKBONES, BackboneCard
from backbones.base import Backbone, Frames
from backbones.families.w2v_bert.w2v_bert_cards import w2v_bert_architecture
from backbones.families.whisper.whisper_cards import whisper_architecture
from backbones.loading import load
from harness.cache.extraction import extract, extraction_passes
from harness.cache.frame_store import FrameKey, FrameStore
from harness.cache.frame_summaries import summarise
from harness.cache.frame_views import FrameView, frame_views, keeps_frames, stored_dtype
from harness.data.batches import LabelledSplit
from harness.data.utterances import Utterance
from harness.model.building import build_model
from harness.model.components import LOSSES, POOLINGS
from harness.model.ser_model import SERModel
from harness.model.stream_dropout import StreamDropout, seed_dropout
from harness.profiling.flops import count_flops
from harness.profiling.measurement_rounds import instability, pooled
from harness.profiling.profiled_model import frame_count
from harness.profiling.timing import workloads_of
from harness.specs import (
    BackboneSpec,
    CorpusSpec,
    CostSpec,
    EarlyStoppingSpec,
    HeadSpec,
    ProtocolSpec,
    TrainingSpec,
    Trial,
)
from harness.tasks import TASKS
from harness.training.devices import make_accelerator
from harness.training.early_stopping import EarlyStopping
from harness.training.fit import fit
from harness.training.fit_driver import run_fits
from harness.training.fit_inputs import AudioInputs
from harness.training.optimisation import make_optimizer, optimiser_step, warmup_then_linear
from harness.training.prediction import predict
from pins.data_pins import write

TINY = BACKBONES["tiny-wavlm"]
CARDS = {
    "wavlm": TINY,
    **{
        family: replace(TINY, name=f"tiny-{family}", family=family)
        for family in ("hubert", "wav2vec2", "unispeech-sat")
    },
    "data2vec": replace(
        TINY, name="tiny-data2vec", family="data2vec",
        architecture=TINY.architecture
        | {"num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 5},
    ),
    "whisper": BackboneCard(
        "tiny-whisper", "whisper", 64, 2, always_random=True,
        architecture=whisper_architecture(64, 2)
        | {"encoder_attention_heads": 4, "max_source_positions": 50},
    ),
    "w2v-bert": BackboneCard(
        "tiny-w2v-bert", "w2v-bert", 64, 3, always_random=True,
        architecture=w2v_bert_architecture(64, 3, 4),
    ),
    "emotion2vec": BACKBONES["tiny-emotion2vec"],
    "logmel": BACKBONES["logmel"],
}  # fmt: skip


def waves(*seconds: float) -> tuple[Tensor, Tensor]:
    """Padded tones with a little noise of a fixed formula, and their lengths."""
    lengths = torch.tensor([round(16_000 * value) for value in seconds])
    time = torch.arange(int(lengths.max()), dtype=torch.float64) / 16_000
    rows = [
        0.3 * torch.sin(2 * torch.pi * (150 + 70 * row) * time * (1 + 0.2 * time))
        + 0.05 * torch.sin(2 * torch.pi * 2900 * time + row)
        for row in range(len(seconds))
    ]
    waveforms = torch.stack(rows).float()
    for row, length in zip(waveforms, lengths, strict=True):
        row[int(length) :] = 0
    return waveforms, lengths


def frames(rows: int = 3, length: int = 7, dims: int = 6) -> tuple[Tensor, Tensor]:
    """Values (B, F, D) of a formula, and the mask of rows of other lengths."""
    position = torch.arange(rows * length * dims, dtype=torch.float64)
    values = torch.sin(position * 0.7) * (1 + position % 5) + 0.3
    mask = torch.arange(length)[None] < torch.tensor([[length], [length - 3], [1]])[:rows]
    return values.view(rows, length, dims).float(), mask


def with_biases(backbone: Backbone) -> Backbone:
    """Biases and gains of a formula, as fresh ones are 0 and 1 and would hide mistakes."""
    with torch.no_grad():
        for number, (_, tensor) in enumerate(sorted(backbone.named_parameters())):
            if tensor.ndim == 1:
                tensor += 0.1 * torch.sin(torch.arange(len(tensor)) + number)
    return backbone


def ends(found: Frames) -> tuple[Tensor, Tensor]:
    """Some numbers of the first and the last frames of the third row."""
    row = found.values[2, : int(found.lengths[2])]
    return row[:3, ::11], row[-3:, ::11]


def backbone_pin(name: str) -> Any:
    def pin(folder: Path) -> Any:
        backbone = with_biases(load(CARDS[name]))
        waveforms, lengths = waves(1.3, 0.8, 0.31)
        depths = range(len(backbone.layers) + 1)
        states = backbone.states(waveforms, lengths, depths)
        silent = backbone.states(torch.zeros(1, 8000), torch.tensor([8000]), [0])
        counted = [1, 201, 399, 400, 401, 559, 560, 719, 720, 16_000, 16_159, 47_999, 90_000]
        backbone.finetune(1 if len(backbone.layers) else 0)
        return {
            "states": {
                depth: [found.lengths, found.values[0, ::9, ::7], *ends(found)]
                for depth, found in states.items()
            },
            "silence": silent[0].values[0, ::5, ::9],
            "frames": backbone.frame_lengths(torch.tensor(counted)).clamp(min=0),
            "minimum": backbone.minimum_samples,
            "extra": backbone.num_extra_tokens,
            "released": sorted(n for n, p in backbone.named_parameters() if p.requires_grad),
            "parameters": [backbone.total_parameters(), backbone.trainable_parameters()],
        }

    return pin


def pooling_pin(name: str) -> Any:
    def pin(folder: Path) -> Any:
        torch.manual_seed(3)
        pooling = POOLINGS[name].load()(6, 4)
        for parameter in pooling.parameters():
            torch.nn.init.normal_(parameter)  # where attention begins, all frames weigh the same
        values, mask = frames()
        spoiled = values.masked_fill(~mask[..., None], 1e4)
        still = torch.full((1, 4, 6), 2.0)
        values = spoiled.clone().requires_grad_()
        found = pooling(values, mask)
        found.square().sum().backward()
        return {
            "width": pooling.output_dim,
            "pooled": found,
            "gradient": values.grad[:, ::2] if values.grad is not None else None,
            "constant": pooling(still, torch.ones(1, 4, dtype=torch.bool)),
            "parameters": sorted((n, list(p.shape)) for n, p in pooling.named_parameters()),
        }

    return pin


def loss_pin(name: str) -> Any:
    def pin(folder: Path) -> Any:
        found = {}
        for counts in ([5, 5, 5], [30, 10, 2]):
            loss = LOSSES[name].load()(counts)
            logits = torch.tensor(
                [[2.0, -1.0, 0.3], [0.1, 0.2, 0.4], [-3.0, 4.0, 1.0], [0.0, 0.0, 0.0]],
                dtype=torch.float64, requires_grad=True,
            )  # fmt: skip
            value = loss(logits, torch.tensor([0, 2, 1, 0]))
            value.backward()
            found[str(counts)] = [value, logits.grad]
        return found

    return pin


def head(folder: Path) -> Any:
    backbone = load(BACKBONES["tiny-wavlm"])
    found: dict[str, Any] = {}
    values, _ = frames(3, 7, 64)
    lengths = torch.tensor([7, 4, 1])
    for layers, depth, dropout in product(("last", "weighted_sum"), (0, 1, 2), (0.0, 0.5)):
        spec = HeadSpec(
            pooling="mean", layers=layers, head_layers=depth, head_dim=8, dropout=dropout
        )  # fmt: skip
        model = build_model(backbone, spec, 4, 0, seed=5).train()
        seed_dropout([model], 7, torch.device("cpu"))
        states = [Frames(values * (1 + 0.1 * n), lengths) for n, _ in enumerate(model.depths)]
        outputs = model.suffix(states)
        outputs.square().sum().backward()
        gradients = [p.grad.abs().sum() for p in model.head_parameters() if p.grad is not None]
        names = [n for n, p in model.named_parameters() if p.requires_grad]
        found[f"{layers} {depth} {dropout}"] = [outputs, gradients, names, model.depths]
    drop = StreamDropout(0.3, 5)
    seed_dropout([drop], 2, torch.device("cpu"))
    cpu = torch.device("cpu")
    found["dropout"] = [drop.draw(4, cpu), drop.draw(2, cpu), drop.eval()(torch.ones(2, 5))]
    trained = build_model(backbone, HeadSpec(head_dim=8), 4, 2, seed=5)
    found["trained"] = sorted(trained.trained_state())
    return found


def toy() -> SERModel:
    return build_model(load(BACKBONES["tiny-wavlm"]), HeadSpec(pooling="mean", head_dim=4), 3, 1, 1)


def optimiser(folder: Path) -> Any:
    rates = {"head": 0.01, "backbone": 0.002}
    spec = TrainingSpec.model_validate({"learning_rate": rates, "weight_decay": 0.1})
    groups = make_optimizer(toy(), spec).param_groups
    listed = [
        [
            g["lr"],
            g["weight_decay"],
            list(g["betas"]),
            g["eps"],
            sum(p.numel() for p in g["params"]),
        ]
        for g in groups
    ]
    factors = {
        f"{steps} {share}": [warmup_then_linear(steps, share)(step) for step in range(steps + 2)]
        for steps, share in ((10, 0.2), (7, 0.0), (5, 0.5), (1, 0.1))
    }
    accelerator = Accelerator(cpu=True)
    steps = {}
    for norm in (0.5, 100.0):
        parameter = nn.Parameter(torch.tensor([[1.0, -2.0], [0.5, 3.0]]))
        adam = torch.optim.AdamW([parameter], lr=0.1, weight_decay=0.1)
        seen = []
        for _ in range(3):
            accelerator.backward((parameter**2).sum())
            optimiser_step(accelerator, adam, [parameter], norm)
            seen.append([parameter.detach().clone(), parameter.grad is None])
        steps[norm] = seen
    return {"groups": listed, "factors": factors, "steps": steps}


def speech(folder: Path, count: int) -> LabelledSplit:
    seconds = [0.4 + 0.07 * (number % 5) for number in range(count)]
    files = [write(folder / f"{number}.wav", s) for number, s in enumerate(seconds)]
    utterances = tuple(Utterance(path.stem, path, "a", "s") for path in files)
    return LabelledSplit(utterances, tuple(n % 3 for n in range(count)), tuple(seconds), 0.55)


def training(folder: Path) -> Any:
    found: dict[str, Any] = {}
    metrics = [0.2, 0.5, 0.5, 0.4, 0.6, 0.1]
    losses = [1.0, 0.8, 0.9, 0.84, 0.841, 0.7]
    for window, factor in ((1, None), (2, 1.05), (3, 1.2), (5, 1.0)):
        stopping = EarlyStopping(EarlyStoppingSpec(window=window, loss_factor=factor), epochs=6)
        decisions = [asdict(stopping.update(*pair)) for pair in zip(metrics, losses, strict=True)]
        found[f"stopping {window} {factor}"] = decisions
    train, dev = speech(folder / "train", 14), speech(folder / "dev", 5)
    accelerator = make_accelerator("cpu", "float32")
    for changes in ({}, {"accumulation_steps": 2}, {"loss_factor": 1.0}):
        spec = TrainingSpec.model_validate({
            "epochs": 3, "batch_seconds": 2.2, "precision": "float32",
            "learning_rate": {"head": 0.01, "backbone": 0.01},
            "accumulation_steps": changes.get("accumulation_steps", 1),
            "early_stopping": {"window": 2, "loss_factor": changes.get("loss_factor")},
        })  # fmt: skip
        backbone = load(BACKBONES["logmel"])
        model = build_model(backbone, HeadSpec(head_dim=4, dropout=0.3), 3, 0, seed=2)
        falling = iter([0.5, 0.4, 0.3])
        seen = []
        inputs = [AudioInputs(each, model, accelerator) for each in (train, dev)]

        def score(outputs: Tensor, seen: Any = seen, falling: Any = falling) -> tuple[float, float]:
            seen.append(outputs.clone())
            return float(outputs.square().mean()), next(falling)

        loss = LOSSES["cross_entropy"].load()([1, 1, 1])
        work = fit(model, loss, *inputs, score, spec, 4, accelerator)
        (fitted,) = result_of(run_fits([work], accelerator))
        curve = [[e.epoch, e.train_loss, e.dev_loss, e.dev_average] for e in fitted.curve]
        ended = [fitted.best_epoch, fitted.stopped, fitted.steps, fitted.precision]
        kept = {n: t.double().norm() for n, t in model.trained_state().items()}
        found[f"fit {changes}"] = [curve, ended, seen, kept]
    return found


def evaluation(folder: Path) -> Any:
    """Outputs of a whole split, in its order, with nothing dropped."""
    split = speech(folder, 7)
    accelerator = make_accelerator("cpu", "float32")
    model = build_model(load(BACKBONES["logmel"]), HeadSpec(head_dim=4), 3, 0, seed=2).train()
    inputs = AudioInputs(replace(split, crop_s=None), model, accelerator)
    found = {f"{s:g}": predict(model, inputs, s, accelerator) for s in (0.5, 1.5, 60.0)}
    return {**found, "training again": model.training, "graph": found["60"].requires_grad}


def probe(folder: Path) -> Any:
    """Log-probabilities of each setting of each probe, with more numbers than vectors and fewer."""
    generator = np.random.default_rng(5)
    card, weights = TASKS["classification"], np.array([0.5, 1.0, 2.0])
    found: dict[str, Any] = {}
    for width in (4, 30):
        targets = np.arange(24) % 3
        vectors = generator.standard_normal((24, width)) + targets[:, None]
        unseen = generator.standard_normal((3, width))
        for kind in card.probes:
            for fitted in card.probe(kind)(vectors, targets, weights):
                # an optimiser stops a little before the end, elsewhere than on another machine
                found[f"{kind} {width} {fitted.setting}"] = fitted.values(unseen).round(3)
    return found


def frame_pins(folder: Path) -> Any:
    values, mask = frames(3, 7, 4)
    whole = Frames(values.masked_fill(~mask[..., None], 99.0), torch.tensor([7, 4, 1]))
    found: dict[str, Any] = {
        f"summary {form}": [summarise(whole, form).values, summarise(whole, form).lengths]
        for form in ("statistics",)
    }
    heads = product(("last", "weighted_sum"), ("mean", "statistics", "attentive_statistics"))
    for (layers, pooling), released in product(heads, (0, 2, "all")):
        if layers == "last" or released == 0:
            head = HeadSpec(layers=layers, pooling=pooling)
            views = [asdict(view) for view in frame_views(head, released, 4)]
            found[f"views {layers} {pooling} {released}"] = views
    for mode, choice in product(("eval", "train"), ("auto", "off", "bf16")):
        trial = Trial(
            corpus=CorpusSpec(name="ravdess"), protocol=ProtocolSpec(), fold=1,
            backbone=BackboneSpec(name="wavlm-base"),
            training=TrainingSpec(frozen_mode=mode),
        )  # fmt: skip
        found[f"keeps {mode} {choice}"] = keeps_frames(trial, choice)
    for form, precision, choice in product(
        ("frames", "mean"), ("float32", "bf16"), ("auto", "off", "fp16")
    ):
        name = f"dtype {form} {precision} {choice}"
        found[name] = stored_dtype(FrameView(1, form), precision, choice)
    store, split = FrameStore(folder / "frames"), replace(speech(folder / "x", 3), crop_s=None)
    backbone, accelerator = load(BACKBONES["tiny-emotion2vec"]), make_accelerator("cpu", "float32")
    keys = [
        FrameKey("tiny", "w", "s", "f", "cpu", "float32", "float32", FrameView(depth, form))
        for depth, form in ((2, "frames"), (2, "mean"), (4, "mean"), (4, "statistics"))
    ]
    sounds = [f"sound{number}" for number in range(3)]
    for todo in extraction_passes(store, keys, split, sounds):
        to_the_end(extract(todo, store, backbone, accelerator))
    for key in keys:
        kept = store.open(key, sounds)
        found[f"kept {key.view.depth} {key.view.form}"] = [
            [name, list(kept.frames[name].shape), kept.frames[name][::5, ::9]]
            for name in sorted(kept.frames)
        ]
    return found


def cost(folder: Path) -> Any:
    """What rounds add up to, what is unstable, and the work that is counted."""
    first = make_cost(load_s=1.0, peak_gpu_bytes=5, missing={"a": "one"})
    slow = [p.model_copy(update={"samples_s": [1.2, 1.3], "unstable": ["x"]}) for p in first.points]
    second = make_cost(
        load_s=2.0, points=slow, missing={"a": "two", "b": "three"}, wall_s=3.0, peak_gpu_bytes=7
    )
    whole = pooled(first, second)
    spec = CostSpec(durations_s=(3.0, 1.0), batch_sizes=(1, 4))
    backbone = load(BACKBONES["tiny-wavlm"])
    waveforms, lengths = waves(1.0)
    return {
        "pooled": whole.model_dump(mode="json", include={
            "points", "rounds", "load_s", "missing", "wall_s", "peak_rss_bytes", "peak_gpu_bytes"}),
        "unstable": [
            instability([1.0, 1.0, 1.0, 1.0, last], most)
            for last in (1.0, 1.25, 1.6, 2.0) for most in (0.1, 0.25)
        ],
        "few": instability([1.0, 9.0], 0.1),
        "workloads": workloads_of(spec),
        "frames": [frame_count(backbone, seconds) for seconds in (0.5, 1.0, 3.0, 9.99)],
        "flops": [
            count_flops(lambda: torch.ones(3, 5) @ torch.ones(5, 7)),
            count_flops(lambda: backbone.stem(waveforms, lengths)),
        ],
    }  # fmt: skip


def made_predictions(rows: int = 40) -> pd.DataFrame:
    number = np.arange(rows)
    frame = pd.DataFrame({
        "utterance_id": [f"u{n}" for n in number], "split": "test",
        "speaker": [f"s{n % 5}" for n in number], "label": [list("abca")[n % 4] for n in number],
    })  # fmt: skip
    for index, name in enumerate("abcd"):
        frame[f"p_{name}"] = np.abs(np.sin(number * (index + 1.3))) + 0.2 * (frame["label"] == name)
    frame.loc[3, ["p_a", "p_b", "p_c", "p_d"]] = 0.25
    return frame


PINS: dict[str, Any] = {
    **{f"backbone.{name}": backbone_pin(name) for name in CARDS},
    **{f"pooling.{name}": pooling_pin(name) for name in POOLINGS},
    **{f"loss.{name}": loss_pin(name) for name in LOSSES},
    "head": head,
    "optimiser": optimiser,
    "training": training,
    "evaluation": evaluation,
    "frames": frame_pins,
    "probe": probe,
    "cost": cost,
}
