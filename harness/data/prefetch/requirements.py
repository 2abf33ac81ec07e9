"""What a suite needs on this machine, and getting all of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import backbones
from backbones.cards import BackboneError
from harness.backbone_card import card_of
from harness.data.prefetch.corpus_sources import Fetched, prefetch_corpus
from harness.errors import UserError
from harness.progress import Reporter
from harness.specs import BackboneSpec, CorpusSpec, Suite


@dataclass(frozen=True)
class Requirements:
    """Backbones and corpora to have before a run."""

    backbones: tuple[BackboneSpec, ...]
    corpora: tuple[CorpusSpec, ...]


def requirements_of(
    suite: Suite | None, backbones: Sequence[str], corpora: Sequence[str]
) -> Requirements:
    """All that a suite names, and what is named beside it, each once.

    >>> [spec.name for spec in requirements_of(None, ["wavlm-base", "wavlm-base"], []).backbones]
    ['wavlm-base']
    """
    named_backbones = [BackboneSpec(name=name) for name in backbones]
    named_corpora = [CorpusSpec(name=name) for name in corpora]
    listed_backbones = [spec.used for spec in suite.backbones] if suite else []
    listed_corpora = [spec.used for spec in suite.corpora] if suite else []
    return Requirements(
        tuple(dict.fromkeys([*listed_backbones, *named_backbones])),
        tuple(dict.fromkeys([*listed_corpora, *named_corpora])),
    )


def prefetch_all(needs: Requirements, reporter: Reporter) -> None:
    """Get everything that is not here yet, and say where each thing lies.

    One failure does not keep the others from being fetched.

    Raises:
        UserError: something could not be had; all of it is named.
    """
    jobs: list[Callable[[], Fetched]] = [
        *(_backbone_job(spec) for spec in needs.backbones),
        *(_corpus_job(spec, reporter) for spec in needs.corpora),
    ]
    mistakes = []
    for job in jobs:
        try:
            reporter.note(job().line())
        except (UserError, BackboneError) as error:
            mistakes.append(str(error))
    if mistakes:
        raise UserError("\n".join(mistakes))


def _backbone_job(spec: BackboneSpec) -> Callable[[], Fetched]:
    return lambda: prefetch_backbone(spec)


def _corpus_job(spec: CorpusSpec, reporter: Reporter) -> Callable[[], Fetched]:
    def job() -> Fetched:
        shown = _Megabytes(reporter)
        try:
            return prefetch_corpus(spec, shown.update, reporter.note)
        finally:
            shown.end()

    return job


class _Megabytes:
    """Bytes that arrive, as steps of a megabyte on a reporter."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._task: int | None = None
        self._shown = 0

    def update(self, done_bytes: int, total_bytes: int | None) -> None:
        if self._task is None:
            megabytes = (total_bytes or 0) // 1_000_000
            self._task = self._reporter.begin("fetching (MB)", megabytes)
        more = done_bytes // 1_000_000 - self._shown
        if more > 0:
            self._reporter.advance(self._task, steps=more)
            self._shown += more

    def end(self) -> None:
        if self._task is not None:
            self._reporter.end(self._task)


def prefetch_backbone(spec: BackboneSpec, *, offline: bool = False) -> Fetched:
    """Make sure that a backbone's weights lie on this machine.

    Args:
        spec: Which backbone; one without weights, or with random ones, needs no files.
        offline: Only look; never ask the network.

    Raises:
        UserError: the weights are not there, and `offline` says not to fetch them.
        BackboneError: from `backbones`, if they cannot be fetched.
    """
    card = card_of(spec)
    if spec.init == "random" or not card.downloadable:
        return Fetched(spec.name, None, was_there=True)
    found = backbones.locate(card, source=spec.folder, revision=spec.revision)
    if found is not None:
        return Fetched(spec.name, found.folder, was_there=True)
    if offline:
        raise UserError(
            f"backbone {spec.name!r} is not on this machine, and it is not fetched while offline; "
            f"put its weights at $HARNESS_MODELS/{spec.name}, or name their folder as `source:`"
        )
    return Fetched(
        spec.name,
        backbones.fetch(card, source=spec.folder, revision=spec.revision).folder,
        was_there=False,
    )
