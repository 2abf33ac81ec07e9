"""What an outcome rests on: its own parts by version, its data and weights, and packages.

Never the bytes of the program: a comment, a new reader or another report void nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

from backbones import BackboneCard
from backbones.families import family_of
from harness.backbone_card import card_of
from harness.data.corpora import CORPORA
from harness.files import content_digest
from harness.model.components import LOSSES, POOLINGS
from harness.results.records import CostRecord, Digests, Fingerprint, Record
from harness.results.versions import FRAME_PACKAGES, PACKAGES, VERSIONS
from harness.specs import PROBES, BackboneSpec, CostTrial, Trial
from harness.tasks import TASKS

LAST_CODE_DIGEST = "d57bdf2d088476fe2f92bef395e573c11ce053fd91d8946f208df3af0ac62477"
"""Of the last program that wrote schema 3. Its records count as version 1 of every part."""
LAST_COSTS_DIGEST = "3e130991221d5d70d10ab2645e3ab256c347df203676e6eb41ff9774f454780a"
"""The same for costs, with the packages that it ran on."""


@dataclass(frozen=True)
class Provenance:
    """All that an outcome rests on beyond the trial's own words."""

    digests: Digests
    fingerprint: Fingerprint


def fingerprint_of(trial: Trial) -> Fingerprint:
    """The parts that a trial uses, by version, and the packages that decide its numbers.

    >>> from harness.specs import CorpusSpec, ProtocolSpec
    >>> spec = {"corpus": CorpusSpec(name="ravdess"), "backbone": BackboneSpec(name="wavlm-base")}
    >>> parts = fingerprint_of(Trial(**spec, protocol=ProtocolSpec(), fold=1)).parts
    >>> parts["loss.weighted_cross_entropy"], "loss.dr" in parts, "reader.emodb" in parts
    (1, False, False)
    """
    card = card_of(trial.backbone)
    own = ["decoding", "quality", "splits"]
    trained = ["batching", "head", "optimiser", "training", "evaluation"]
    own += ["probe"] if trial.head.kind in PROBES else trained
    own += ["labels"] if trial.corpus.labels is not None else []
    own += ["subset"] if trial.limit_utterances is not None else []
    own += ["frames"] if trial.training.frozen_mode == "eval" else []
    reader, pooling = trial.corpus.reader, trial.head.pooling
    parts = {name: VERSIONS[name] for name in own} | {
        f"reader.{reader}": CORPORA[reader].version,
        f"pooling.{pooling}": POOLINGS[pooling].version,
        f"loss.{trial.loss}": LOSSES[trial.loss].version,
        f"task.{trial.task}": TASKS[trial.task].version,
    }
    return _fingerprint(parts, PACKAGES, card)


def frames_fingerprint(backbone: BackboneSpec) -> Fingerprint:
    """What frames of a recording rest on beside weights, settings and the recording."""
    own = {name: VERSIONS[name] for name in ("decoding", "frames")}
    return _fingerprint(own, FRAME_PACKAGES, card_of(backbone))


def cost_fingerprint(trial: CostTrial) -> Fingerprint:
    """What a cost rests on."""
    card, pooling = card_of(trial.backbone), trial.head.pooling
    own = {name: VERSIONS[name] for name in ("cost", "decoding", "batching", "head", "optimiser")}
    own[f"pooling.{pooling}"] = POOLINGS[pooling].version
    own["loss.cross_entropy"] = LOSSES["cross_entropy"].version
    return _fingerprint(own, ("accelerate", *FRAME_PACKAGES), card)


def fingerprint_key(fingerprint: Fingerprint) -> str:
    """A short name that differs wherever fingerprints do."""
    return content_digest(fingerprint.model_dump(mode="json"))[:16]


def differences(record: Record, trial: Trial, expected: Provenance) -> list[str]:
    """What a finished outcome rests on that is no longer so; empty if it still holds.

    Settings are compared with their defaults, which may be others than when it was trained.

    Raises:
        ValueError: the record did not end well, and rests on nothing.
    """
    if record.digests is None:
        raise ValueError(f"trial {record.trial_id} did not end well")
    settings = _changed(dict(_leaves(record.trial.settings())), dict(_leaves(trial.settings())))
    parts = changes_between(fingerprint_in(record), expected.fingerprint)
    return [*settings, *digest_changes(record.digests, expected.digests), *parts]


def digest_changes(before: Digests, after: Digests) -> list[str]:
    """Which of weights, audio, split, and the data of other folds are others."""
    names = ("weights", "audio", "split")
    changed = [name for name in names if getattr(before, name) != getattr(after, name)]
    if changed or None in (before.data, after.data) or before.data == after.data:
        return changed
    return ["data of other folds"]


def fingerprint_in(record: Record) -> Fingerprint | None:
    """The fingerprint of a record of any schema; None for one of an unknown program.

    One of the last program of schema 3 has version 1 of every part that its trial uses; on what
    packages it ran is not held against it, as it was not then.
    """
    if record.digests is None:
        return record.fingerprint
    if record.fingerprint is not None:
        return _brought_up(record.fingerprint, record)
    if record.digests.code != LAST_CODE_DIGEST:
        return None
    now = fingerprint_of(record.trial)
    ones = Fingerprint(parts=dict.fromkeys(now.parts, 1), packages=now.packages)
    return _brought_up(ones, record)


def _brought_up(stated: Fingerprint, record: Record) -> Fingerprint:
    """With the present version of what is known to have been the same then.

    Splits are compared by their own digest, whatever cut them; of a task's scores its card knows.
    """
    card = TASKS[record.trial.task]
    same = {"splits": VERSIONS["splits"]}
    if card.same_since is not None and card.same_since(record.metrics):
        same[f"task.{card.name}"] = card.version
    return stated.model_copy(update={"parts": stated.parts | same})


def cost_holds(record: CostRecord, expected: Fingerprint) -> bool:
    """Whether a measurement was made by the same parts and packages as now."""
    if record.fingerprint is None:
        ones = dict.fromkeys(expected.parts, 1)
        return record.code == LAST_COSTS_DIGEST and ones == expected.parts
    return not changes_between(record.fingerprint, expected)


def changes_between(before: Fingerprint | None, after: Fingerprint | None) -> list[str]:
    """Parts and packages whose versions differ, each as "loss.dr 1 → 2".

    A part that one side does not name was split off another, and began with version 1.
    """
    if before is None or after is None:
        return [] if before is after else ["an earlier program"]
    names = {**before.parts, **after.parts}
    both = before.packages.keys() & after.packages.keys()
    return [
        *_changed(dict.fromkeys(names, 1) | before.parts, dict.fromkeys(names, 1) | after.parts),
        *_changed(*({n: side.packages[n] for n in sorted(both)} for side in (before, after))),
    ]


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return [
        f"{name} {before.get(name, 'none')} → {after.get(name, 'none')}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _fingerprint(
    own: Mapping[str, int], packages: Iterable[str], card: BackboneCard
) -> Fingerprint:
    """Of some parts and packages, and those of the backbone that all outcomes rest on."""
    family = family_of(card)
    parts = {**own, f"backbone.{card.family}": family.version}
    names = sorted({*packages, *family.packages})
    versions = {name: package_version(name) for name in names}
    return Fingerprint(parts=dict(sorted(parts.items())), packages=versions)


@cache
def package_version(name: str) -> str | None:
    """The version of an installed distribution, less its build; None if it is not installed.

    "2.13.0+cpu" and "2.13.0+cu130" are one version: the device is in the record beside it.
    """
    try:
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return None
