"""One cost measurement, from start to end, in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import torch

from harness.profiling.energy import NoEnergy, joules_per_audio_hour
from harness.profiling.flops import flops_per_audio_s
from harness.profiling.gpu_monitor import INTERFERENCE_HZ, MEMORY_HZ, GpuMonitor, monitored, own_pid
from harness.profiling.interference import gpu_interference, watching_processors
from harness.profiling.measurement_rounds import instability
from harness.profiling.memory import MemoryPeaks, gpu_fields, measure_memory
from harness.profiling.nvml import driver_version, snapshot_all
from harness.profiling.profiled_model import ProfiledModel, frame_count, load
from harness.profiling.timing import Workload, matmul_peak, time_all, workloads_of
from harness.redaction import redacted
from harness.results.environment import costs_digest, environment
from harness.results.records import CostRecord, WorkloadCost
from harness.specs import CostSpec, CostTrial
from harness.training.devices import device_info, make_accelerator, precision_name, status_of

DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


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
        code=costs_digest(),
        environment=environment(),
    )
    context = multiprocessing.get_context("spawn")
    changes: dict[str, object]
    try:
        with ProcessPoolExecutor(1, mp_context=context) as pool, not_left_behind():
            changes = pool.submit(measure, trial, device, offline).result() | {"status": "ok"}
    except Exception as error:
        changes = {"status": status_of(error), "error": redacted(traceback.format_exc())}
    return record.model_copy(update={**changes, "wall_s": time.monotonic() - started})


@contextmanager
def not_left_behind() -> Iterator[None]:
    """End the processes that were started, if this one is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        for child in multiprocessing.active_children():
            child.terminate()
        raise


def measure(trial: CostTrial, device: str, offline: bool) -> dict[str, object]:
    """Weigh, time and count one backbone × finetune_layers; the measured fields of a record.

    Memory comes first, since the peak of a process only ever rises.
    """
    looks = snapshot_all()  # before torch takes anything of a GPU
    accelerator = make_accelerator(device, trial.precision)
    uuid, precision = uuid_of(accelerator.device), precision_name(accelerator)
    before = looks.get(uuid) if uuid else None
    points = workloads_of(trial.cost)
    with monitored(uuid, MEMORY_HZ) as watch:
        subject = load(trial, accelerator, offline=offline)
        memory = measure_memory(subject, points)
    on_gpu, missing = gpu_fields(watch, before)
    with monitored(uuid, INTERFERENCE_HZ) as interference, watching_processors() as programs:
        samples = time_all(subject, trial.cost)
        try:
            energy = joules_per_audio_hour(subject, points, uuid, trial.cost.energy_s)
        except NoEnergy as error:
            energy, missing = {}, missing | {"joules_per_audio_hour": str(error)}
        matmul = matmul_peak(subject.device, DTYPES[precision])
    own = own_pid(watch.seen, before) if watch.seen else None
    if uuid and own is None:
        unseen = watch.error or "the driver names no process that is this one"
        missing["company"] = f"whether others used the GPU is not known: {unseen}"
    disturbed = programs.reasons if uuid is None else _disturbed((watch, interference), own)
    found = _Findings(samples, flops_per_audio_s(subject, points), energy, memory, disturbed)
    return {
        "points": [_point(point, subject, found, trial.cost) for point in points],
        "precision": precision,
        "matmul_peak_flops": matmul,
        "environment": environment()
        | device_info(subject.device)
        | {"driver": driver_version() if uuid else None},
        "missing": missing,
        **_model_fields(subject),
        **memory.fields,
        **on_gpu,
    }


def _disturbed(watches: Iterable[GpuMonitor], own: int | None) -> list[str]:
    return list(dict.fromkeys(why for watch in watches for why in gpu_interference(watch, own)))


def uuid_of(device: torch.device) -> str | None:
    """The UUID by which NVML knows a CUDA device; None for the CPU."""
    if device.type != "cuda":
        return None
    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"


@dataclass(frozen=True)
class _Findings:
    """What the passes found, point by point."""

    samples: Mapping[Workload, list[float]]
    flops: Mapping[Workload, float]
    energy: Mapping[Workload, float]
    memory: MemoryPeaks
    interference: list[str]
    """Why nothing of it is to be relied on."""


def _point(
    point: Workload, subject: ProfiledModel, found: _Findings, cost: CostSpec
) -> WorkloadCost:
    mode, duration_s, batch_size = point
    samples = found.samples[point]
    return WorkloadCost(
        mode=mode,
        duration_s=duration_s,
        batch_size=batch_size,
        samples_s=samples,
        audio_s_per_s=duration_s * batch_size / median(samples),
        frames=frame_count(subject.model.backbone, duration_s),
        flops_per_audio_s=found.flops[point],
        joules_per_audio_hour=found.energy.get(point),
        torch_peak_allocated_bytes=found.memory.torch_allocated.get(point),
        torch_peak_reserved_bytes=found.memory.torch_reserved.get(point),
        unstable=found.interference + instability(samples, cost.max_spread),
    )


def _model_fields(subject: ProfiledModel) -> dict[str, object]:
    return {
        "load_s": subject.load_s,
        "random_weights": subject.model.backbone.weights.init == "random",
        "trainable_parameters": subject.model.trainable_parameters(),
        "total_parameters": subject.model.total_parameters(),
    }
