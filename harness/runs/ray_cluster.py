"""A Ray cluster: joining it, and what each worker of a run takes of it."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from harness.errors import UserError
from harness.redaction import is_named_as_secret
from harness.runs.runtime_options import RuntimeOptions

MOST_WORKERS_A_GPU = 4
"""Where their number is left to the harness, which cannot see the memory of GPUs elsewhere."""

_PASSED_ON = ("HARNESS_", "HF_", "TRANSFORMERS_", "TORCH_")
"""Beginnings of the variables that say where caches lie and what may be fetched."""


@dataclass(frozen=True)
class Share:
    """What one worker takes of a node, and how many of them the cluster has room for."""

    cpus: int
    """Cores, and so threads of arithmetic."""
    gpus: float
    workers: int
    node_cpus: int
    """What a measurement of costs takes, beside which nothing else is to run."""

    @property
    def device(self) -> str:
        """Its name on the node, where Ray shows a worker its own GPU alone."""
        return "cuda:0" if self.gpus else "cpu"


def share_of(nodes: Sequence[Mapping[str, float]], options: RuntimeOptions) -> Share:
    """What each worker takes.

    Args:
        nodes: "CPU" and "GPU" of each node that is alive
        options: the device, workers on each device or node, and their threads

    Raises:
        UserError: no node has what a worker needs.

    >>> share_of([{"CPU": 16, "GPU": 2}, {"CPU": 4}], RuntimeOptions(jobs=2))
    Share(cpus=4, gpus=0.5, workers=4, node_cpus=16)
    >>> share_of([{"CPU": 16}, {"CPU": 4}], RuntimeOptions(jobs=None))
    Share(cpus=1, gpus=0.0, workers=20, node_cpus=4)
    """
    if options.device not in ("auto", "cpu", "cuda"):
        raise UserError(f"--device {options.device}: Ray gives out GPUs: use auto, cpu or cuda")
    with_gpu = [node for node in nodes if node.get("GPU", 0) >= 1]
    on_gpus = options.device == "cuda" or (options.device == "auto" and bool(with_gpu))
    usable = with_gpu if on_gpus else [node for node in nodes if node.get("CPU", 0) >= 1]
    if not usable:
        raise UserError(f"no node of the cluster has a {'GPU' if on_gpus else 'CPU'} to give")
    each = [(int(node.get("CPU", 0)), int(node["GPU"]) if on_gpus else 1) for node in usable]
    cores = min(cpus // devices for cpus, devices in each)
    jobs = options.jobs or max(1, min(cores, MOST_WORKERS_A_GPU) if on_gpus else cores)
    cpus = options.threads or max(1, cores // jobs)
    # without GPUs the cores alone limit how many there are
    workers = sum(min(devices * jobs, cores_of // cpus) for cores_of, devices in each)
    if options.jobs is None and not on_gpus:
        workers = sum(cores_of // cpus for cores_of, _ in each)
    if workers == 0:
        raise UserError(f"no node of the cluster has {cpus} CPUs for a worker: lower --threads")
    return Share(cpus, 1 / jobs if on_gpus else 0.0, workers, min(cores for cores, _ in each))


@contextmanager
def joined_cluster() -> Iterator[list[dict[str, float]]]:
    """Join the cluster that RAY_ADDRESS names or that runs on this machine, else start one here.

    Yields:
        What each of its nodes that is alive has.

    Raises:
        UserError: Ray is not installed, or there is no cluster at that address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # of a cluster that is started here
    try:
        import ray
    except ImportError:
        raise UserError("--engine ray needs Ray: pip install 'ser-harness[ray]'") from None
    _check_reachable(os.environ.get("RAY_ADDRESS", ""))
    variables = {
        name: text
        for name, text in os.environ.items()
        if name.startswith(_PASSED_ON) and not is_named_as_secret(name)  # Ray shows them
    }
    with _handlers_kept():
        try:
            ray.init(
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env={"env_vars": variables},
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise UserError(f"--engine ray: no cluster could be joined ({error})") from error
    try:
        nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
        yield [node["Resources"] for node in nodes if node["Alive"]]
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Tell at once what Ray tells after ten minutes."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal()) or "/" in host:
        return  # none, or one of Ray's other forms
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise UserError(f"--engine ray: no cluster at RAY_ADDRESS={address} ({error})") from error


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Ray has its own idea of SIGTERM, which would lose what is at work."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
