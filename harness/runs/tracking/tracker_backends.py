"""How each tracker is opened, through accelerate, and where it keeps what it is told.

Only a tracker's own process imports this: none of it is needed to run a trial.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from accelerate.tracking import GeneralTracker, MLflowTracker, TensorBoardTracker, WandBTracker
from matplotlib.image import imread

PROJECT = "ser-harness"

Open = Callable[[Path, str, str, str], GeneralTracker]
"""Of the tracking folder, the suite, a run's id and its name."""


def open_wandb(folder: Path, suite: str, run_id: str, name: str) -> GeneralTracker:
    """A run of W&B in the suite's group; its own variables say where it goes and whether now."""
    import wandb

    os.environ.setdefault("WANDB_SILENT", "true")
    folder.mkdir(parents=True, exist_ok=True)
    # what the machine does meanwhile, and what else there is to know of it, is not the trial's
    quiet = wandb.Settings(
        console="off", disable_git=True, save_code=False, x_disable_meta=True, x_disable_stats=True
    )
    return WandBTracker(
        os.environ.get("WANDB_PROJECT", PROJECT),
        dir=folder,
        id=run_id,
        name=name,
        group=suite,
        settings=quiet,
    )


def open_tensorboard(folder: Path, suite: str, run_id: str, name: str) -> GeneralTracker:
    """Event files in a folder of the run's name."""
    return TensorBoardTracker(name, folder / "tensorboard")


def open_mlflow(folder: Path, suite: str, run_id: str, name: str) -> GeneralTracker:
    """A run in the suite's experiment, on `$MLFLOW_TRACKING_URI` or a SQLite file of the suite."""
    import mlflow

    files = None
    if "MLFLOW_TRACKING_URI" not in os.environ:
        folder.mkdir(parents=True, exist_ok=True)
        mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
        files = (folder / "mlflow").as_uri()
    known = mlflow.search_runs(
        experiment_names=[os.environ.get("MLFLOW_EXPERIMENT_NAME", suite)],
        filter_string=f"tags.harness_run = '{run_id}'",
        output_format="list",
    )
    return MLflowTracker(
        suite,
        files,
        run_id=known[0].info.run_id if known else None,
        run_name=name,
        tags={"harness_run": run_id, "suite": suite},
    )


def attach_wandb(tracker: GeneralTracker, report: Path) -> None:
    """The report as an artifact of W&B."""
    import wandb

    run: Any = tracker.tracker
    artifact = wandb.Artifact("report", type="report")
    artifact.add_dir(str(report))
    run.log_artifact(artifact)


def attach_tensorboard(tracker: GeneralTracker, report: Path) -> None:
    """The report's tables as texts, and its figure."""
    tracker.log({path.stem: path.read_text(encoding="utf-8") for path in report.glob("*.md")})
    figures = {path.stem: imread(path)[None, :, :, :3] for path in report.glob("*.png")}
    writer: Any = tracker
    writer.log_images(figures, dataformats="NHWC")


def attach_mlflow(tracker: GeneralTracker, report: Path) -> None:
    """The report as artifacts of MLflow."""
    run: Any = tracker
    run.log_artifacts(str(report), "report")


REPLACING = frozenset({"wandb"})
"""Trackers that keep of a run what was told since it was opened last, and are told all of it again.

W&B could append to a run that is online, but `wandb sync` lets a later file replace an earlier one.
"""

OPEN: dict[str, Open] = {
    "wandb": open_wandb,
    "tensorboard": open_tensorboard,
    "mlflow": open_mlflow,
}
ATTACH: dict[str, Callable[[GeneralTracker, Path], None]] = {
    "wandb": attach_wandb,
    "tensorboard": attach_tensorboard,
    "mlflow": attach_mlflow,
}
