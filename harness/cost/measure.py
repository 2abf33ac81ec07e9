"""One cost measurement, from start to end, in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime

import torch
from accelerate import Accelerator

from harness.cost.memory import gpu_meter, peak_rss
from harness.cost.throughput import measure_inference, measure_training
from harness.heads import LOSSES
from harness.heads.build import build_model, load_backbone
from harness.heads.ser_model import SERModel
from harness.records.environment import code_digest, environment
from harness.records.schema import CostPoint, CostRecord
from harness.suite.schema import CostTrial, TrainingSpec
from harness.training.device import make_accelerator, precision_name, status_of
from harness.training.fit import make_optimizer

CLASSES = 8
"""Width of the output layer in cost measurements; its share of the work is negligible."""


def measure_apart(
    trial: CostTrial, suite: str, machine: str, device: str, offline: bool
) -> CostRecord:
    """Measure in a fresh process, so that nothing that ran before weighs on time or memory.

    A failure, and even a process that is killed, becomes a record that says so.

    Args:
        trial: what to measure
        suite: the suite it is measured for
        machine: name of the processor or GPU, noted with the numbers
        device: as for a run
        offline: never touch the network
    """
    started = time.monotonic()
    record = CostRecord(
        cost_id=trial.cost_id(machine),
        suite=suite,
        trial=trial,
        status="failed",
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        wall_s=0.0,
        device=machine,
        code=code_digest(),
        environment=environment(),
    )
    context = multiprocessing.get_context("spawn")
    changes: dict[str, object]
    try:
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            changes = pool.submit(measure, trial, device, offline).result() | {"status": "ok"}
    except Exception as error:
        changes = {"status": status_of(error), "error": traceback.format_exc()}
    return record.model_copy(update={**changes, "wall_s": time.monotonic() - started})


def measure(trial: CostTrial, device: str, offline: bool) -> dict[str, object]:
    """Load, time and weigh one backbone × finetune_layers; the measured fields of a record."""
    return _measured(trial, make_accelerator(device, trial.precision), offline)


def _measured(trial: CostTrial, accelerator: Accelerator, offline: bool) -> dict[str, object]:
    device = accelerator.device
    meter = gpu_meter(device)
    started = time.monotonic()
    backbone = load_backbone(trial.backbone, offline=offline)
    backbone.frozen_mode = trial.frozen_mode
    model = build_model(backbone, trial.head, CLASSES, trial.finetune_layers, seed=0).to(device)
    load_s = time.monotonic() - started
    points = _points(trial, model, accelerator)
    rss = peak_rss()
    gpu = meter.read() if meter else None
    on_gpu = device.type == "cuda"
    return {
        "points": points,
        "load_s": load_s,
        "precision": precision_name(accelerator),
        "random_weights": backbone.weights.init == "random",
        "trainable_parameters": model.trainable_parameters(),
        "total_parameters": model.total_parameters(),
        "peak_rss_bytes": rss.bytes,
        "peak_rss_source": rss.source,
        "peak_gpu_bytes": gpu.bytes if gpu else None,
        "peak_gpu_source": gpu.source if gpu else None,
        "torch_peak_allocated_bytes": torch.cuda.max_memory_allocated(device) if on_gpu else None,
        "torch_peak_reserved_bytes": torch.cuda.max_memory_reserved(device) if on_gpu else None,
    }


def _points(trial: CostTrial, model: SERModel, accelerator: Accelerator) -> list[CostPoint]:
    cost = trial.cost
    loss = LOSSES["cross_entropy"].load()([1] * CLASSES)
    optimizer = accelerator.prepare(make_optimizer(model, TrainingSpec()))
    shapes = [(duration, size) for duration in cost.durations_s for size in cost.batch_sizes]
    inference = [
        measure_inference(model, duration, size, cost.infer_steps, accelerator)
        for duration, size in shapes
    ]
    training = [
        measure_training(
            model, loss, optimizer, CLASSES, duration, size, cost.train_steps, accelerator
        )
        for duration, size in shapes
    ]
    return inference + training
