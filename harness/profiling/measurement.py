"""One cost measurement, from start to end, in a process of its own."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from statistics import median

import torch

from backbones.cards import FOREIGN_ERRORS
from harness.model.dtypes import DTYPES
from harness.profiling.energy import NoEnergy, joules_per_audio_hour
from harness.profiling.flops import flops_per_audio_s
from harness.profiling.gpu_monitor import INTERFERENCE_HZ, MEMORY_HZ, GpuMonitor, monitored, own_pid
from harness.profiling.interference import gpu_interference, monitored_processors
from harness.profiling.measurement_rounds import instability
from harness.profiling.memory import MemoryPeaks, gpu_fields, measure_memory
from harness.profiling.nvml import driver_version, snapshot_all
from harness.profiling.profiled_model import ProfiledModel, frame_count, load
from harness.profiling.timing import Workload, matmul_peak, time_all, workloads_of
from harness.redaction import redacted
from harness.results.environment import environment
from harness.results.provenance import cost_fingerprint
from harness.results.records import CostRecord, Status, WorkloadCost
from harness.specs import CostSpec, CostTrial
from harness.training.devices import device_info, make_accelerator, precision_name, status_of
from harness.worker_processes import start_worker


def measure_in_subprocess(
    trial: CostTrial, suite: str, device_name: str, device: str, offline: bool
) -> CostRecord:
    """Measure in a fresh process, so that nothing that ran before affects time or memory.

    A failure, and even a process that is killed, becomes a record that says so.

    Args:
        trial: what to measure
        suite: the suite it is measured for
        device_name: of the processor or GPU, noted with the numbers
        device: as for a run
        offline: never touch the network
    """
    started = time.monotonic()
    record = CostRecord(
        cost_id=trial.cost_id(device_name),
        suite=suite,
        trial=trial,
        status="failed",
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        wall_s=0.0,
        device=device_name,
        fingerprint=cost_fingerprint(trial),
        environment=environment(),
    )
    worker = start_worker(_serve, trial, device, offline)
    try:
        changes: dict[str, object] = worker.connection.recv()
    except (EOFError, OSError):
        status: Status = "oom" if worker.memory_ran_out() else "crashed"
        changes = {"status": status, "error": worker.ending()}
    finally:
        worker.close()
    return record.model_copy(update={**changes, "wall_s": time.monotonic() - started})


def _serve(connection: Connection, trial: CostTrial, device: str, offline: bool) -> None:
    try:
        connection.send(measure(trial, device, offline) | {"status": "ok"})
    except FOREIGN_ERRORS as error:
        failed = {"status": status_of(error), "error": redacted(traceback.format_exc())}
        connection.send(failed)


def measure(trial: CostTrial, device: str, offline: bool) -> dict[str, object]:
    """Measure memory, time, FLOPs and energy of a cost trial: the measured fields of its record.

    Memory comes first, since the peak of a process only ever rises.
    """
    snapshots = snapshot_all()  # before torch takes anything of a GPU
    accelerator = make_accelerator(device, trial.precision)
    uuid, precision = uuid_of(accelerator.device), precision_name(accelerator)
    before = snapshots.get(uuid) if uuid else None
    workloads = workloads_of(trial.cost)
    with monitored(uuid, MEMORY_HZ) as memory_monitor:
        profiled = load(trial, accelerator, offline=offline)
        memory = measure_memory(profiled, workloads)
    on_gpu, missing = gpu_fields(memory_monitor, before)
    with monitored(uuid, INTERFERENCE_HZ) as timing_monitor, monitored_processors() as processors:
        samples = time_all(profiled, trial.cost)
        try:
            energy = joules_per_audio_hour(profiled, workloads, uuid, trial.cost.energy_s)
        except NoEnergy as error:
            energy, missing = {}, missing | {"joules_per_audio_hour": str(error)}
        matmul = matmul_peak(profiled.device, DTYPES[precision])
    usage = memory_monitor.usage
    own = own_pid(usage, before) if usage else None
    if uuid and own is None:
        reason = memory_monitor.error or "the driver names no process that is this one"
        missing["interference"] = f"whether others used the GPU is not known: {reason}"
    interference = (
        processors.reasons
        if uuid is None
        else _gpu_interference((memory_monitor, timing_monitor), own)
    )
    flops = flops_per_audio_s(profiled, workloads)
    measured = _Measurements(samples, flops, energy, memory, interference)
    return {
        "points": [_workload_cost(each, profiled, measured, trial.cost) for each in workloads],
        "precision": precision,
        "matmul_peak_flops": matmul,
        "environment": environment()
        | device_info(profiled.device)
        | {"driver": driver_version() if uuid else None},
        "missing": missing,
        **_model_fields(profiled),
        **memory.fields,
        **on_gpu,
    }


def _gpu_interference(monitors: Iterable[GpuMonitor], own: int | None) -> list[str]:
    reasons = (why for monitor in monitors for why in gpu_interference(monitor, own))
    return list(dict.fromkeys(reasons))


def uuid_of(device: torch.device) -> str | None:
    """The UUID by which NVML knows a CUDA device; None for the CPU."""
    if device.type != "cuda":
        return None
    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"


@dataclass(frozen=True)
class _Measurements:
    """What was measured, by workload."""

    samples: Mapping[Workload, list[float]]
    flops: Mapping[Workload, float]
    energy: Mapping[Workload, float]
    memory: MemoryPeaks
    interference: list[str]
    """Why nothing of it is to be relied on."""


def _workload_cost(
    workload: Workload, profiled: ProfiledModel, measured: _Measurements, cost: CostSpec
) -> WorkloadCost:
    mode, duration_s, batch_size = workload
    samples = measured.samples[workload]
    return WorkloadCost(
        mode=mode,
        duration_s=duration_s,
        batch_size=batch_size,
        samples_s=samples,
        audio_s_per_s=duration_s * batch_size / median(samples),
        frames=frame_count(profiled.model.backbone, duration_s),
        flops_per_audio_s=measured.flops[workload],
        joules_per_audio_hour=measured.energy.get(workload),
        torch_peak_allocated_bytes=measured.memory.torch_allocated.get(workload),
        torch_peak_reserved_bytes=measured.memory.torch_reserved.get(workload),
        unstable=measured.interference + instability(samples, cost.max_spread),
    )


def _model_fields(profiled: ProfiledModel) -> dict[str, object]:
    return {
        "load_s": profiled.load_s,
        "random_weights": profiled.model.backbone.weights.init == "random",
        "trainable_parameters": profiled.model.trainable_parameters(),
        "total_parameters": profiled.model.total_parameters(),
    }
