"""Reads the files that describe a network beside its weights. No torch here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from backbones.cards import BackboneError


def read_config(path: Path) -> dict[str, Any]:
    """What a JSON or YAML file says beside a checkpoint.

    Raises:
        BackboneError: the file does not hold one object.
    """
    try:
        text = path.read_text("utf-8")
        stated = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except RecursionError:
        raise BackboneError(f"{path} cannot be read: it is nested too deeply") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BackboneError(f"{path} cannot be read: {first_line(error)}") from error
    if not isinstance(stated, dict):
        raise BackboneError(f"{path} does not describe a network: it holds no key and value")
    return stated


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return str(error).partition("\n")[0] or type(error).__name__
