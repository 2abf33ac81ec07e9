"""Fetch a backbone's files from its hub, or say at once and plainly why not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from backbones.cards import BackboneCard, BackboneError
from backbones.families import config_file
from backbones.hub.local_files import (
    Location,
    hugging_face_cache,
    in_hugging_face_cache,
    locate,
    modelscope_cache,
    places_tried,
)

BESIDE = ("preprocessor_config.json",)  # says how waveforms are to be normalised
SAFETENSORS = ("model.safetensors", "model.safetensors.index.json", "model-*.safetensors")
PICKLES = (
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "pytorch_model-*.bin",
    "model.pt",
    "emotion2vec_base.pt",
)
PATIENCE_S = 10.0  # for the first answer of a hub, before anything is downloaded


def fetch(
    card: BackboneCard, source: str | Path | None = None, revision: str | None = None
) -> Location:
    """Where a backbone's files lie, after fetching them if they are nowhere on this machine.

    Raises:
        BackboneError: they exist nowhere, or no hub gave them; the message has the reasons.
    """
    if found := locate(card, source, revision):
        return found
    if offline():
        raise missing(card, source, revision, ["HF_HUB_OFFLINE is set: no hub was asked"])
    reasons = []
    for hub, download in _hubs(card):
        try:
            download(revision)
        except Exception as error:  # every client has errors of its own
            reasons.append(f"{hub}: {_reason(error)}")
        else:
            if found := locate(card, source, revision):
                return found
            reasons.append(f"{hub}: the repository holds no weights that can be read here")
    raise missing(card, source, revision, reasons)


def fetch_config(repository: str, file: str, revision: str | None = None) -> Path:
    """One file of a repository on the Hugging Face hub, from its cache if it is there.

    Raises:
        BackboneError: it is not in the cache, and the hub did not give it.
    """
    place = in_hugging_face_cache(repository, revision or "main")
    if (place.folder / file).is_file():
        return place.folder / file
    if offline():
        raise BackboneError(f"{file} of {repository} is not here, and HF_HUB_OFFLINE is set")
    try:
        _reach(os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
        from huggingface_hub import hf_hub_download

        path = hf_hub_download(
            repository,
            file,
            revision=revision,
            cache_dir=hugging_face_cache(),
            endpoint=os.environ.get("HF_ENDPOINT"),
        )
    except Exception as error:  # the client has errors of its own
        raise BackboneError(f"{file} of {repository}: {_reason(error)}") from error
    return Path(path)


def missing(
    card: BackboneCard,
    source: str | Path | None = None,
    revision: str | None = None,
    reasons: list[str] | None = None,
) -> BackboneError:
    """The error for a backbone that is not here: places, reasons, and what to do."""
    if not card.downloadable:
        return BackboneError(f"{card.name} has no weights to fetch")
    lines = [*places_tried(card, source, revision), *(reasons or [])]
    return BackboneError(
        f"the weights of {card.name} were not found. Tried:\n"
        + "".join(f"  - {line}\n" for line in lines)
        + "Fetch them on a machine with a network: "
        + f"python -m harness prefetch --backbone {card.name}\n"
        + f"or put {config_file(card)} and the weights into "
        + f"$HARNESS_MODELS/{card.stored_as or card.name}"
    )


def offline() -> bool:
    """Whether the user told Hugging Face's tools to leave the network alone."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def _hubs(card: BackboneCard) -> list[tuple[str, Callable[[str | None], None]]]:
    hubs: list[tuple[str, Callable[[str | None], None]]] = []
    if card.modelscope is not None:
        hubs.append(("ModelScope", lambda revision: _from_modelscope(card, revision)))
    if card.huggingface is not None:
        hubs.append(("Hugging Face", lambda revision: _from_hugging_face(card, revision)))
    return hubs


def _from_hugging_face(card: BackboneCard, revision: str | None) -> None:
    _reach(os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    from huggingface_hub import snapshot_download

    pinned = revision or (card.revision if card.modelscope is None else None)
    for weights in (SAFETENSORS, PICKLES):  # the second only where the first is not published
        snapshot_download(
            str(card.huggingface),
            revision=pinned,
            cache_dir=hugging_face_cache(),
            endpoint=os.environ.get("HF_ENDPOINT"),
            allow_patterns=[config_file(card), *BESIDE, *weights],
        )
        if locate(card, revision=revision):
            return


def _from_modelscope(card: BackboneCard, revision: str | None) -> None:
    _reach(os.environ.get("MODELSCOPE_ENDPOINT") or "https://www.modelscope.cn")
    from modelscope.hub.snapshot_download import snapshot_download

    snapshot_download(
        str(card.modelscope),
        revision=revision or card.revision,
        cache_dir=str(modelscope_cache()),
        allow_patterns=[config_file(card), *SAFETENSORS, *PICKLES],
    )


def _reach(endpoint: str) -> None:
    """Fail at once where there is no network: the hubs' own clients try for 22 seconds."""
    import requests

    requests.head(endpoint, timeout=PATIENCE_S)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or "no reason given"
    return f"{type(error).__name__}: {text[:300]}"
