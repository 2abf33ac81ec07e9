"""Arguments that several commands take, with their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.specs import FramesChoice

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
ResultsOption = Annotated[Path, typer.Option("--results", help="Folder that holds all results.")]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Never touch the network.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")]
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
