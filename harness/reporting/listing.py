"""What the harness knows by name, as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from textwrap import fill

import yaml
from tabulate import tabulate

from backbones import BACKBONES
from harness.data.corpora import CORPORA
from harness.data.known_corpora import EMOBOX, KNOWN_CORPORA
from harness.errors import UserError, choices
from harness.model.components import LOSSES, POOLINGS

Rows = list[dict[str, object]]


def listing(what: str) -> str:
    """Tables of the backbones, or of the corpora, poolings, losses or shipped suites.

    Raises:
        UserError: `what` is none of these.

    >>> print(listing("poolings"))  # doctest: +ELLIPSIS
    name                  summary
    --------------------  ...
    attentive_statistics  ...
    mean                  mean over the real frames, D wide
    statistics            ...
    >>> all(hub in listing("backbones") for hub in ("iic/emotion2vec", "emotion2vec/emotion2vec"))
    True
    """
    if what not in LISTINGS:
        raise UserError(f"cannot list {what!r}: {choices(what, LISTINGS)}")
    return "\n\n".join(tabulate(rows(), headers="keys", missingval="-") for rows in LISTINGS[what])


def _backbones() -> Rows:
    return [
        {
            "name": card.name,
            "layers": card.depth,
            "dims": card.hidden_size,
            "frames/s": f"{card.frame_rate_hz:g}",
            "parameters (M)": round(card.parameters / 1e6, 1) if card.parameters else None,
            "licence": card.licence or None,
        }
        for card in BACKBONES.values()
    ]


def _backbone_sources() -> Rows:
    return [
        {
            "name": card.name,
            "Hugging Face": card.huggingface or _UNPUBLISHED[card.always_random],
            "ModelScope": card.modelscope,
            "revision": card.revision[:8] if card.revision else None,
        }
        for card in BACKBONES.values()
    ]


def _backbone_pasts() -> Rows:
    return [
        {
            "name": card.name,
            "audio seen": _wrapped(card.pretrained_on),
            "emotion labels seen": _wrapped(
                [*card.emotion_labels_seen, *map("{} (guessed)".format, card.pseudo_labels_of)]
            ),
        }
        for card in BACKBONES.values()
        if card.downloadable
    ]


_UNPUBLISHED = {True: "built here, random weights", False: "-"}


def _wrapped(names: Sequence[str]) -> str | None:
    return fill(", ".join(names), width=48) or None


def _corpora() -> Rows:
    return [
        {
            "name": name,
            "utterances": card.utterances,
            "speakers": card.speakers,
            "licence": card.licence,
            "summary": card.summary,
        }
        for name, card in CORPORA.items()
    ]


def _known_corpora() -> Rows:
    return [
        {
            "known_as": name,
            "other names": ", ".join(others) or None,
            "in EmoBox": "yes" if name in EMOBOX else None,
        }
        for name, others in KNOWN_CORPORA.items()
    ]


def _poolings() -> Rows:
    return [{"name": name, "summary": part.summary} for name, part in POOLINGS.items()]


def _losses() -> Rows:
    return [
        {"name": name, "task": loss.task, "summary": loss.summary} for name, loss in LOSSES.items()
    ]


def _suites() -> Rows:
    rows: Rows = []
    for path in sorted(files("suites").iterdir(), key=lambda path: path.name):
        if path.name.endswith(".yaml"):
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            rows.append(
                {
                    "name": path.name.removesuffix(".yaml"),
                    "description": " ".join(content.get("description", "").split()),
                }
            )
    return rows


LISTINGS: dict[str, tuple[Callable[[], Rows], ...]] = {
    "backbones": (_backbones, _backbone_pasts, _backbone_sources),
    "corpora": (_corpora, _known_corpora),
    "poolings": (_poolings,),
    "losses": (_losses,),
    "suites": (_suites,),
}
"""The tables to print of each, one under the other."""
