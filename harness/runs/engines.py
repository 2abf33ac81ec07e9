"""What runs the trials of a run, by the name of the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from harness.errors import UserError
from harness.runs.executors import InlineExecutor, MakeExecutor
from harness.runs.jobs import threads_of, worker_devices
from harness.runs.process_executor import ProcessExecutor, WorkerPool
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.unit_worker import use_threads
from harness.specs import Trial


@contextmanager
def engine(options: RuntimeOptions, todo: Sequence[Trial]) -> Iterator[MakeExecutor]:
    """Whatever the options name, for the length of a run.

    Args:
        options: the engine, and how many workers on which devices
        todo: trials that will have to run; workers begin to start while they are being checked
    """
    if options.engine == "inline":
        use_threads(options.threads)
        yield InlineExecutor
        return
    try:
        devices = worker_devices(options)
    except UserError:
        yield InlineExecutor  # the checks before the first trial name it, beside all else
        return
    pool = WorkerPool(devices, threads_of(options, len(devices)))
    try:
        pool.warm(len(todo))
        yield partial(ProcessExecutor, pool)
    finally:
        pool.close()
