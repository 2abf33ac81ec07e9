"""What runs the trials of a run, by the name of the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from harness.errors import UserError
from harness.runs.cost_runs import measure_costs
from harness.runs.events import Event
from harness.runs.executors import InlineExecutor, MakeExecutor
from harness.runs.jobs import devices_of, threads_of, worker_devices
from harness.runs.process_executor import ProcessExecutor, WorkerPool
from harness.runs.ray_cluster import joined_cluster, share_of
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.unit_worker import use_threads
from harness.specs import Trial

MeasureCosts = Callable[..., Iterator[Event]]
"""As `measure_costs`."""


@dataclass(frozen=True)
class Engine:
    """Who runs trials, who measures costs, and on what kinds of device."""

    make_executor: MakeExecutor = InlineExecutor
    measure: MeasureCosts = measure_costs
    devices: Callable[[str], tuple[str, ...]] = devices_of
    """Those that `RuntimeOptions.device` names."""


INLINE = Engine()


@contextmanager
def engine(options: RuntimeOptions, todo: Sequence[Trial]) -> Iterator[Engine]:
    """Whatever the options name, for the length of a run.

    Args:
        options: the engine, and how many workers on which devices
        todo: trials that will have to run; workers begin to start while they are being checked

    Raises:
        UserError: there is no cluster, or it has no room for a worker.
    """
    if options.engine == "ray":
        with joined_cluster() as nodes:
            from harness.runs.ray_executor import RayExecutor, measure_on_cluster

            share = share_of(nodes, options)
            yield Engine(
                partial(RayExecutor, share),
                partial(measure_on_cluster, share),
                lambda _: (share.device,),
            )
        return
    if options.engine == "inline":
        use_threads(options.threads)
        yield INLINE
        return
    try:
        devices = worker_devices(options)
    except UserError:
        yield INLINE  # the checks before the first trial name it, beside all else
        return
    # a CPU has a core for each from the start; how many a GPU serves is found out
    grows = options.jobs is None and devices[0].startswith("cuda")
    pool = WorkerPool(devices, threads_of(options, len(devices)), grows)
    try:
        pool.warm(len(todo))
        yield Engine(partial(ProcessExecutor, pool))
    finally:
        pool.close()
