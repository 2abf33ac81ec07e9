"""Every component holds to the values that are pinned of its version."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutation import mutated
from pins.mutations import MUTATIONS
from pins.pin import agree, check, pinned, plain
from pins.table import PINS, prepared, tolerance, versions


def test_every_component_has_a_pin_and_every_pin_a_component():
    assert set(PINS) == set(versions()) == set(pinned())


@pytest.mark.parametrize("component", sorted(PINS))
def test_a_component_keeps_the_values_of_its_version(component: str, tmp_path: Path):
    prepared()
    check(component, versions()[component], PINS[component](tmp_path), tolerance(component))


def test_other_values_call_for_another_version():
    stated = pinned()["loss.cross_entropy"]["values"]
    other = {**stated, "[5, 5, 5]": [0.25, stated["[5, 5, 5]"][1]]}
    check("loss.cross_entropy", 1, stated, 1e-9)
    with pytest.raises(AssertionError, match=r"raise the version of loss\.cross_entropy or mend"):
        check("loss.cross_entropy", 1, other, 1e-9)


def test_a_raised_version_calls_for_new_values():
    stated = pinned()["loss.cross_entropy"]["values"]
    with pytest.raises(AssertionError, match="has version 2, and pinned are values of 1"):
        check("loss.cross_entropy", 2, stated, 1e-9)


@pytest.mark.parametrize(
    ("found", "stated", "same"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-6], True),
        ([1.0, 2.0], [1.0, 2.1], False),
        ([1.0], [1.0, 1.0], False),
        ({"a": 1}, {"b": 1}, False),
        (True, 1, False),
        ("x", "y", False),
        (float("nan"), float("nan"), True),
        (None, 0, False),
    ],
)
def test_values_agree_to_within_a_tolerance(found: object, stated: object, same: bool):
    assert agree(found, stated, 1e-5) is same


def test_every_component_has_changes_that_its_pin_must_notice():
    assert set(MUTATIONS) == set(PINS)
    assert min(map(len, MUTATIONS.values())) >= 3


@pytest.mark.parametrize(
    ("component", "change"),
    [
        pytest.param(component, change, id=f"{component}-{number}")
        for component, changes in MUTATIONS.items()
        for number, change in enumerate(changes, start=1)
    ],
)
def test_a_changed_component_no_longer_agrees(
    component: str, change: tuple[str, str, str], tmp_path: Path
):
    prepared()
    with mutated(*change):
        found = plain(PINS[component](tmp_path))
    assert not agree(found, pinned()[component]["values"], tolerance(component))
