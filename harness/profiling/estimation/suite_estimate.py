"""The estimate of a suite: each corpus × backbone of it, counted, timed and added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from backbones.randomness import random_numbers_kept
from harness.backbone_card import card_of
from harness.data.prepared_corpus import PreparedCorpus
from harness.files import content_digest
from harness.profiling.estimation.backbone_profile import BackboneProfile, placeholder_backbone
from harness.profiling.estimation.calibration import CalibrationBatch, gathering_threads
from harness.profiling.estimation.forecast import Amount, amount
from harness.specs import BackboneSpec, FramesChoice, Precision, Trial
from harness.training.devices import make_accelerator, release_memory

Group = tuple[PreparedCorpus, Sequence[Trial]]
"""Trials that share a corpus and a backbone, and the corpus."""


@dataclass(frozen=True)
class Estimate:
    """Of the trials on one corpus × backbone."""

    corpus: str
    backbone: str
    trials: int
    audio_s: float
    """Of all the utterances of the corpus."""
    flops_per_audio_s: float
    """Of the backbone's forward pass, over an utterance of the usual length."""
    expected: Amount


def estimate(
    groups: Sequence[Group], device: str = "auto", frames: FramesChoice = "auto"
) -> list[Estimate]:
    """Say what trials will take on this machine, after a few seconds of calibration.

    Weights are not needed. Networks that are alike in all but those are timed once.

    Args:
        groups: what is to run
        device: as for a run
        frames: how frames of frozen layers are kept

    Raises:
        HarnessError: a backbone or a device is not to be had.
    """
    expected = [Amount()] * len(groups)
    flops = [0.0] * len(groups)
    with random_numbers_kept(), gathering_threads():
        for precision, networks in _by_network(groups).items():
            accelerator = make_accelerator(device, precision)
            for numbers in networks.values():
                first = groups[numbers[0]][1][0]
                network = placeholder_backbone(first.backbone, accelerator.device)
                profile = BackboneProfile(
                    network, _largest_batch([groups[n] for n in numbers]), accelerator
                )
                for number in numbers:
                    prepared, trials = groups[number]
                    chosen = [trial for trial in trials if trial.training.precision == precision]
                    expected[number] += amount(chosen, prepared, profile, frames)
                    flops[number] = profile.flops_per_audio_s
    release_memory()
    return [
        Estimate(
            trials[0].corpus.name,
            trials[0].backbone.name,
            len(trials),
            sum(_durations(prepared)),
            flops[number],
            expected[number],
        )
        for number, (prepared, trials) in enumerate(groups)
    ]


def _by_network(groups: Sequence[Group]) -> dict[Precision, dict[str, list[int]]]:
    """Numbers of the groups by precision and by network, so that one network is there at a time."""
    found: dict[Precision, dict[str, list[int]]] = {}
    for number, (_, trials) in enumerate(groups):
        for precision in dict.fromkeys(trial.training.precision for trial in trials):
            by_network = found.setdefault(precision, {})
            by_network.setdefault(_network(trials[0].backbone), []).append(number)
    return found


def _network(spec: BackboneSpec) -> str:
    """The same for backbones that differ in nothing but their weights."""
    card = card_of(spec)
    settings = card.architecture or [spec.name, spec.source]
    return content_digest([card.family, settings, card.pads_to_s])


def _largest_batch(groups: Sequence[Group]) -> CalibrationBatch:
    usual_s = median(duration for prepared, _ in groups for duration in _durations(prepared))
    batch_seconds = max(trial.training.batch_seconds for _, trials in groups for trial in trials)
    return CalibrationBatch(usual_s, max(1, int(batch_seconds / usual_s)))


def _durations(prepared: PreparedCorpus) -> list[float]:
    used = prepared.corpus.by_id()
    return [f.duration_s for f in prepared.audio_info if f.duration_s and f.utterance_id in used]
