"""The commands. Each reads its arguments, calls one function and prints what it gives back.

What needs torch is imported inside the command that uses it, so that `--help`, `plan`, `list`
and `report` answer at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness import api
from harness.cli_options import (
    ColumnsOption,
    DeviceOption,
    DevicesOption,
    EngineOption,
    EstimateOption,
    FramesOption,
    GroupByOption,
    JobsOption,
    LimitOption,
    ListOption,
    OfflineOption,
    OnlyOption,
    PerClassOption,
    ResultsOption,
    RetryOption,
    SetOption,
    ShardOption,
    SortOption,
    SuiteArgument,
    ThreadsOption,
    TopOption,
)
from harness.config.suite_loading import load_suite
from harness.errors import TrialError, UserError
from harness.progress import reporting
from harness.reporting.report_model import Report
from harness.runs.plan_checks import check_plan
from harness.runs.plan_text import plan_list, plan_summary
from harness.runs.runtime_options import RuntimeOptions

app = typer.Typer(
    help="Which self-supervised speech backbone for emotion recognition, how many of its layers "
    "to fine-tune, and what it costs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
console = Console(highlight=False)
echo = partial(typer.echo, err=True)


@app.command()
def plan(
    suite: SuiteArgument,
    changes: SetOption = None,
    only: OnlyOption = None,
    limit_utterances: LimitOption = None,
    shard: ShardOption = None,
    list_trials: ListOption = False,
    estimate: EstimateOption = False,
    device: DeviceOption = "auto",
    frames: FramesOption = "auto",
) -> None:
    """Say what a suite holds without running it, and what a run would refuse."""
    planned = api.plan(
        suite,
        changes=changes or [],
        only=only or [],
        limit_utterances=limit_utterances,
        shard=shard,
    )
    lines = plan_list(planned) if list_trials else plan_summary(planned)
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
    checks = check_plan(planned.selected)
    for note in checks.notes:
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    console.print(f"{len(planned.selected)} trials, {len(planned.costs)} costs")
    if checks.mistakes:
        raise UserError("\n".join(checks.mistakes))
    if estimate:
        from harness.profiling.estimation.estimate_text import table
        from harness.runs.estimating import estimate_trials

        with reporting(console) as reporter:
            options = RuntimeOptions(device=device, frames=frames)
            estimates = estimate_trials(planned.selected, options, reporter)
        console.print(table(estimates), markup=False, soft_wrap=True)


@app.command()
def run(
    suite: SuiteArgument,
    changes: SetOption = None,
    only: OnlyOption = None,
    limit_utterances: LimitOption = None,
    shard: ShardOption = None,
    results: ResultsOption = Path("results"),
    offline: OfflineOption = False,
    device: DevicesOption = "auto",
    frames: FramesOption = "auto",
    cache_gb: Annotated[
        float, typer.Option("--cache-gb", min=0, help="What kept frames may take on disk.")
    ] = RuntimeOptions.cache_gb,
    memory_gb: Annotated[
        float, typer.Option("--memory-gb", min=0, help="What of them may be held in memory.")
    ] = RuntimeOptions.memory_gb,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Train anew what is finished; the old is set aside.")
    ] = False,
    retry: RetryOption = None,
    engine: EngineOption = RuntimeOptions.engine,
    jobs: JobsOption = RuntimeOptions.jobs,
    threads: ThreadsOption = RuntimeOptions.threads,
    estimate: EstimateOption = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for another run in the same folder to end.")
    ] = False,
) -> None:
    """Run a suite's trials; those already finished are kept."""
    planned = api.plan(
        suite,
        changes=changes or [],
        only=only or [],
        limit_utterances=limit_utterances,
        shard=shard,
    )
    options = RuntimeOptions(
        device, offline, frames, cache_gb, memory_gb, engine=engine, jobs=jobs, threads=threads
    )
    try:
        with reporting(console) as reporter:
            result = api.run(
                planned,
                results=results,
                options=options,
                fresh=fresh,
                retry=[each.value for each in retry] if retry else None,
                estimate=estimate,
                wait=wait,
                reporter=reporter,
            )
    except KeyboardInterrupt:
        echo("interrupted; what is finished is kept, and the same command goes on from there")
        raise typer.Exit(130) from None
    _show(result.report, result.files)
    console.print(result.summary.line(), markup=False, soft_wrap=True)
    result.summary.raise_for_failures(must_beat_majority=planned.suite.must_beat_majority)


@app.command()
def report(
    results: Annotated[
        Path | None, typer.Argument(help="A suite's results; the newest of ./results if left out.")
    ] = None,
    columns: ColumnsOption = "",
    sort: SortOption = "",
    top: TopOption = None,
    group_by: GroupByOption = "",
    per_class: PerClassOption = False,
    pair: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--compare",
            metavar="A B",
            help="Only say whether row A is better than row B, such as wavlm-base/2 logmel.",
        ),
    ] = None,
) -> None:
    """Show the comparison of finished trials and write it as Markdown, CSV and LaTeX.

    The options say what is shown; the files hold everything.
    """
    from harness.reporting.ranking_text import pair_sentences
    from harness.reporting.rendering import print_report, write_report
    from harness.reporting.table_view import read_view
    from harness.results.store import open_results

    folder = results or _newest(Path("results"))
    found = api.report(folder)
    if pair:
        for sentence in pair_sentences(found.rankings, *pair):
            console.print(sentence, markup=False, soft_wrap=True)
        return
    view = read_view(found, columns.split(",") if columns else (), sort, top, group_by)
    with open_results(folder).writing():
        files = write_report(found, folder)
    print_report(found, console, view, per_class=per_class)
    _tell_written(files)


@app.command()
def rank(
    results: Annotated[
        list[Path] | None,
        typer.Argument(help="Suites' results; the newest of ./results if left out."),
    ] = None,
    over: Annotated[
        bool,
        typer.Option("--over-corpora", help="Over all corpora too, five or more, with a diagram."),
    ] = False,
) -> None:
    """Say which rows are better than which others, and how sure that is."""
    from harness.reporting.rendering import (
        print_over_corpora,
        print_ranking,
        write_critical_differences,
    )
    from harness.results.ranking import rank_over_corpora
    from harness.results.store import open_results

    folders = results or [_newest(Path("results"))]
    rankings = api.rank(folders)
    if not rankings:
        raise UserError("there are no two rows on one corpus to set side by side")
    for ranking in rankings:
        print_ranking(ranking, console)
    if over:
        ranks = rank_over_corpora(rankings)
        print_over_corpora(ranks, console)
        with open_results(folders[0]).writing():
            _tell_written(write_critical_differences(ranks, folders[0]))


@app.command()
def merge(
    sources: Annotated[
        list[Path], typer.Argument(help="A suite's results, such as results/shard-*-of-8/smoke.")
    ],
    results: ResultsOption = Path("results"),
) -> None:
    """Join the results of a suite's shards in RESULTS, and report on them."""
    done = api.merge(sources, results)
    _show(done.report, done.files)
    console.print(done.merged.line(), markup=False, soft_wrap=True)


@app.command()
def compare(
    base: Annotated[Path, typer.Argument(help="A suite's results: how it was.")],
    head: Annotated[Path, typer.Argument(help="A suite's results: how it is.")],
    more_limits: Annotated[
        list[str] | None, typer.Argument(metavar="[LIMIT]...", help="More of --fail-on.")
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="FIGURE:LIMIT",
            help="Exit with 1 if a figure goes too far, or may have for all that noise lets one "
            "see: uar:-0.02 (falls), peak_rss_bytes:+5% (rises), total_parameters:0 (either); or "
            "is only in BASE.",
        ),
    ] = None,
    allow_unsure: Annotated[
        bool,
        typer.Option("--allow-unsure", help="Pass what may have gone too far by noise alone."),
    ] = False,
    across_machines: Annotated[
        bool, typer.Option("--across-machines", help="Compare speeds of unlike machines too.")
    ] = False,
) -> None:
    """Set two results folders side by side, and fail where HEAD is too much worse than BASE."""
    from harness.reporting.changes_text import breach_line, comparison_text, unsure_line
    from harness.results.comparison.limits import judged, lacking, read_limit
    from harness.results.comparison.results_comparison import compare as compared
    from harness.results.store import open_results

    if more_limits and not fail_on:
        raise UserError(f"compare takes two folders; what is {more_limits[0]!r}?")
    limits = [read_limit(text) for text in [*(fail_on or []), *(more_limits or [])]]
    found = compared(open_results(base), open_results(head), across_machines=across_machines)
    console.print(comparison_text(found), markup=False, soft_wrap=True)
    too_far = [breach_line(*breach) for breach in judged(limits, found, "breached")]
    too_far += lacking(limits, found)
    unsure = [unsure_line(*doubt) for doubt in judged(limits, found, "unsure")]
    for word, lines in (("FAILED", too_far), ("UNSURE", unsure)):
        for line in lines:
            console.print(f"{word}: {line}", markup=False, soft_wrap=True)
    if too_far:
        raise TrialError(f"--fail-on found {len(too_far)} changes that go too far")
    if unsure and not allow_unsure:
        raise TrialError(
            f"--fail-on cannot tell of {len(unsure)} changes whether they go too far: give it more "
            "test speakers, folds, seeds or samples, a wider limit, or --allow-unsure"
        )


@app.command()
def evaluate(
    results: Annotated[Path, typer.Argument(help="A suite's results.")],
    trial: Annotated[
        str | None, typer.Option("--trial", help="Only this trial id; else every kept model.")
    ] = None,
    corpus: Annotated[
        str | None,
        typer.Option(
            "--corpus",
            help="Score on the whole of another corpus: a known name, or a YAML file that "
            "describes one as a suite does. Else on each trial's own dev and test.",
        ),
    ] = None,
    device: DeviceOption = "auto",
    offline: OfflineOption = False,
) -> None:
    """Score kept models again, without training; models that may not be scored are passed over.

    Outcomes and tables are written below RESULTS/evaluations. Exits with 1 if something is broken,
    and with 2 if no model may be scored.
    """
    from harness.reporting.rendering import print_report

    with reporting(console) as reporter:
        done = api.evaluate(
            results, trial=trial, corpus=corpus, device=device, offline=offline, reporter=reporter
        )
    for found in done.reports:
        print_report(found, console, per_class=True)
    if done.files:
        console.print(f"written: {', '.join(map(str, done.files))}", markup=False, soft_wrap=True)
    done.evaluation.raise_for_failures()


@app.command()
def prefetch(
    suite: Annotated[str | None, typer.Argument(help="Fetch all that this suite needs.")] = None,
    backbone: Annotated[
        list[str] | None, typer.Option("--backbone", help="Fetch this backbone.")
    ] = None,
    corpus: Annotated[list[str] | None, typer.Option("--corpus", help="Fetch this corpus.")] = None,
    changes: SetOption = None,
) -> None:
    """Fetch backbones and corpora ahead of time; what is on this machine is found and said."""
    from harness.data.prefetch.requirements import prefetch_all, requirements_of

    if not (suite or backbone or corpus):
        raise UserError("say what to fetch: a suite, --backbone NAME or --corpus NAME")
    intent = load_suite(suite, changes or []) if suite else None
    with reporting(console) as reporter:
        prefetch_all(requirements_of(intent, backbone or [], corpus or []), reporter)


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(help="backbones, corpora, poolings, losses or suites.")],
) -> None:
    """List what the harness knows by name."""
    from harness.reporting.listing import listing

    console.print(listing(what), markup=False, soft_wrap=True)


@app.command()
def doctor(
    suite: Annotated[
        str | None, typer.Argument(help="Only the backbones of this suite, its own included.")
    ] = None,
    backbone: Annotated[
        list[str] | None,
        typer.Option("--backbone", help="Only this backbone; else all that are on this machine."),
    ] = None,
    changes: SetOption = None,
    results: ResultsOption = Path("results"),
) -> None:
    """Say what this machine can measure, and check the backbones that are on it.

    Each backbone is loaded and must keep its contract. Where a suite or backbones are named, only
    those are looked at.
    """
    from harness.data.prefetch.requirements import requirements_of
    from harness.diagnostics import Check
    from harness.diagnostics.backbone_checks import examine
    from harness.diagnostics.folder_checks import examine_folders
    from harness.diagnostics.machine_checks import examine_machine

    intent = load_suite(suite, changes or []) if suite else None
    wanted = requirements_of(intent, backbone or [], []).backbones

    def printed(check: Check) -> Check:
        console.print(check.line(), markup=False, soft_wrap=True)
        return check

    looks = () if wanted else chain(examine_folders(results), examine_machine())
    of_machine = [printed(check) for check in looks]
    of_backbones = [printed(check) for check in examine(wanted)]
    if not of_backbones:
        nothing = "no backbone is on this machine: `harness prefetch --backbone NAME` fetches one"
        console.print(nothing, markup=False)
    checks = of_machine + of_backbones
    failed = sum(check.ok is False for check in checks)
    console.print(f"{len(checks)} checks, {failed} failed", markup=False)
    if failed:
        raise typer.Exit(1)


def _show(found: Report, files: Sequence[Path]) -> None:
    from harness.reporting.rendering import print_report

    print_report(found, console)
    _tell_written(files)


def _tell_written(files: Sequence[Path]) -> None:
    console.print(f"written: {', '.join(map(str, files))}", markup=False, soft_wrap=True)


def _newest(results: Path) -> Path:
    suites = [path.parent for path in results.glob("*/trials")]
    if not suites:
        raise UserError(f"no results in {results}/: run a suite first, or name the folder")
    return max(suites, key=lambda folder: (folder / "trials").stat().st_mtime)
