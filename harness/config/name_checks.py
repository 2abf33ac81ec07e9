"""The names a suite may use, checked against the tables without loading anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from backbones import BACKBONES, canonical_name, declare, is_folder
from backbones.cards import BackboneCard, BackboneError
from harness.config.yaml_tree import Mistake
from harness.data.corpora import CORPORA
from harness.errors import SuiteError, UserError, choices
from harness.model.components import LOSSES, POOLINGS, pooling_name
from harness.specs import BackboneSpec, Suite


def loss(name: str) -> str:
    """The name of a loss.

    Raises:
        SuiteError: there is none of that name.
    """
    if name not in LOSSES:
        raise SuiteError(f"unknown loss {name!r}: {choices(name, LOSSES)}")
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


def backbone(name: str) -> BackboneCard:
    """The card of a backbone, given by any of its names.

    Raises:
        SuiteError: there is none of that name.
    """
    try:
        return BACKBONES[canonical_name(name)]
    except (BackboneError, KeyError) as error:
        raise SuiteError(f"unknown backbone {name!r}: {choices(name, BACKBONES)}") from error


def _card_of(spec: Mapping[str, Any]) -> BackboneCard:
    """The card of a backbone as a suite lists it, one of the user's own included.

    Raises:
        SuiteError: there is none of that name, or its kind and source describe none.
    """
    name, kind, source = spec["name"], spec.get("kind"), spec.get("source")
    if not isinstance(kind, str) or not kind:
        return backbone(name)
    if not isinstance(source, str):
        raise SuiteError(f"backbone {name!r} has a kind: it needs a source, a folder or org/name")
    try:
        return declare(name, kind, source, spec.get("revision"))
    except BackboneError as error:
        raise SuiteError(str(error)) from error


def canonical(suite: Suite) -> Suite:
    """The suite with every backbone and pooling by its canonical name.

    A backbone that exists with random weights only gets `init: random`: its name asks for them.

    Raises:
        SuiteError: a name is in no table.
    """
    renamed = [_canonical_backbone(spec) for spec in suite.backbones]
    head = suite.head.model_copy(update={"pooling": pooling(suite.head.pooling)})
    return suite.model_copy(update={"backbones": tuple(renamed), "head": head})


def _canonical_backbone(spec: BackboneSpec) -> BackboneSpec:
    card = _card_of(spec.model_dump())
    changes: dict[str, Any] = {"name": card.name}
    if card.always_random:
        changes["init"] = "random"
    if is_folder(spec.name) and spec.source is None:
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
        *_protocol_mistakes(data),
        *_pooling_mistakes(data),
    ]


def items(data: dict[str, Any], key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The well-formed items of `corpora` or `backbones`, each as a mapping with a name."""
    listed = data.get(key)
    for index, item in enumerate(listed if isinstance(listed, list) else []):
        spec = {"name": item} if isinstance(item, str) else item
        if isinstance(spec, dict) and isinstance(spec.get("name"), str):
            yield index, spec


def known_backbones(data: dict[str, Any]) -> list[str]:
    """Canonical names of the listed backbones that are in the table."""
    found: dict[str, None] = {}
    for _, spec in items(data, "backbones"):
        with suppress(SuiteError):
            found[_card_of(spec).name] = None
    return list(found)


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
            card = _card_of(spec)
        except SuiteError as error:
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
