"""The Python API: what the command line calls, and a notebook can call.

    import harness

    plan = harness.plan("suites/smoke.yaml")
    result = harness.run(plan, results="results")
    report = harness.report("results/smoke")
    verdict = harness.rank("results/smoke")
    joined = harness.merge(["results/shard-1-of-2/smoke", "results/shard-2-of-2/smoke"])
    again = harness.evaluate("results/smoke", corpus="emodb")

The package itself offers the functions and imports this module when one is used.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from harness.config.suite_loading import load_corpus_spec, load_suite
from harness.config.suite_shards import read_shard
from harness.errors import ResultsError, UserError
from harness.progress import Reporter, reporting
from harness.reporting.rendering import report_of, write_report
from harness.reporting.report_model import Report
from harness.results.folder_lock import holding
from harness.results.merging import Merged, merge_into
from harness.results.ranking import Ranking
from harness.results.records import Status
from harness.results.store import REPORT, ResultsStore, open_results
from harness.runs.planning import Plan, make_plan
from harness.runs.runtime_options import RuntimeOptions
from harness.specs import CorpusSpec, Suite

if TYPE_CHECKING:  # what runs trials needs torch, which planning and reporting do without
    from harness.runs.evaluation import Evaluation
    from harness.runs.run_summary import RunSummary

DEFAULT_OPTIONS = RuntimeOptions()


@dataclass(frozen=True)
class RunResult:
    """What a run leaves behind."""

    summary: RunSummary
    report: Report
    folder: Path
    """The suite's results."""
    files: tuple[Path, ...]
    """Tables, figures and benchmark files that were written."""


@dataclass(frozen=True)
class EvaluationResult:
    """What scoring kept models again leaves behind."""

    evaluation: Evaluation
    reports: tuple[Report, ...]
    """On another corpus one of a choice among the outputs that it has, and one of a choice among
    all, if a model knows more."""
    files: tuple[Path, ...]
    """Tables and figures that were written, beside the outcomes."""


@dataclass(frozen=True)
class MergeResult:
    """What a merge leaves behind."""

    merged: Merged
    report: Report
    folder: Path
    """The suite's results."""
    files: tuple[Path, ...]
    """Tables, figures and benchmark files that were written."""


def plan(
    suite: str | Path | Suite,
    *,
    changes: Sequence[str] = (),
    only: Sequence[str] = (),
    limit_utterances: int | None = None,
    shard: str | None = None,
) -> Plan:
    """Expand a suite to its trials, without running or loading anything.

    Args:
        suite: a YAML file, the name of a suite that ships, or a loaded suite
        changes: `key=value` each, laid over the file, such as "training.epochs=2"
        only: patterns of backbones or trial names to run; the plan still holds the whole suite
        limit_utterances: use so many utterances of each corpus, which marks every result
        shard: "k/n", the k-th of n parts of what is selected; `merge` joins their results

    Raises:
        SuiteError: the suite is mistaken; the message lists every mistake.
        CorpusError: a corpus whose folds depend on its recordings is missing.

    >>> len(plan("smoke").trials), len(plan("smoke", only=["tiny-wavlm"]).selected)
    (6, 3)
    """
    part = read_shard(shard) if shard else None
    if isinstance(suite, Suite):
        if changes:
            raise UserError("changes are laid over a suite's file: give its path or its name")
        return make_plan(suite, only, limit_utterances, part)
    return make_plan(load_suite(suite, changes), only, limit_utterances, part)


def run(
    suite: str | Path | Suite | Plan,
    *,
    changes: Sequence[str] = (),
    only: Sequence[str] = (),
    limit_utterances: int | None = None,
    shard: str | None = None,
    results: str | Path = "results",
    options: RuntimeOptions = DEFAULT_OPTIONS,
    fresh: bool = False,
    retry: Collection[Status] | None = None,
    estimate: bool = False,
    wait: bool = False,
    reporter: Reporter | None = None,
) -> RunResult:
    """Train and score what is not finished yet, measure costs, and write the report.

    Failed trials do not raise: `result.summary.raise_for_failures()` does.

    Args:
        suite: as for `plan`, or a plan that was made
        changes: as for `plan`
        only: as for `plan`
        limit_utterances: as for `plan`
        shard: as for `plan`
        results: the folder that holds all results; those of the suite lie in `<results>/<suite>`,
            those of a shard in `<results>/shard-<k>-of-<n>/<suite>`
        options: device, network, workers, and what kept frames may take
        fresh: train anew what is finished, too; old outcomes are set aside
        retry: of the trials that ended badly before, try only those that ended so again
        estimate: first say what it will take
        wait: for another run in that folder to end, instead of an error
        reporter: shows progress; bars or lines on standard output when left out

    Raises:
        UserError: something that trials need is missing or wrong; all of it is named, and
            nothing has been started.
        Interrupted: a signal asked it to stop, and what was at work has saved what it had.
    """
    if isinstance(suite, Plan):
        planned = suite
    else:
        planned = plan(
            suite, changes=changes, only=only, limit_utterances=limit_utterances, shard=shard
        )
    store = ResultsStore(Path(results) / planned.folder)
    shown = nullcontext(reporter) if reporter else reporting(Console(highlight=False))
    with shown as told:
        return _run(
            planned, store, told, options, fresh=fresh, retry=retry, estimate=estimate, wait=wait
        )


def report(results: str | Path) -> Report:
    """The report of a suite's results, computed from its records; nothing is written.

    Args:
        results: the folder of one suite, such as "results/smoke"

    Raises:
        ResultsError: there are no results in it, or they are damaged.
    """
    return report_of(open_results(Path(results)))


def rank(results: str | Path | Sequence[str | Path]) -> tuple[Ranking, ...]:
    """Which rows of each corpus are better than which others; nothing is written.

    Args:
        results: the folder of one suite, or folders of several

    Raises:
        ResultsError: there are no results in one of them, or they are damaged.
    """
    folders = [results] if isinstance(results, str | Path) else results
    return tuple(ranking for folder in folders for ranking in report(folder).rankings)


def merge(sources: Sequence[str | Path], results: str | Path = "results") -> MergeResult:
    """Join the results of runs of one suite that knew nothing of each other, and report on them.

    The sources stay as they are. Of a trial that has several outcomes, the newest of those that
    ended well counts.

    Args:
        sources: folders of one suite, such as "results/shard-1-of-8/ser_backbones"
        results: the folder that holds all results; the joined ones lie in `<results>/<suite>`

    Raises:
        ResultsError: there are no results in one of them, a run is at work in it, or they are of
            different suites, data or weights.
    """
    from harness.reporting.benchmark_files import write_benchmarks

    stores = [open_results(Path(source)) for source in sources]
    names = {store.folder.resolve().name for store in stores}
    if len(names) != 1:
        raise ResultsError(f"one suite's results can be merged, found {', '.join(sorted(names))}")
    target = ResultsStore(Path(results) / names.pop())
    if target.folder.resolve() in [store.folder.resolve() for store in stores]:
        raise ResultsError(f"{target.folder} is to be written: it cannot be merged with itself")
    target.prepare()
    with ExitStack() as held:
        for store in (target, *stores):
            held.enter_context(holding(store.folder, lambda _: None))
        with target.writing():
            merged = merge_into(target, stores)
            found = report_of(target)
            files = write_report(found, target.folder)
            files += write_benchmarks(target.folder, target.read_costs(), found)
    return MergeResult(merged, found, target.folder, files)


def evaluate(
    results: str | Path,
    *,
    trial: str | None = None,
    corpus: str | Path | CorpusSpec | None = None,
    device: str = DEFAULT_OPTIONS.device,
    offline: bool = DEFAULT_OPTIONS.offline,
    reporter: Reporter | None = None,
) -> EvaluationResult:
    """Score kept models again, without training, and write what a run writes.

    The outcomes lie in `<results>/evaluations`, in folders that are results themselves. Models
    that may not be scored do not raise: `result.evaluation.raise_for_failures()` does, if there
    is no other.

    Args:
        results: the folder of one suite, such as "results/smoke"
        trial: only the model of this trial id
        corpus: score on all of another corpus, by its name, a YAML file that describes it, or its
            spec; on each trial's own dev and test when left out
        device: as for a run
        offline: never touch the network
        reporter: shows progress; bars or lines on standard output when left out

    Raises:
        UserError: no model was kept, or the corpus is missing or unfit.
    """
    from harness.runs.evaluation import evaluate_kept

    store = open_results(Path(results))
    other = load_corpus_spec(str(corpus)) if isinstance(corpus, str | Path) else corpus
    shown = nullcontext(reporter) if reporter else reporting(Console(highlight=False))
    with shown as told, holding(store.folder, told.note):
        done = evaluate_kept(store, trial, other, told, device=device, offline=offline)
        reports = tuple(map(report_of, done.stores))
        with store.writing():
            written = [
                write_report(found, folder.folder)
                for found, folder in zip(reports, done.stores, strict=True)
            ]
    return EvaluationResult(done, reports, tuple(chain.from_iterable(written)))


def _run(
    planned: Plan,
    store: ResultsStore,
    reporter: Reporter,
    options: RuntimeOptions,
    *,
    fresh: bool,
    retry: Collection[Status] | None,
    estimate: bool,
    wait: bool,
) -> RunResult:
    from harness.reporting.benchmark_files import write_benchmarks
    from harness.runs.engines import engine
    from harness.runs.suite_run import run_plan
    from harness.runs.tracking.publishing import ReportWritten
    from harness.runs.tracking.tracker_processes import tracking

    store.prepare()
    todo = [trial for trial in planned.selected if not store.has_trial(trial.trial_id)]
    with (
        holding(store.folder, reporter.note, wait=wait),
        engine(options, todo) as chosen,
        tracking(planned.suite, store.folder, reporter.note, offline=options.offline) as trackers,
    ):
        summary = run_plan(
            planned,
            store,
            reporter,
            options,
            tracking=trackers,
            engine=chosen,
            fresh=fresh,
            retry=retry,
            estimate=estimate,
        )
        found = report_of(store)
        with store.writing():
            files = write_report(found, store.folder)
            if summary.costs:
                files += write_benchmarks(store.folder, summary.costs, found)
        trackers.tell(ReportWritten(store.folder / REPORT))
    return RunResult(summary, found, store.folder, files)
