"""Parts of a suite as values: immutable, comparable, usable as keys."""

import pytest
from pydantic import ValidationError

from harness.specs import CorpusSpec, HeadSpec


def test_equal_specs_are_one_key_even_with_a_label_map() -> None:
    one, same, other = (
        CorpusSpec(name="mine", labels=labels) for labels in ({"a": "b"}, {"a": "b"}, {"a": None})
    )
    assert {one: 1}[same] == 1
    assert len({one, same, other}) == 2


def test_a_spec_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        HeadSpec().dropout = 0.1
