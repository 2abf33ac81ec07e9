"""What the harness knows by name, as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

import yaml
from tabulate import tabulate

from backbones import BACKBONES
from harness.corpora import CORPORA
from harness.errors import UserError, choices
from harness.heads import LOSSES, POOLINGS


def listing(what: str) -> str:
    """A table of the backbones, corpora, poolings, losses or shipped suites.

    Raises:
        UserError: `what` is none of these.

    >>> print(listing("poolings"))  # doctest: +ELLIPSIS
    name                  summary
    --------------------  ...
    attentive_statistics  ...
    mean                  mean over the real frames, D wide
    """
    if what not in LISTINGS:
        raise UserError(f"cannot list {what!r}: {choices(what, LISTINGS)}")
    return tabulate(LISTINGS[what](), headers="keys", missingval="-")


def _backbones() -> list[dict[str, object]]:
    return [
        {
            "name": card.name,
            "layers": card.depth,
            "dims": card.hidden_size,
            "parameters (M)": round(card.parameters / 1e6, 1) if card.parameters else None,
            "licence": card.licence or None,
            "source": card.huggingface or card.modelscope or "built here, random weights",
            "emotion labels seen": ", ".join(card.emotion_labels_seen) or None,
        }
        for card in BACKBONES.values()
    ]


def _corpora() -> list[dict[str, object]]:
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


def _poolings() -> list[dict[str, object]]:
    return [{"name": name, "summary": part.summary} for name, part in POOLINGS.items()]


def _losses() -> list[dict[str, object]]:
    return [{"name": name, "summary": part.summary} for name, part in LOSSES.items()]


def _suites() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
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


LISTINGS: dict[str, Callable[[], list[dict[str, object]]]] = {
    "backbones": _backbones,
    "corpora": _corpora,
    "poolings": _poolings,
    "losses": _losses,
    "suites": _suites,
}
