"""The backbone that the trials on one corpus share, loaded once, and its frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from accelerate import Accelerator

from backbones.base import Backbone
from harness.cache.cached_inputs import CachedInputs
from harness.cache.disk_space import free_disk_space, planned_bytes, written_bytes
from harness.cache.extraction import ExtractionPass, extract, extraction_passes
from harness.cache.frame_store import FrameKey, FrameStore, StoredFrames
from harness.cache.frame_views import FrameView, frame_views, keeps_frames, stored_dtype
from harness.config.choose import candidates as candidates_of
from harness.data.batches import LabelledSplit
from harness.data.prepared_corpus import PreparedCorpus, cut_fold, labelled
from harness.files import cache_folder, content_digest, file_digest
from harness.model.building import load_backbone
from harness.model.ser_model import SERModel
from harness.results.provenance import fingerprint_key, frames_fingerprint
from harness.runs.frame_events import FramesAdvanced, FramesEnded, FramesEvent, FramesStarted
from harness.runs.pooled_vectors import computed_vectors, kept_vectors
from harness.runs.runtime_options import RuntimeOptions
from harness.specs import DtypeName, Trial
from harness.tasks import TASKS
from harness.tasks.task import Floats
from harness.training.devices import make_accelerator, precision_name
from harness.training.fit_inputs import AudioInputs, Inputs

if TYPE_CHECKING:  # it stands on this module
    from harness.runs.probing import Probe


@dataclass
class BackboneFrames:
    """Made for one corpus × backbone; nothing is loaded before it is asked for."""

    prepared: PreparedCorpus
    options: RuntimeOptions
    _backbone: Backbone | None = None
    _settings: str = ""
    _opened: dict[FrameKey, StoredFrames] = field(default_factory=dict)
    _held: dict[FrameKey, StoredFrames] = field(default_factory=dict)
    """What the latest trial learned from, in memory or on the GPU."""
    _vectors: dict[DtypeName, Mapping[str, Floats]] = field(default_factory=dict)
    """Pooled frames of all utterances, by precision, where none are kept."""
    probes: dict[tuple[str, ...], Probe] = field(default_factory=dict)
    """Those that were fitted, by what they rest on."""

    def backbone(self, trial: Trial) -> Backbone:
        """The trial's backbone, with the weights it was loaded with."""
        if self._backbone is None:
            self._backbone = load_backbone(trial.backbone, offline=self.options.offline)
            self._settings = settings_digest(self._backbone)
        return self._backbone

    @contextmanager
    def lent(self, trial: Trial) -> Iterator[Backbone]:
        """The backbone for a trial to train, put right again afterwards."""
        backbone = self.backbone(trial)
        backbone.frozen_mode = trial.training.frozen_mode
        backbone.finetune(trial.finetune_layers)
        with restored(backbone):
            yield backbone

    def compute(self, trials: Sequence[Trial]) -> Iterator[FramesEvent]:
        """Compute the frames that these trials will start from and that are not kept yet.

        Raises:
            UserError: there is no room for them.
        """
        by_precision: dict[str, list[Trial]] = {}
        candidates = (each for trial in trials for _, each in candidates_of(trial))
        for trial in filter(self.keeps, candidates):
            by_precision.setdefault(trial.training.precision, []).append(trial)
        for alike in by_precision.values():
            yield from self._extract(alike)

    def _extract(self, trials: Sequence[Trial]) -> Iterator[FramesEvent]:
        accelerator = make_accelerator(self.options.device, trials[0].training.precision)
        backbone = self.backbone(trials[0])
        keys = {key: None for trial in trials for key in self._keys(trial, accelerator)}
        keys |= {key: None for trial in trials for key in self._pooled_keys(trial, accelerator)}
        split = labelled(self.prepared, self._used_by(trials))
        sounds = self._sounds(split)
        for todo in extraction_passes(self._store, list(keys), split, sounds):
            needed_bytes = planned_bytes(todo, backbone)
            self._free_disk_space(todo, needed_bytes, list(keys), sounds)
            yield FramesStarted(
                backbone=trials[0].backbone.name,
                utterances=len(todo.sounds),
                depths=len({key.view.depth for key in todo.keys}),
                size_bytes=needed_bytes,
                batches=len(todo.plan()),
            )
            backbone.finetune(0).eval().to(accelerator.device)
            for _ in extract(todo, self._store, backbone, accelerator):
                yield FramesAdvanced()
            yield FramesEnded()
        for key in keys:  # now, so that they stay even if another run makes room
            self._opened[key] = self._store.open(key, sounds)

    def _free_disk_space(
        self,
        todo: ExtractionPass,
        needed_bytes: int,
        keys: Sequence[FrameKey],
        sounds: Sequence[str],
    ) -> None:
        more_bytes = needed_bytes - written_bytes(todo, self._store)
        in_use = [s.folder for key in keys for s in self._store.holding(key, sounds)]
        parts = [self._store.partial_shard(key, todo.name) for key in todo.keys]
        free_disk_space(self._store, more_bytes, 1e9 * self.options.cache_gb, [*in_use, *parts])

    def inputs(
        self, trial: Trial, model: SERModel, split: LabelledSplit, accelerator: Accelerator
    ) -> Inputs:
        """Batches of a split for a trial's model: from kept frames, or from the recordings."""
        audio = AudioInputs(split, model, accelerator)
        if not self.keeps(trial):
            return audio
        keys, sounds = self._keys(trial, accelerator), self._sounds(split)
        if any(key not in self._opened for key in keys):
            return audio
        views = self._placed(keys, accelerator.device)
        if any(sound not in view.frames for view in views for sound in sounds):
            return audio
        return CachedInputs(split, sounds, views, keys[0].view.form != "frames", audio)

    def pooled_vectors(
        self, trial: Trial, split: LabelledSplit, accelerator: Accelerator
    ) -> Floats:
        """Mean and deviation of the frames of each utterance, at the top of the frozen backbone.

        Shape:
            output: (N, 2·D)
        """
        sounds = self._sounds(split)
        for key in self._pooled_keys(trial, accelerator):
            kept = self._opened.get(key)
            if kept is not None and all(sound in kept.frames for sound in sounds):
                return kept_vectors(kept, sounds)
        precision = precision_name(accelerator)
        if precision not in self._vectors:
            every = labelled(self.prepared, tuple(self.prepared.corpus.by_id()))
            backbone = self.backbone(trial)
            self._vectors[precision] = computed_vectors(backbone, every, accelerator)
        found = self._vectors[precision]
        return np.stack([found[utterance.utterance_id] for utterance in split.utterances])

    def parameters(self, trial: Trial) -> int:
        """How many the trial's backbone has."""
        return sum(parameter.numel() for parameter in self.backbone(trial).parameters())

    def keeps(self, trial: Trial) -> bool:
        """Whether a trial learns from kept frames."""
        return keeps_frames(trial, self.options.frames)

    def _keys(self, trial: Trial, accelerator: Accelerator) -> tuple[FrameKey, ...]:
        backbone = self.backbone(trial)
        views = frame_views(trial.head, trial.finetune_layers, len(backbone.layers))
        return self._keys_of(views, trial, accelerator)

    def _pooled_keys(self, trial: Trial, accelerator: Accelerator) -> tuple[FrameKey, ...]:
        """What probes start from, if the trial's task has some."""
        if not TASKS[trial.task].probes:
            return ()
        top = FrameView(len(self.backbone(trial).layers), "statistics")
        return self._keys_of((top,), trial, accelerator)

    def _keys_of(
        self, views: Sequence[FrameView], trial: Trial, accelerator: Accelerator
    ) -> tuple[FrameKey, ...]:
        backbone, precision = self.backbone(trial), precision_name(accelerator)
        return tuple(
            FrameKey(
                backbone=trial.backbone.name,
                weights=backbone.weights.digest,
                settings=self._settings,
                fingerprint=fingerprint_key(frames_fingerprint(trial.backbone)),
                device=accelerator.device.type,
                precision=precision,
                dtype=stored_dtype(view, precision, self.options.frames),
                view=view,
            )
            for view in views
        )

    def _placed(self, keys: Sequence[FrameKey], device: torch.device) -> list[StoredFrames]:
        """On the GPU if it has room to spare, else in memory as far as is allowed."""
        self._held = {key: kept for key, kept in self._held.items() if key in keys}
        allowed_bytes = 1e9 * self.options.memory_gb
        if device.type == "cuda":
            allowed_bytes = torch.cuda.mem_get_info(device)[0] / 4
        else:
            allowed_bytes -= sum(kept.size_bytes for kept in self._held.values())
        for key in keys:
            kept = self._opened[key]
            if key not in self._held and kept.size_bytes <= allowed_bytes:
                allowed_bytes -= kept.size_bytes
                self._held[key] = kept.to(device)
        return [self._held.get(key, self._opened[key]) for key in keys]

    @property
    def _store(self) -> FrameStore:
        return FrameStore(cache_folder("frames"))

    def _used_by(self, trials: Sequence[Trial]) -> tuple[str, ...]:
        folds = [cut_fold(trial, self.prepared).splits.named() for trial in trials]
        used = {name for splits in folds for ids in splits.values() for name in ids}
        return tuple(name for name in self.prepared.corpus.by_id() if name in used)

    def _sounds(self, split: LabelledSplit) -> list[str]:
        return [self._sound[utterance.utterance_id] for utterance in split.utterances]

    @cached_property
    def _sound(self) -> dict[str, str]:
        return {info.utterance_id: info.sha256 for info in self.prepared.audio_info if info.sha256}


def settings_digest(backbone: Backbone) -> str:
    """Digest of the settings that make a network what it is beside its weights."""
    card, folder = backbone.card, Path(backbone.weights.source)
    beside = [*folder.glob("*.json"), *folder.glob("*.yaml")] if folder.is_dir() else []
    return content_digest([card.architecture, card.pads_to_s, *map(file_digest, sorted(beside))])


@contextmanager
def restored(backbone: Backbone) -> Iterator[None]:
    """Put back what a fit changed, so that the next trial finds the weights that were loaded."""
    released = [p for p in backbone.parameters() if p.requires_grad]
    loaded = [parameter.detach().cpu().clone() for parameter in released]
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, value in zip(released, loaded, strict=True):
                parameter.copy_(value)
                parameter.grad = None
        backbone.finetune(0).eval()
