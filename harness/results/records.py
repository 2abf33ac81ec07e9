"""One immutable outcome on disk. A value that was not measured is None, never 0."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.dataclasses import dataclass

from harness.data.splits.split_contents import SplitContent
from harness.specs import CorpusSpec, CostTrial, Trial
from harness.tasks.scores import RecordedScores

SCHEMA_VERSION = 7
"""Raised when a record says more, so that an older harness asks to be upgraded. What records of
an older version do not say is None.

1: trials with scores, curve and digests of weights, audio, split and source; costs
2: kept frames (`frames_from: stored`), `backbone_depth`, `emotion_labels_seen`
3: costs end to end, with FLOPs, energy, NVML's memory, and what is `unstable` or `missing`
4: `fingerprint`, the versions of the parts that an outcome rests on, in place of `digests.code`
   and `code`; the revision and a digest of the sources are notes in `environment`;
   `digests.data`, by which trials of several folds are known to rest on the same data
5: `probe`, what a classifier without a training loop scores on the same frames; `fit.setting`,
   where the head is such a probe; `candidates` and `chosen`, where dev chose settings
6: `predictions_digest`; scores within their range; the status `crashed`
7: `splits`, whom and what each split holds, train's too; `sentences_shared`; of a probe
   `fit.settings`; `scored`, in the outcome of a kept model that was scored again
"""

Status = Literal["ok", "failed", "oom", "timeout", "crashed"]
"""`crashed`: its process ended before it did."""


class Frozen(BaseModel):
    """Immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Epoch:
    """One point of the learning curve; a large suite has so many that a model each is too much."""

    epoch: int
    train_loss: float
    dev_loss: float
    dev_metric: float
    dev_average: float
    """Moving average of the metric over the early-stopping window."""
    wall_s: float


class Digests(Frozen):
    """What the outcome depended on beyond the trial's own words."""

    weights: str
    audio: str
    split: str
    data: str | None = None
    """Of sound, targets and speakers of all that the protocol's folds use: the same in each."""
    code: str | None = None
    """Until schema 3, of the source that decided outcomes."""


class Fingerprint(Frozen):
    """The versions of what an outcome rests on."""

    parts: dict[str, int]
    """Declared versions of the parts of the harness that were used, such as "loss.dr"."""
    packages: dict[str, str | None]
    """Versions of the distributions that decide its numbers."""


class Fit(Frozen):
    """How the learning run went. Its time is never shown as a backbone's speed."""

    curve: list[Epoch]
    """Empty for a probe, which has no epochs."""
    best_epoch: int
    stopped: Literal["epochs", "dev_loss", "converged"]
    """Why it ended; a probe converges."""
    steps: int
    fit_wall_s: float
    frames_from: Literal["computed", "stored"]
    frames_dtype: str | None = None
    """In which kept frames lay on disk."""
    precision: str
    side_by_side: int = 1
    """How many trials shared its passes; the times here are those of all of them."""
    setting: str | None = None
    """Of a probe: which dev chose, such as "C = 0.01"."""
    settings: int | None = None
    """Of a probe: from how many."""


class ProbeScores(Frozen):
    """A classifier of scikit-learn on pooled frames of the frozen backbone, on the same splits."""

    kind: str
    setting: str
    """Which dev chose, such as "C = 0.01"."""
    settings: int
    """From how many."""
    metrics: dict[str, RecordedScores]
    """By split: "dev" and "test"."""


class Candidate(Frozen):
    """One combination of the settings among which dev chose."""

    settings: dict[str, Any]
    """Axis -> value."""
    dev_score: float | None
    """The metric that selects, of the epoch that is kept."""


class Scoring(Frozen):
    """Where a kept model was scored again, without training."""

    corpus: CorpusSpec | None
    """All of another corpus; None for the splits of the trial itself."""
    known_outputs: list[str]
    """All that the network knows; `classes` are those among which it chose."""
    model: str
    """Digest of its file."""
    sounds_compared: bool
    """Whether the recordings were compared with those of train and dev."""
    environment: dict[str, Any]


class Record(Frozen):
    """Everything about one trial's outcome."""

    schema_version: int = SCHEMA_VERSION
    trial_id: str
    suite: str
    trial: Trial
    status: Status
    started_at: str
    """ISO 8601, UTC."""
    wall_s: float
    """Its equal share where trials trained side by side."""
    classes: list[str] = []
    """Names of the network's outputs: of classification the classes."""
    split_sizes: dict[str, int] = {}
    splits: dict[str, SplitContent] = {}
    """By split, train among them: its speakers, and a digest of its utterances."""
    sentences_shared: float | None = None
    """Of test's utterances, those that say what one of train says; None where no text is known."""
    metrics: dict[str, RecordedScores] = {}
    """By split: "train" (cropped as in training), "dev" and "test"."""
    baselines: dict[str, RecordedScores] | None = None
    """What predicting without looking scores on test, by the names that the task gives it."""
    probe: ProbeScores | None = None
    """The better one on dev of the task's probes: a trained head has to come near it."""
    candidates: list[Candidate] = []
    """What dev chose among, where the trial has choices; all else here is of the chosen one."""
    chosen: int | None = None
    """Its place among them."""
    fit: Fit | None = None
    predictions_digest: str | None = None
    """Of the file of its predictions; older records have none."""
    digests: Digests | None = None
    fingerprint: Fingerprint | None = None
    trainable_parameters: int | None = None
    total_parameters: int | None = None
    head_parameters: int | None = None
    backbone_depth: int | None = None
    """How many transformer layers the backbone has, of which finetune_layers trained."""
    emotion_labels_seen: list[str] | None = None
    """Corpora whose emotion labels the backbone's weights had been tuned on before, as its card
    said when it was trained; reports ask the card of today, and this where there is none."""
    random_weights: bool | None = None
    limited_data: bool = False
    """True if --limit-utterances cut the corpus."""
    partial_corpus: bool = False
    speaker_overlap: bool = False
    """True if train and test may share speakers, as the suite allowed by name."""
    excluded_utterances: int = 0
    environment: dict[str, Any] = {}
    error: str | None = None
    """The traceback, if the trial failed."""
    scored: Scoring | None = None
    """Of a kept model that was scored again: scores, splits and digests are of there."""

    @property
    def scored_on(self) -> CorpusSpec:
        """The corpus of its test scores."""
        return self.scored.corpus if self.scored and self.scored.corpus else self.trial.corpus


Mode = Literal["infer", "train", "train_end_to_end"]
"""From waveforms to logits; a training step on waveforms that are there; and one on recordings
that are decoded as it goes."""


class WorkloadCost(Frozen):
    """One measurement at one duration and batch size, raw samples kept."""

    mode: Mode
    duration_s: float
    batch_size: int
    samples_s: list[float]
    audio_s_per_s: float
    """Seconds of audio per second of wall time, from the median sample."""
    frames: int | None = None
    """How many frames the backbone makes of an utterance of this duration."""
    flops_per_audio_s: float | None = None
    """Of matrix products and convolutions; a product and its sum are two."""
    joules_per_audio_hour: float | None = None
    torch_peak_allocated_bytes: int | None = None
    torch_peak_reserved_bytes: int | None = None
    unstable: list[str] = []
    """Why this is not to be relied on; empty if nothing speaks against it."""


class CostRecord(Frozen):
    """What one backbone × finetune_layers costs, measured apart from learning."""

    schema_version: int = SCHEMA_VERSION
    cost_id: str
    suite: str
    trial: CostTrial
    status: Status
    started_at: str
    wall_s: float
    device: str
    """Name of the GPU or of the processor."""
    code: str | None = None
    """Until schema 3, digest of the program that measured."""
    fingerprint: Fingerprint | None = None
    precision: str | None = None
    random_weights: bool | None = None
    points: list[WorkloadCost] = []
    rounds: int = 1
    """In how many processes the samples were taken."""
    load_s: float | None = None
    """From files, or random numbers, to a model on its device; what is imported is not counted."""
    trainable_parameters: int | None = None
    total_parameters: int | None = None
    peak_rss_bytes: int | None = None
    peak_rss_source: str | None = None
    infer_peak_rss_bytes: int | None = None
    """The peak of main memory before anything was trained."""
    peak_gpu_bytes: int | None = None
    peak_gpu_source: str | None = None
    """"nvml-process", "nvml-device-rise", or None without a GPU or NVML."""
    gpu_baseline_bytes: int | None = None
    """In use on the device before this process used it."""
    gpu_device_peak_bytes: int | None = None
    matmul_peak_flops: float | None = None
    """FLOPs per second of large matrix products in this precision on this device."""
    missing: dict[str, str] = {}
    """What could not be measured, and why."""
    torch_peak_allocated_bytes: int | None = None
    torch_peak_reserved_bytes: int | None = None
    environment: dict[str, Any] = {}
    error: str | None = None
