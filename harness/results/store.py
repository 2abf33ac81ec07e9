"""The results folder: where records lie, and how they get there whole.

<results>/<suite>/trials/<trial_id>/record.json
                                    predictions.parquet
                                    model.safetensors       if the model is kept
                                    checkpoints/            of a trial that is not finished
                  costs/<cost_id>/record.json
                  inputs.json                  digests of the data and weights that runs found
                  estimate.json                what the latest run was expected to take, and took
                  evaluations/                 kept models scored again: folders of results, too
                  superseded/                  records whose inputs have changed since
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError

from harness.errors import ResultsError
from harness.files import atomic_path, file_digest, parse_json, write_text
from harness.results.current_inputs import CurrentInputs
from harness.results.records import SCHEMA_VERSION, CostRecord, Record
from harness.results.seen_statements import SeenStatements
from harness.specs import Selection, Trial

RECORD = "record.json"
PREDICTIONS = "predictions.parquet"
MODEL = "model.safetensors"
CHECKPOINTS = "checkpoints"
PLAN = "plan.json"
ESTIMATE = "estimate.json"
INPUTS = "inputs.json"
SEEN = "seen.json"
REPORT = "report"
EVALUATIONS = "evaluations"

GO_ON = ("crashed", "oom")
"""How trials ended that go on from where they were; others begin anew."""

_REMEDY = "move its folder away and run the suite again"

AnyRecord = TypeVar("AnyRecord", Record, CostRecord)
Noted = TypeVar("Noted", CurrentInputs, SeenStatements)


@dataclass(frozen=True)
class ResultsStore:
    """One suite's folder of results."""

    folder: Path

    @property
    def trials(self) -> Path:
        """Folder with one folder a trial."""
        return self.folder / "trials"

    @property
    def costs(self) -> Path:
        """Folder with one folder a cost measurement."""
        return self.folder / "costs"

    def trial(self, trial_id: str) -> Path:
        """Folder of one trial."""
        return self.trials / trial_id

    def evaluation(self, corpus: str | None, *, all_outputs: bool = False) -> ResultsStore:
        """Results of the models kept here, scored again without training.

        Args:
            corpus: a corpus's name, for scores on all of it; None for each trial's own splits
            all_outputs: chosen among all that a network knows, and not those of the corpus alone
        """
        within = self.folder / EVALUATIONS
        if corpus is None:
            return ResultsStore(within / "own_splits")
        chosen = "all_outputs" if all_outputs else "shared_outputs"
        return ResultsStore(within / "corpora" / corpus / chosen)

    def prepare(self) -> None:
        """Make the folder, or say clearly why it cannot be written.

        Raises:
            ResultsError: the folder cannot be made or written to.
        """
        try:
            self.trials.mkdir(parents=True, exist_ok=True)
            write_text(self.folder / ".writable", "")
            (self.folder / ".writable").unlink()
        except OSError as error:
            raise ResultsError(
                f"cannot write results to {self.folder}: {error.strerror}. "
                "Choose another folder with --results"
            ) from error

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Tell what keeps results from being written in this block, and what to do.

        Raises:
            ResultsError: the disk is full, or the folder cannot be written any more.
        """
        try:
            yield
        except (OSError, SafetensorError) as error:
            raise ResultsError(
                f"cannot write results to {self.folder}: {error}. What was finished is kept: make "
                "room, or choose another folder with --results, and run again"
            ) from error

    def write_trial(self, record: Record, predictions: pd.DataFrame | None) -> Record:
        """Save a trial's outcome; the record comes last, so a record means all is there.

        Returns:
            The record as it was written, with the digest of its predictions.
        """
        folder = self.trial(record.trial_id)
        if predictions is not None:
            with atomic_path(folder / PREDICTIONS) as temporary:
                predictions.to_parquet(temporary, index=False)
                digest = file_digest(temporary)
            record = record.model_copy(update={"predictions_digest": digest})
        write_text(folder / RECORD, record.model_dump_json(indent=1))
        if record.status not in GO_ON:
            self.discard_checkpoints(record.trial_id)
        return record

    def discard_checkpoints(self, trial_id: str) -> None:
        """Have a trial begin anew."""
        shutil.rmtree(self.trial(trial_id) / CHECKPOINTS, ignore_errors=True)

    def write_cost(self, record: CostRecord) -> None:
        """Save one cost measurement."""
        write_text(self.costs / record.cost_id / RECORD, record.model_dump_json(indent=1))

    def read_trials(self) -> list[Record]:
        """Every trial's record, by trial id."""
        return [read_record(path, Record) for path in _records_in(self.trials)]

    def read_costs(self) -> list[CostRecord]:
        """Every cost record, by id."""
        return [read_record(path, CostRecord) for path in _records_in(self.costs)]

    def has_trial(self, trial_id: str) -> bool:
        """Whether the outcome of a trial lies there."""
        return (self.trial(trial_id) / RECORD).exists()

    def find_trial(self, trial_id: str) -> Record | None:
        """The record of one trial, if it has one."""
        path = self.trial(trial_id) / RECORD
        return read_record(path, Record) if path.exists() else None

    def find_cost(self, cost_id: str) -> CostRecord | None:
        """One cost record, if it was measured."""
        path = self.costs / cost_id / RECORD
        return read_record(path, CostRecord) if path.exists() else None

    def read_predictions(self, record: Record) -> pd.DataFrame:
        """Columns utterance_id, split, speaker, label, and p_<class> for every class.

        Raises:
            FileNotFoundError: the trial left none.
            ResultsError: the file is damaged, or is not that of the record.
        """
        path, stated = self.trial(record.trial_id) / PREDICTIONS, record.predictions_digest
        if stated is not None and file_digest(path) != stated:
            raise ResultsError(f"{path} is not the file that its record speaks of: {_REMEDY}")
        try:
            return pd.read_parquet(path)
        except FileNotFoundError:
            raise
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            raise ResultsError(f"{path} is damaged: {_REMEDY}") from error

    def write_plan(
        self, trials: Iterable[Trial], selection: Selection, primary: str | None = None
    ) -> None:
        """Note the trials of the whole suite, so that a report can miss some.

        Args:
            trials: all of them, whatever the latest run was asked for
            selection: what it was asked for
            primary: the metric that ranks rows, where the suite names one
        """
        plan = {
            "primary": primary,
            "trials": [trial.model_dump(mode="json") for trial in trials],
            "selection": selection.model_dump(mode="json"),
        }
        write_text(self.folder / PLAN, json.dumps(plan))

    def read_plan(self) -> list[Trial]:
        """The trials of the whole suite; none if there was no run here."""
        return self._plan().trials

    def read_primary(self) -> str | None:
        """The metric that ranks rows, where the suite names one."""
        return self._plan().primary

    def _plan(self) -> _NotedPlan:
        path = self.folder / PLAN
        try:
            return _plan_of(parse_json(path.read_text("utf-8"))) if path.exists() else _NotedPlan()
        except (ValueError, KeyError) as error:  # ValidationError is one
            raise ResultsError(f"{path} is damaged: delete it and run the suite again") from error

    def write_inputs(self, inputs: CurrentInputs) -> None:
        """Note which data and weights lie there now."""
        write_text(self.folder / INPUTS, inputs.model_dump_json(indent=1))

    def read_inputs(self) -> CurrentInputs:
        """Which data and weights the latest runs found; nothing if that was not noted.

        Raises:
            ResultsError: the file is damaged.
        """
        return self._noted(INPUTS, CurrentInputs)

    def write_seen(self, said: SeenStatements) -> None:
        """Note what suites say of what their corpora are and their backbones have seen."""
        write_text(self.folder / SEEN, said.model_dump_json(indent=1))

    def read_seen(self) -> SeenStatements:
        """What suites say of what their corpora are and their backbones have seen.

        Raises:
            ResultsError: the file is damaged.
        """
        return self._noted(SEEN, SeenStatements)

    def _noted(self, name: str, kind: type[Noted]) -> Noted:
        path = self.folder / name
        try:
            return kind.model_validate_json(path.read_bytes() if path.exists() else b"{}")
        except ValidationError as error:
            raise ResultsError(f"{path} is damaged: delete it and run the suite again") from error

    def write_estimate(self, text: str) -> None:
        """Keep what the latest run that had something to do was expected to take, and took."""
        write_text(self.folder / ESTIMATE, text)

    def write_quality(self, corpus: str, lines: Iterable[str]) -> None:
        """Keep a corpus's quality report beside the results that rest on it."""
        write_text(self.folder / "quality" / f"{corpus}.txt", "\n".join([*lines, ""]))

    def supersede(self, outcome: Path) -> Path:
        """Set the folder of an outcome aside that makes way; nothing finished is deleted."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        folder = self.folder / "superseded"
        folder.mkdir(parents=True, exist_ok=True)
        # a clock that was set back may tell a time for the second time
        names = (f"{outcome.name}-{stamp}-{number}" for number in count(1))
        return outcome.rename(next(folder / name for name in names if not (folder / name).exists()))


def open_results(folder: Path) -> ResultsStore:
    """The store of an existing results folder.

    Raises:
        ResultsError: there are no trials in it.
    """
    if not (folder / "trials").is_dir():
        raise ResultsError(
            f"no results in {folder}: expected a folder `trials` in it. "
            "Give the folder of one suite, for example results/smoke"
        )
    return ResultsStore(folder)


def read_record(path: Path, kind: type[AnyRecord]) -> AnyRecord:
    """Read and check one record.

    Raises:
        ResultsError: it is not a record, or was written by a newer version.
    """
    if path.exists() and not path.is_file():
        raise ResultsError(f"{path} is no file: {_REMEDY}")
    try:
        text = path.read_text(encoding="utf-8")
        version = _Versioned.model_validate_json(text).schema_version
        if version > SCHEMA_VERSION:
            raise ResultsError(
                f"{path} has schema version {version}, this harness reads up to "
                f"{SCHEMA_VERSION}: upgrade it"
            )
        return kind.model_validate_json(text)
    except (ValidationError, UnicodeDecodeError) as error:
        first = str(error).splitlines()[0]
        raise ResultsError(
            f"{path} is not a record of this harness ({first}): {_REMEDY}"
        ) from error


class _NotedPlan(BaseModel):
    trials: list[Trial] = []
    primary: str | None = None


def _plan_of(content: Any) -> _NotedPlan:
    # until schema 3 the file was the bare list of the trials that were selected
    noted = content if isinstance(content, dict) else {"trials": content}
    return _NotedPlan.model_validate({"trials": noted["trials"], "primary": noted.get("primary")})


class _Versioned(BaseModel):
    schema_version: int


def _records_in(folder: Path) -> Iterable[Path]:
    return sorted(folder.glob(f"*/{RECORD}"))
