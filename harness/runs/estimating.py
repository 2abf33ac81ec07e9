"""An estimate before anything runs, from the corpora alone. Only on request: it takes seconds."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.connection import Connection

from harness.config.choose import candidates
from harness.data.prepared_corpus import PreparedCorpus, prepare_corpus
from harness.errors import TrialError
from harness.profiling.estimation.suite_estimate import Estimate, estimate
from harness.progress import Reporter
from harness.redaction import redacted
from harness.runs.executors import Corpora
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.unit_worker import use_threads
from harness.runs.work_units import work_units
from harness.specs import CorpusSpec, Trial
from harness.worker_processes import start_worker


def estimate_trials(
    trials: Sequence[Trial], options: RuntimeOptions, reporter: Reporter
) -> list[Estimate]:
    """What trials would take on this machine, one entry a unit of work; no backbone need be here.

    Args:
        trials: what is to run
        options: device, and how frames are kept
        reporter: told of corpora that are read

    Raises:
        UserError: a corpus is missing or unfit.
    """
    corpora: dict[CorpusSpec, PreparedCorpus] = {}
    for trial in trials:
        if trial.corpus not in corpora:
            corpora[trial.corpus] = prepare_corpus(trial.corpus, trial.limit_utterances, reporter)
    return _estimate(trials, options, corpora)


def estimate_apart(
    trials: Sequence[Trial], options: RuntimeOptions, corpora: Corpora
) -> list[Estimate]:
    """The same by a process that ends with it, so that this one takes nothing of a GPU.

    Args:
        trials: what is to run
        options: device, threads, and how frames are kept
        corpora: all that the trials are on

    Raises:
        TrialError: there is no estimate; the message says why.
    """
    worker = start_worker(_serve, trials, options, corpora)
    try:
        found: list[Estimate] | str = worker.connection.recv()
    except (EOFError, OSError):
        raise TrialError(worker.ending()) from None
    finally:
        worker.close()
    if isinstance(found, str):
        raise TrialError(found)
    return found


def _serve(
    connection: Connection, trials: Sequence[Trial], options: RuntimeOptions, corpora: Corpora
) -> None:
    use_threads(options.threads)
    try:
        connection.send(_estimate(trials, options, corpora))
    except Exception as error:  # whatever it is, a run goes on without
        connection.send(redacted(f"{type(error).__name__}: {error}"))


def _estimate(trials: Sequence[Trial], options: RuntimeOptions, corpora: Corpora) -> list[Estimate]:
    groups = [
        (corpora[unit.corpus], [each for trial in unit.trials for _, each in candidates(trial)])
        for unit in work_units("", trials, options)
    ]
    return estimate(groups, options.device, options.frames)
