"""What a suite may say, and what a trial is. Frozen, typed, and strict about unknown keys."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticKnownError

from harness.files import content_digest


def _no_bool(value: Any) -> Any:
    # YAML reads a bare `yes` as true, which would pass for the number 1
    if isinstance(value, bool):
        raise PydanticKnownError("float_type")
    return value


Integer = Annotated[int, BeforeValidator(_no_bool)]
Number = Annotated[float, BeforeValidator(_no_bool)]
PositiveFloat = Annotated[Number, Field(gt=0)]
PositiveInt = Annotated[Integer, Field(ge=1)]
Share = Annotated[Number, Field(ge=0, lt=1)]
FinetuneLayers = Annotated[Integer, Field(ge=0)] | Literal["all"]
Handling = Literal["refuse", "exclude", "keep"]
DtypeName = Literal["float32", "bf16", "fp16"]
Precision = Literal["auto", DtypeName]
FramesChoice = Literal["auto", "off", DtypeName]
"""How frames of frozen layers are kept: in the trial's own precision, not at all, or as stated."""
FrozenMode = Literal["eval", "train"]
Tracker = Literal["wandb", "tensorboard", "mlflow"]

HeadKind = Literal["mlp", "logistic_regression", "knn"]

PROBES = ("logistic_regression", "knn")
"""Kinds of head that need no training loop."""
PROBE_LOSSES = ("cross_entropy", "weighted_cross_entropy")
"""What a probe can take the place of: all utterances count the same in it, or all classes."""
_OF_NETWORKS = ("hidden_dim", "head_dim", "head_layers", "dropout")

TRIAL_ID_LENGTH = 12
CLASSIC_LOSS_FACTOR = 1.05

MISSING_VALUES = frozenset(
    ("", "none", "nan", "null", "nil", "n/a", "na", "nat", "<na>", "#n/a", "~", "undefined")
)
"""How programs write that there is no value, in small letters."""


class Spec(BaseModel):
    """Base of all suite parts: immutable, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __hash__(self) -> int:
        """Of the content, which may hold mappings; equal specs hash alike."""
        return hash(content_digest(self.model_dump(mode="json")))


class QualitySpec(Spec):
    """What happens to a recording with a fault: refuse the corpus, exclude it, or keep it."""

    undecodable: Literal["refuse", "exclude"] = "refuse"
    empty: Literal["refuse", "exclude"] = "refuse"
    silent: Handling = "refuse"
    over_scale: Handling = "refuse"
    too_short: Literal["refuse", "exclude"] = "refuse"
    duplicate: Handling = "keep"


class CorpusSpec(Spec):
    """One corpus: a known name, or a name with the kind of reader and where it lies."""

    name: str
    kind: str = ""
    """A reader in `harness.data.corpora.CORPORA`; the name itself when left out."""
    root: str | None = None
    """Folder of the recordings; else $HARNESS_CORPORA/<name>."""
    manifest: str | None = None
    """For kinds that read one: the list of utterances, relative to the root."""
    ignore_columns: tuple[str, ...] = ()
    """Columns of that list that are neither read nor checked, whatever their names look like."""
    labels: dict[str, str | None] | None = None
    """Corpus label -> class; null leaves a label out, and every label must be named."""
    speaker_overlap: Literal["refused", "allowed"] = "refused"
    partial: Literal["refuse", "allow"] = "refuse"
    """Whether fewer recordings than the corpus is known to have are acceptable."""
    quality: QualitySpec = QualitySpec()

    @field_validator("labels")
    @classmethod
    def _named_classes(cls, labels: dict[str, str | None] | None) -> dict[str, str | None] | None:
        for label, name in (labels or {}).items():
            if name is not None and name.strip().casefold() in MISSING_VALUES:
                raise ValueError(
                    f"a name for {label!r} ({name!r} looks like a missing value), or null, "
                    "without quotes, to leave the label out"
                )
        return labels

    @property
    def reader(self) -> str:
        """Name of the reader in the table of corpora."""
        return self.kind or self.name


class BackboneSpec(Spec):
    """One backbone: a known name, and optionally other weights for it; or one of your own."""

    name: str
    kind: str = ""
    """The family of a backbone of your own, such as hubert; it needs a source."""
    source: str | None = None
    """A local folder, instead of the places where backbones are looked for; with a kind, also
    a repository of the Hugging Face hub, org/name."""
    revision: str | None = None
    init: Literal["pretrained", "random"] = "pretrained"

    @property
    def folder(self) -> str | None:
        """Where to load a known backbone from; the card of one of your own tells its place."""
        return None if self.kind else self.source


class ProtocolSpec(Spec):
    """How a corpus is cut into folds and splits."""

    folds: PositiveInt | Literal["loso", "official", "emobox"] = 5
    dev_speakers: PositiveInt | None = None
    """Speakers cut from train for dev; a fifth of them, at least one, when left out."""
    only_folds: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] | None = None

    @field_validator("folds")
    @classmethod
    def _two_or_more(cls, folds: int | str) -> int | str:
        if folds == 1:
            raise ValueError("needs at least 2 folds, or one of loso, official, emobox")
        return folds


class HeadSpec(Spec):
    """What of the backbone is used, pooling and classifier."""

    kind: HeadKind = "mlp"
    """A network that is trained, or a probe: a classifier of scikit-learn on pooled frames of the
    frozen backbone, for which dev chooses its one setting."""
    layers: Literal["last", "weighted_sum"] = "last"
    """The last hidden state, or SUPERB's learned weighted sum of all (at finetune_layers 0)."""
    pooling: str = "statistics"
    hidden_dim: PositiveInt | None = 128
    """Width of the pooling attention, where there is one; null for the backbone's hidden size."""
    head_dim: PositiveInt = 256
    """Width of the classifier's hidden layers."""
    head_layers: Annotated[Integer, Field(ge=0)] = 1
    dropout: Share = 0.5

    @model_validator(mode="before")
    @classmethod
    def _only_what_a_probe_uses(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("kind", "mlp") not in PROBES:
            return data
        # attention is learned by gradients; where it begins, it is plain statistics
        pooling = (
            data["pooling"] if data.get("pooling") in ("mean", "MeanPooling") else "statistics"
        )
        kept = {key: value for key, value in data.items() if key not in _OF_NETWORKS}
        return kept | {"pooling": pooling}


class LearningRateSpec(Spec):
    """Peak learning rates."""

    head: PositiveFloat = 1e-3
    backbone: PositiveFloat = 1e-5


class EarlyStoppingSpec(Spec):
    """When to stop and which epoch's model to keep, both judged on dev."""

    rule: Literal["full_window", "classic"] = "full_window"
    """Averages over a full window alone compete; or the common recipe, in which those of the first
    epochs do too, and which stops on the dev loss of a single epoch."""
    metric: str = "macro_f1"
    """One of the task's for which higher is better."""
    window: PositiveInt = 5
    """Epochs in the moving average of the metric."""
    loss_factor: Annotated[Number, Field(ge=1)] | None = None
    """Stop once dev loss, averaged over the window, passes this times its minimum; null never stops
    early, except with the classic rule, where it is 1.05."""

    @model_validator(mode="before")
    @classmethod
    def _classic_stops(cls, data: Any) -> Any:
        classic = isinstance(data, dict) and data.get("rule") == "classic"
        if classic and data.get("loss_factor") is None:
            return data | {"loss_factor": CLASSIC_LOSS_FACTOR}
        return data


class TrainingSpec(Spec):
    """The fit."""

    epochs: PositiveInt | None = None
    """When left out 30, on a small corpus more, so that there are about 1,000 optimiser steps."""
    batch_seconds: PositiveFloat = 64.0
    learning_rate: LearningRateSpec = LearningRateSpec()
    weight_decay: Annotated[Number, Field(ge=0)] = 0.01
    warmup_share: Share = 0.1
    """Share of all steps in which the rates rise linearly; then they fall linearly to 0."""
    max_grad_norm: PositiveFloat = 1.0
    accumulation_steps: PositiveInt = 1
    crop_s: PositiveFloat | None = 10.0
    """Longest excerpt of a training utterance, cut at random each epoch; dev and test are whole."""
    precision: Precision = "auto"
    frozen_mode: FrozenMode = "eval"
    early_stopping: EarlyStoppingSpec = EarlyStoppingSpec()
    time_limit_s: PositiveFloat | None = None


class CostSpec(Spec):
    """What the cost pass measures."""

    durations_s: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] = (3.0,)
    batch_sizes: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (1, 8)
    rounds: PositiveInt = 2
    """In how many processes, minutes apart, a workload is measured; the steps are those of one."""
    infer_steps: PositiveInt = 10
    train_steps: PositiveInt = 5
    energy_s: PositiveFloat = 5.0
    """How long work is repeated while the energy counter runs; short ones read 0."""
    max_spread: PositiveFloat = 0.25
    """What samples may spread, (p90 - p10) / median, before they are marked unstable."""


class Suite(Spec):
    """The intent of a whole run, as its YAML says it."""

    suite: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    description: str = ""
    corpora: tuple[CorpusSpec, ...]
    """Empty if nothing is to be trained and only costs are measured."""
    task: str = "classification"
    """What is predicted: a name in `harness.tasks.TASKS`."""
    protocol: ProtocolSpec = ProtocolSpec()
    backbones: Annotated[tuple[BackboneSpec, ...], Field(min_length=1)]
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


class Axes(Spec):
    """What the matrix of a suite can vary."""

    finetune_layers: FinetuneLayers = 0
    loss: str = "weighted_cross_entropy"
    seed: Annotated[Integer, Field(ge=0)] = 1
    head: HeadSpec = HeadSpec()
    training: TrainingSpec = TrainingSpec()


_NOT_INTENT = {
    "corpus": {"root", "manifest"},
    "backbone": {"source"},
    "protocol": {"only_folds"},
    "training": {"time_limit_s"},
}


class Trial(Axes):
    """One run of the matrix; everything that decides its outcome, and nothing else."""

    corpus: CorpusSpec
    protocol: ProtocolSpec
    fold: PositiveInt
    backbone: BackboneSpec
    limit_utterances: PositiveInt | None = None
    task: str = "classification"
    choose: dict[str, tuple[Any, ...]] = {}
    """Axis -> values among which dev chooses; `head` and `training` have the first of each."""

    @property
    def trial_id(self) -> str:
        """Hash of the intent: the same wherever the corpus lies and in whatever suite.

        Folders of this machine and which other folds run beside it are left out; that weights,
        recordings and labels are still the same is told by the digests in the record.
        """
        # without defaults, a setting that a later version adds leaves the ids of today as they are
        content = self.model_dump(mode="json", exclude_defaults=True, exclude=_NOT_INTENT)
        stated = {part: value for part, value in content.items() if value != {}}
        return content_digest(stated)[:TRIAL_ID_LENGTH]

    def settings(self) -> dict[str, Any]:
        """All that decides the outcome, defaults included: `trial_id` leaves those out."""
        return self.model_dump(mode="json", exclude=_NOT_INTENT)

    def describe(self) -> str:
        """One short line for progress and logs."""
        return (
            f"{self.corpus.name} fold {self.fold} · {self.backbone.name} · "
            f"{self.finetune_layers} layers · {self.loss} · seed {self.seed}"
            f"{f' · {self.head.kind}' if self.head.kind in PROBES else ''}"
        )


class Selection(Spec):
    """Which part of a suite a run was asked for; it decides no outcome."""

    only: tuple[str, ...] = ()
    """Patterns of backbones or trial names; all trials when empty."""
    limit_utterances: PositiveInt | None = None
    """How many utterances of each corpus; all when left out."""


class CostTrial(Spec):
    """One backbone × finetune_layers whose cost is to be measured, and how it is used."""

    backbone: BackboneSpec
    finetune_layers: FinetuneLayers
    head: HeadSpec
    precision: Precision
    frozen_mode: FrozenMode
    cost: CostSpec

    @classmethod
    def of(cls, trial: Trial, cost: CostSpec) -> CostTrial:
        """What a trial costs depends on: neither its data nor its loss, rates or seed."""
        return cls(
            backbone=trial.backbone,
            finetune_layers=trial.finetune_layers,
            head=trial.head,
            precision=trial.training.precision,
            frozen_mode=trial.training.frozen_mode,
            cost=cost,
        )

    def describe(self) -> str:
        """For people."""
        return f"{self.backbone.name} · {self.finetune_layers} layers"

    def cost_id(self, device_name: str) -> str:
        """Hash of what is measured and on which processor or GPU."""
        content = {"trial": self.model_dump(mode="json"), "machine": device_name}
        return content_digest(content)[:TRIAL_ID_LENGTH]
