"""Arguments that several commands take, with their help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.runs.runtime_options import EngineName
from harness.specs import FramesChoice


class EndedBadly(StrEnum):
    """How a trial may have ended that is tried again."""

    failed = "failed"
    oom = "oom"
    timeout = "timeout"
    crashed = "crashed"


SuiteArgument = Annotated[str, typer.Argument(help="A suite's YAML file, or a shipped name.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change the suite, e.g. training.epochs=2."),
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="PATTERN", help="Only matching trials, e.g. 'wavlm*'."),
]
LimitOption = Annotated[
    int | None,
    typer.Option("--limit-utterances", min=1, help="Use N utterances of each corpus (marked)."),
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="K/N",
        help="Only the K-th of N parts of that, with results of its own; `merge` joins them.",
    ),
]
ResultsOption = Annotated[Path, typer.Option("--results", help="Folder that holds all results.")]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Never touch the network.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")]
DevicesOption = Annotated[
    str,
    typer.Option("--device", help="auto, cpu, cuda (all GPUs), cuda:N or cuda:0,cuda:2."),
]
FramesOption = Annotated[
    FramesChoice,
    typer.Option(
        "--frames",
        help="How the frozen layers' frames are kept: in each trial's precision, in a stated "
        "one, or not at all.",
    ),
]
EstimateOption = Annotated[
    bool,
    typer.Option(
        "--estimate", help="First say what it will take in time and disk on this machine."
    ),
]


def _jobs(text: str | int | None) -> int | None:
    if text is None or isinstance(text, int):
        return text
    if text == "auto":
        return None
    if text.isdigit():
        return int(text)
    raise typer.BadParameter(f"{text!r} is neither a number of workers nor auto")


JobsOption = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N|auto",
        parser=_jobs,
        help="Workers side by side on each device; auto: as many as pay.",
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads", min=1, help="Threads of arithmetic of each worker; else a share of the cores."
    ),
]
EngineOption = Annotated[
    EngineName,
    typer.Option(
        "--engine",
        help="process: workers, whose crash ends one trial; inline: no other process; ray: the "
        "nodes of a Ray cluster.",
    ),
]
RetryOption = Annotated[
    list[EndedBadly] | None,
    typer.Option(
        "--retry",
        help="Of the trials that ended badly before, only those that ended so; else all of them.",
    ),
]
ColumnsOption = Annotated[
    str,
    typer.Option(
        "--columns",
        metavar="NAMES",
        help="In place of those that decide: scores, trials, cost, all, deciding, or names of "
        "columns of comparison.csv, separated by commas.",
    ),
]
SortOption = Annotated[
    str,
    typer.Option(
        "--sort",
        metavar="COLUMN",
        help="Best first: high scores and speeds, low costs; -COLUMN turns that round.",
    ),
]
TopOption = Annotated[
    int | None,
    typer.Option(
        "--top", metavar="N", help="N rows of each corpus: the best, or the first of --sort."
    ),
]
GroupByOption = Annotated[
    str,
    typer.Option("--group-by", metavar="COLUMN", help="A section for each value, such as of loss."),
]
PerClassOption = Annotated[
    bool,
    typer.Option("--per-class", help="Also the confusion and the F1 of each class, row by row."),
]
ListOption = Annotated[bool, typer.Option("--list", help="Every trial with its id, too.")]
