"""From a suite to its trials.

The listed matrix is every corpus × fold × backbone × value of every axis. `exclude` cuts from it
all trials that match a rule in every key; then `include` adds, for each of its rules, the trials
with the values it names and, for axes it does not name, the listed ones. Rules may also name
`corpus` and `backbone` (as patterns) and `fold`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from backbones import BackboneCard
from harness.backbone_card import card_of
from harness.config import name_checks
from harness.config.axes import flat, nested
from harness.config.matrix_entries import Folds, MatrixEntry, matrix_entries
from harness.config.matrix_rules import read_matrix
from harness.config.yaml_tree import Mistake
from harness.errors import SuiteError, choices
from harness.specs import PROBES, Axes, CorpusSpec, Suite, Trial
from harness.tasks.task import TaskCard

FoldNumbers = Callable[[CorpusSpec], tuple[int, ...]]


def expand(
    suite: Suite, fold_numbers: FoldNumbers, limit_utterances: int | None = None
) -> tuple[Trial, ...]:
    """Every trial of the suite, once, trials that share a backbone lying together.

    There are none in a suite without corpora.

    The order is corpus, backbone and fold as listed, finetune_layers from few to all, and then
    the other axes as listed.

    Args:
        suite: what is wanted
        fold_numbers: the folds a corpus has under the suite's protocol
        limit_utterances: noted in every trial, for runs on part of a corpus

    Raises:
        SuiteError: the matrix is mistaken, or no trial is left in it.
    """
    if not suite.corpora:
        return ()
    suite = name_checks.canonical(suite)
    corpora = {spec.name: spec.used for spec in suite.corpora}
    backbones = {spec.name: spec.used for spec in suite.backbones}
    folds = {name: fold_numbers(spec) for name, spec in corpora.items()}
    base = Axes(head=suite.head, training=suite.training)
    cards = {name: card_of(spec) for name, spec in backbones.items()}
    task = name_checks.task(suite.task)
    entries, mistakes = _all_entries(suite.matrix, base, folds, cards, task, suite.choose)
    mistakes += _missing_folds(suite, folds)
    if mistakes:
        raise SuiteError(_message(suite.suite, mistakes))
    axes = _AxesOf()
    trials = (
        Trial(
            corpus=corpora[entry.corpus],
            protocol=suite.protocol,
            fold=entry.fold,
            backbone=backbones[entry.backbone],
            limit_utterances=limit_utterances,
            task=suite.task,
            choose={} if entry.values["head.kind"] in PROBES else suite.choose,
            **axes[entry],
        )
        for entry in entries
        if entry.fold is not None and entry.fold in (suite.protocol.only_folds or (entry.fold,))
    )
    unique = tuple({trial.trial_id: trial for trial in trials}.values())
    if not unique:
        raise SuiteError(f"suite {suite.suite}: no trial is left, its excludes cut them all")
    return unique


class _AxesOf:
    """The axes of matrix entries; seeds share the rest, since a matrix may have thousands."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Axes] = {}

    def __getitem__(self, entry: MatrixEntry) -> dict[str, Any]:
        key = tuple(value for axis, value in entry.values.items() if axis != "seed")
        if key not in self._known:
            self._known[key] = Axes(**nested(entry.values))
        return dict(self._known[key]) | {"seed": entry.values["seed"]}


def matrix_mistakes(data: dict[str, Any], base: Axes) -> list[Mistake]:
    """What is wrong with the matrix of a suite's tree, as far as it shows without its folds."""
    corpora = [spec["name"] for _, spec in name_checks.items(data, "corpora")]
    backbones, task = name_checks.listed_cards(data), name_checks.listed_task(data)
    section = data.get("matrix")
    if not (corpora and backbones):
        return read_matrix(section, corpora, list(backbones), task)[1]
    folds: Folds = dict.fromkeys(corpora, (None,))
    return _all_entries(section, base, folds, backbones, task, data.get("choose", {}))[1]


def select(trials: Sequence[Trial], only: str | Sequence[str]) -> tuple[Trial, ...]:
    """The trials whose backbone, or whose `label`, matches one of some patterns; all if none.

    Patterns are those of file names: `wavlm*` selects backbones, `*/0/*` what is frozen, and
    `*/seed1` one seed.

    Raises:
        SuiteError: a pattern matches nothing.
    """
    patterns = [only] if isinstance(only, str) else only
    for pattern in patterns:
        if not any(_matches(trial, pattern) for trial in trials):
            backbones = dict.fromkeys(trial.backbone.name for trial in trials)
            example = f"; trials are named like {label(trials[0])}" if trials else ""
            raise SuiteError(
                f"no trial matches {pattern!r}: {choices(pattern, backbones)}{example}"
            )
    return tuple(
        trial
        for trial in trials
        if not patterns or any(_matches(trial, pattern) for pattern in patterns)
    )


def _matches(trial: Trial, pattern: str) -> bool:
    return fnmatchcase(trial.backbone.name, pattern) or fnmatchcase(label(trial), pattern)


def label(trial: Trial) -> str:
    """The name of a trial that `select` matches: backbone/layers/loss/corpus/fold/seed.

    >>> from harness.specs import BackboneSpec, ProtocolSpec
    >>> label(
    ...     Trial(
    ...         corpus=CorpusSpec(name="ravdess"),
    ...         protocol=ProtocolSpec(),
    ...         fold=1,
    ...         backbone=BackboneSpec(name="wavlm-base"),
    ...     )
    ... )
    'wavlm-base/0/weighted_cross_entropy/ravdess/fold1/seed1'
    """
    parts = (trial.backbone.name, trial.finetune_layers, trial.loss, trial.corpus.name)
    return "/".join(map(str, (*parts, f"fold{trial.fold}", f"seed{trial.seed}")))


def _all_entries(
    section: Any,
    base: Axes,
    folds: Folds,
    backbones: Mapping[str, BackboneCard],
    task: TaskCard,
    choose: Mapping[str, Sequence[Any]],
) -> tuple[list[MatrixEntry], list[Mistake]]:
    matrix, mistakes = read_matrix(section, list(folds), list(backbones), task)
    entries, more = matrix_entries(matrix, flat(base), folds, backbones, task, choose)
    # a rule that is mistaken in itself need not be said to match nothing as well
    reported = {mistake.path[:3] for mistake in mistakes}
    return entries, mistakes + [mistake for mistake in more if mistake.path[:3] not in reported]


def _missing_folds(suite: Suite, folds: Mapping[str, Sequence[int]]) -> list[Mistake]:
    return [
        Mistake(
            ("protocol", "only_folds"),
            f"protocol.only_folds: {corpus} has no fold {fold} "
            f"(folds: {', '.join(map(str, numbers))})",
        )
        for corpus, numbers in folds.items()
        for fold in suite.protocol.only_folds or ()
        if fold not in numbers
    ]


def _message(suite: str, mistakes: Sequence[Mistake]) -> str:
    return "\n".join([f"suite {suite}:", *(f"  {mistake.text}" for mistake in mistakes)])
