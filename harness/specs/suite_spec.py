"""What a suite may say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from harness.specs.data_specs import ListedBackbone, ListedCorpus, ProtocolSpec
from harness.specs.spec_base import Count, Number, PositiveFloat, PositiveInt, Spec, Tracker
from harness.specs.training_specs import HeadSpec, TrainingSpec

Duration = Annotated[Number, Field(gt=0, le=3600)]


class CostSpec(Spec):
    """What the cost pass measures."""

    durations_s: Annotated[tuple[Duration, ...], Field(min_length=1)] = (3.0,)
    batch_sizes: Annotated[tuple[Count, ...], Field(min_length=1)] = (1, 8)
    rounds: Count = 2
    """In how many processes, minutes apart, a workload is measured; the steps are those of one."""
    infer_steps: Count = 10
    train_steps: Count = 5
    energy_s: Duration = 5.0
    """How long work is repeated while the energy counter runs; short ones read 0."""
    max_spread: PositiveFloat = 0.25
    """What samples may spread, (p90 - p10) / median, before they are marked unstable."""


class Suite(Spec):
    """The intent of a whole run, as its YAML says it."""

    suite: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    description: str = ""
    corpora: tuple[ListedCorpus, ...]
    """Empty if nothing is to be trained and only costs are measured."""
    task: str = "classification"
    """What is predicted: a name in `harness.tasks.TASKS`."""
    primary: str | None = None
    """The metric that ranks rows; the headline of the task when left out."""
    protocol: ProtocolSpec = ProtocolSpec()
    backbones: Annotated[tuple[ListedBackbone, ...], Field(min_length=1)]
    matrix: dict[str, Any] = {}
    """Axis -> list of values, with optional `include` and `exclude`; see `harness.config.axes`."""
    head: HeadSpec = HeadSpec()
    training: TrainingSpec = TrainingSpec()
    choose: dict[str, tuple[Any, ...]] = {}
    """Axis -> values among which dev chooses in every trial; YAML says it at the setting itself:
    see `harness.config.choose`."""
    cost: CostSpec | None = CostSpec()
    keep_models: Literal["none", "best", "all"] = "best"
    tracking: tuple[Tracker, ...] = ()
    """Where people look at runs, beside the report."""
    must_beat_majority: bool = False
    """Fail the run unless every backbone's best cell beats guessing the majority class."""

    @field_validator("corpora", "backbones", mode="before")
    @classmethod
    def _names_are_specs(cls, items: Any) -> Any:
        if not isinstance(items, list | tuple):
            return items
        return [{"name": item} if isinstance(item, str) else item for item in items]


class Shard(Spec):
    """One of the parts that a selection is cut into."""

    number: PositiveInt
    """From 1."""
    of: PositiveInt

    def __str__(self) -> str:
        """As it is written on the command line."""
        return f"{self.number}/{self.of}"


class Selection(Spec):
    """Which part of a suite a run was asked for; it decides no outcome."""

    only: tuple[str, ...] = ()
    """Patterns of backbones or trial names; all trials when empty."""
    limit_utterances: PositiveInt | None = None
    """How many utterances of each corpus; all when left out."""
    shard: Shard | None = None
    """Which part of what the patterns select; all when left out."""
