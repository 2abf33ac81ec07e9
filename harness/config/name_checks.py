"""The names a suite may use, checked against the tables without loading anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from backbones import BackboneCard, BackboneError
from harness.backbone_card import card_of
from harness.config.seen_checks import seen_mistakes
from harness.config.yaml_tree import Mistake
from harness.data.corpora import CORPORA
from harness.errors import SuiteError, UserError, choices
from harness.model.components import LOSSES, POOLINGS, losses_of, pooling_name
from harness.specs import BackboneSpec, ListedBackbone, Suite, TrainingSpec
from harness.tasks import TASKS
from harness.tasks.task import TaskCard


def task(name: str) -> TaskCard:
    """The card of a task.

    Raises:
        SuiteError: there is none of that name.
    """
    if name not in TASKS:
        raise SuiteError(f"unknown task {name!r}: {choices(name, TASKS)}")
    return TASKS[name]


def loss(name: str, of: TaskCard) -> str:
    """The name of a loss that fits a task.

    Raises:
        SuiteError: there is none of that name, or it fits another task.
    """
    fitting = losses_of(of.name)
    if name not in LOSSES:
        raise SuiteError(f"unknown loss {name!r}: {choices(name, fitting)}")
    if name not in fitting:
        raise SuiteError(f"loss {name!r} does not fit task {of.name}: {choices(name, fitting)}")
    return name


def selecting_metric(name: str, of: TaskCard) -> str:
    """The name of a metric that can select an epoch.

    Raises:
        SuiteError: the task has none of that name, or higher is not better.
    """
    if name not in of.selecting:
        raise SuiteError(
            f"no metric {name!r} selects an epoch of task {of.name}: {choices(name, of.selecting)}"
        )
    return name


def ranking_metric(name: str, of: TaskCard) -> str:
    """The name of a metric that can rank rows.

    Raises:
        SuiteError: the task has none of that name, or it has no interval.
    """
    ranking = [metric.name for metric in of.metrics if metric.has_interval]
    if name not in ranking:
        raise SuiteError(
            f"no metric {name!r} ranks rows of task {of.name}: {choices(name, ranking)}"
        )
    return name


def pooling(name: str) -> str:
    """The canonical name of a pooling.

    Raises:
        SuiteError: there is none of that name.
    """
    try:
        return pooling_name(name)
    except UserError as error:
        raise SuiteError(f"unknown pooling {name!r}: {choices(name, POOLINGS)}") from error


def canonical(suite: Suite) -> Suite:
    """The suite with every backbone and pooling by its canonical name.

    A backbone that exists with random weights only gets `init: random`: its name asks for them.

    Raises:
        SuiteError: a name is in no table, or no metric of the suite's task.
    """
    selecting_metric(suite.training.early_stopping.metric, task(suite.task))
    if suite.primary is not None:
        ranking_metric(suite.primary, task(suite.task))
    renamed = [_canonical_backbone(spec) for spec in suite.backbones]
    head = suite.head.model_copy(update={"pooling": pooling(suite.head.pooling)})
    return suite.model_copy(update={"backbones": tuple(renamed), "head": head})


def _canonical_backbone(spec: ListedBackbone) -> ListedBackbone:
    try:
        card = card_of(spec)
    except BackboneError as error:
        raise SuiteError(str(error)) from error
    changes: dict[str, Any] = {"name": card.name}
    if card.always_random:
        changes["init"] = "random"
    if spec.source is None and card.folder == spec.name:
        changes["source"] = spec.name
    return spec.model_copy(update=changes)


def name_mistakes(data: Any) -> list[Mistake]:
    """Names in a suite's tree that no table knows, or that do not go together.

    What has the wrong shape is passed over: the schema speaks of that.
    """
    if not isinstance(data, dict):
        return []
    return [
        *_corpus_mistakes(data),
        *_backbone_mistakes(data),
        *seen_mistakes([*items(data, "corpora")], [*items(data, "backbones")]),
        *_protocol_mistakes(data),
        *_pooling_mistakes(data),
        *_task_mistakes(data),
    ]


def listed_task(data: dict[str, Any]) -> TaskCard:
    """The card of a suite's task; of one that is mistaken or left out, the default's."""
    return TASKS.get(str(data.get("task")), TASKS[Suite.model_fields["task"].default])


def items(data: dict[str, Any], key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The well-formed items of `corpora` or `backbones`, each as a mapping with a name."""
    listed = data.get(key)
    for index, item in enumerate(listed if isinstance(listed, list) else []):
        spec = {"name": item} if isinstance(item, str) else item
        if isinstance(spec, dict) and isinstance(spec.get("name"), str):
            yield index, spec


def listed_cards(data: dict[str, Any]) -> dict[str, BackboneCard]:
    """The cards of the listed backbones, by canonical name; what is mistaken is left out."""
    found: dict[str, BackboneCard] = {}
    for _, item in items(data, "backbones"):
        with suppress(BackboneError, ValidationError):
            card = _listed_card(item)
            found[card.name] = card
    return found


def _listed_card(item: Mapping[str, Any]) -> BackboneCard:
    """`card_of` an item that may be mistaken: what is no text is passed over."""
    keys = ("name", "kind", "source", "revision")
    texts = {key: item[key] for key in keys if isinstance(item.get(key), str)}
    return card_of(BackboneSpec(**texts))


def _corpus_mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    if data.get("corpora") == [] and data.get("cost", {}) is None:
        text = "corpora: the list is empty and cost is null, so there is nothing to do"
        yield Mistake(("corpora",), text)
    seen: set[str] = set()
    for index, spec in items(data, "corpora"):
        if spec["name"] in seen:
            yield Mistake(("corpora", index), f"corpus {spec['name']!r} is listed twice")
        seen.add(spec["name"])
        reader = _reader(spec)
        if reader in CORPORA:
            continue
        if spec.get("kind"):
            text = f"unknown kind of corpus {reader!r}: {choices(reader, CORPORA)}"
            yield Mistake(("corpora", index, "kind"), text)
        else:
            text = f"unknown corpus {reader!r}: {choices(reader, CORPORA)}"
            hint = "; for your own recordings add a kind, such as kind: manifest"
            yield Mistake(("corpora", index, "name"), text + hint)


def _reader(spec: dict[str, Any]) -> str:
    return str(spec.get("kind") or spec["name"])


def _backbone_mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    for index, spec in items(data, "backbones"):
        written = spec["name"]
        try:
            card = _listed_card(spec)
        except ValidationError:  # the schema speaks of that
            continue
        except BackboneError as error:
            yield Mistake(("backbones", index), str(error))
            continue
        if card.name in seen:
            also = f", first as {seen[card.name]!r}" if seen[card.name] != written else ""
            text = f"backbone {written!r} is listed twice{also}: one suite, one set of weights"
            yield Mistake(("backbones", index), text)
        seen.setdefault(card.name, written)
        if card.always_random and spec.get("init") == "pretrained":
            text = f"{card.name} exists with random weights only: write init: random"
            yield Mistake(("backbones", index, "init"), text)


def _protocol_mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    protocol = data.get("protocol")
    if not isinstance(protocol, dict):
        return
    if protocol.get("folds") == "emobox":
        for _, spec in items(data, "corpora"):
            card = CORPORA.get(_reader(spec))
            if card and card.kind != "emobox" and not card.emobox_folds:
                text = (
                    f"protocol.folds: emobox has no folds for {spec['name']}: "
                    "give a number of folds, or loso or official"
                )
                yield Mistake(("protocol", "folds"), text)
    if isinstance(only := protocol.get("only_folds"), list):
        yield from _only_fold_mistakes(only, protocol.get("folds"), data)


def _only_fold_mistakes(only: list[Any], folds: Any, data: dict[str, Any]) -> Iterator[Mistake]:
    counts = [folds]
    if folds == "emobox":
        cards = (CORPORA.get(_reader(spec)) for _, spec in items(data, "corpora"))
        counts = [card.emobox_folds for card in cards if card]
    known = [count for count in counts if isinstance(count, int)]
    for index, fold in enumerate(only):
        if known and isinstance(fold, int) and fold > max(known):
            text = f"protocol.only_folds: there is no fold {fold}, the last one is {max(known)}"
            yield Mistake(("protocol", "only_folds", index), text)


def _pooling_mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    head = data.get("head")
    name = head.get("pooling") if isinstance(head, dict) else None
    if isinstance(name, str):
        try:
            pooling(name)
        except SuiteError as error:
            yield Mistake(("head", "pooling"), f"head.pooling: {error}")


def _task_mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    name = data.get("task")
    if isinstance(name, str) and name not in TASKS:
        yield Mistake(("task",), f"unknown task {name!r}: {choices(name, TASKS)}")
        return
    card = listed_task(data)
    metric = _at(data, "training", "early_stopping", "metric")
    metric = TrainingSpec().early_stopping.metric if metric is None else metric
    if isinstance(metric, str):
        try:
            selecting_metric(metric, card)
        except SuiteError as error:
            path = ("training", "early_stopping", "metric")
            yield Mistake(path, f"training.early_stopping.metric: {error}")
    if isinstance(data.get("primary"), str):
        try:
            ranking_metric(data["primary"], card)
        except SuiteError as error:
            yield Mistake(("primary",), f"primary: {error}")
    if data.get("must_beat_majority") is True and "majority" not in card.baselines:
        text = f"must_beat_majority: task {card.name} has no majority to be beaten"
        yield Mistake(("must_beat_majority",), text)


def _at(data: Any, *path: str) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data
