"""On the path of a Python process, this ends it, or its whole group, at stated moments.

    KILL_AT=training:40,report:1 KILL_LOG=log.txt PYTHONPATH=tests/support/killing python -m harness

ends with the 40th optimiser step of whichever process comes to its 40th first. Python imports it by
its name in every process that starts, the workers too, and each counts for itself; what is done in
training is noted in the log. A moment of which the log tells is over.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

MOMENTS = dict(part.split(":") for part in os.environ.get("KILL_AT", "").split(",") if part)
_counts: dict[str, int] = {}
_trial = ""


def note(*words: object) -> None:
    with Path(os.environ["KILL_LOG"]).open("a") as file:
        file.write(" ".join(map(str, words)) + "\n")


def moment(phase: str) -> None:
    """One more of these; the last one, if it was to be."""
    _counts[phase] = _counts.get(phase, 0) + 1
    if _counts[phase] == int(MOMENTS.get(phase, 0)):
        if f"killed {phase}\n" in Path(os.environ["KILL_LOG"]).read_text():
            return
        note("killed", phase)
        alone = os.environ.get("KILL_WHOM") == "itself"
        os.kill(os.getpid() if alone else -os.getpgrp(), signal.SIGKILL)


def wrap(owner: Any, name: str, *, before: Any = None, after: Any = None) -> None:
    """Have something done before or after each call of a function."""
    function: Callable[..., Any] = getattr(owner, name)

    @wraps(function)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        if before:
            before(*arguments)
        found = function(*arguments, **named)
        if after:
            after(*arguments)
        return found

    setattr(owner, name, wrapped)


def note_trial(trial: Any, *_: Any) -> None:
    global _trial
    _trial = trial.trial_id
    note(_trial, "begun", time.monotonic())


def note_step(state: Any) -> None:
    note(_trial, state.steps + 1, time.monotonic())
    moment("training")


def note_text(target: Path, *_: Any) -> None:
    if target.name == "record.json" and "trials" in target.parts:
        moment("writing")


def note_progress(reporter: Any, task: int, *_: Any) -> None:
    if reporter._tasks[task][0].startswith("reading"):
        moment("reading")


def watch() -> None:
    """Put eyes on all phases of a run."""
    import harness.api
    import harness.results.store
    from harness.cache import extraction
    from harness.profiling import measurement
    from harness.progress import LogReporter
    from harness.runs import learning, trial_execution
    from harness.training.fit_checkpoints import Checkpoints
    from harness.training.training_state import TrainingState

    wrap(LogReporter, "advance", before=note_progress)
    wrap(extraction, "_frames_of_view", before=lambda *_: moment("extraction"))
    wrap(trial_execution, "_checkpoints", after=note_trial)
    wrap(TrainingState, "step", before=note_step)
    wrap(Checkpoints, "_save", after=lambda *_: note(_trial, "saved", time.monotonic()))
    wrap(learning, "predict", before=lambda *_: moment("evaluation"))
    wrap(harness.results.store, "write_text", before=note_text)
    wrap(measurement, "time_all", before=lambda *_: moment("cost"))
    wrap(harness.api, "write_report", before=lambda *_: moment("report"))


if "KILL_LOG" in os.environ and "resource_tracker" not in " ".join(sys.orig_argv):
    watch()
