"""What a pin is: a component's small inputs, worked through to numbers and words."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

PINNED = Path(__file__).with_name("pinned.json")
"""Component -> its version and the values that belong to it."""

SIGNIFICANT_DIGITS = 6

Pin = Callable[[Path], Any]
"""Works in an empty folder and returns nested lists, mappings, numbers and words."""


def plain(value: Any) -> Any:
    """Values as JSON holds them, numbers to so many significant digits."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "detach"):
        return plain(value.detach().double().cpu().numpy())
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, bool | str | int) or value is None:
        return value
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.{SIGNIFICANT_DIGITS}g}")
    if isinstance(value, Sequence | set | frozenset):
        return [
            plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)
        ]
    return str(value)


def agree(found: Any, pinned: Any, tolerance: float) -> bool:
    """Whether values are the same, numbers to within a relative tolerance."""
    if isinstance(found, dict) and isinstance(pinned, dict):
        return found.keys() == pinned.keys() and all(
            agree(found[key], pinned[key], tolerance) for key in found
        )
    if isinstance(found, list) and isinstance(pinned, list):
        return len(found) == len(pinned) and all(
            agree(*pair, tolerance) for pair in zip(found, pinned, strict=True)
        )
    if isinstance(found, float | int) and isinstance(pinned, float | int):
        if isinstance(found, bool) or isinstance(pinned, bool):
            return found is pinned
        if math.isnan(found) or math.isnan(pinned):
            return math.isnan(found) and math.isnan(pinned)
        return math.isclose(found, pinned, rel_tol=tolerance, abs_tol=tolerance * 1e-1)
    return bool(found == pinned)


def pinned() -> dict[str, Any]:
    """All pinned values by component."""
    found: dict[str, Any] = json.loads(PINNED.read_text(encoding="utf-8"))
    return found


def check(component: str, version: int, found: Any, tolerance: float) -> None:
    """Hold a component to its pinned values.

    Raises:
        AssertionError: they differ, or the values of this version were never pinned.
    """
    stated = pinned().get(component, {"version": None, "values": None})
    assert stated["version"] == version, (
        f"{component} has version {version}, and pinned are values of {stated['version']}: "
        f"`python tests/support/pins/__main__.py {component}` pins them"
    )
    same = agree(plain(found), stated["values"], tolerance)
    assert same, f"raise the version of {component} or mend it"
