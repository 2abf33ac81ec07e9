"""YAML that is hostile, huge or odd: plain data within bounds, or one clear error."""

import time

import pytest

from harness.config.yaml_reading import read_yaml
from harness.errors import SuiteError

ALIASES = "a: &a [1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{below}'] * 9)}]\n"
    for below, name in zip("abcdefghi", "bcdefghij", strict=True)
)
MERGES = "a: &a {k: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{below}'] * 9)}]}}\n"
    for below, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ALIASES, "more than 100,000 values"),
        (MERGES, "keys that were merged"),
        (f"a: &a {{k: 1}}\nb: {{<<: [{', '.join(['*a'] * 2000)}]}}", "that are merged into one"),
        ("a: " + "[" * 500, "more than 30 levels"),
        ("a: " + "{a: " * 500, "more than 30 levels"),
        ("a: !!int ''", "'', which is no int"),
        ("a: !!float x", "'x', which is no float"),
        ("a: !!timestamp x", "'x', which is no timestamp"),
        ("a: !!binary x", "only plain data is read"),
        ("a: !!python/name:os.system x", "only plain data is read"),
        ('a: "\\ud800"', "characters that cannot be shown"),
        ('a: "\\0"', "characters that cannot be shown"),
        ("a: \x07", "not readable as YAML"),
        ('"\\0": 1', "a key that is not a plain word"),
        ("? [a]\n: b", "a key that is not a plain word"),
        ("a: " + "1" * 5000, "which is no int"),
        ("a: " + "x" * 1_000_000, "at most 1,000,000"),
    ],
)
def test_what_is_hostile_is_refused_at_once(text: str, told: str) -> None:
    started = time.monotonic()
    with pytest.raises(SuiteError, match=r"^a\.yaml") as caught:
        read_yaml(text, "a.yaml")
    assert told in str(caught.value)
    assert str(caught.value).isprintable()
    assert time.monotonic() - started < 30


def test_what_is_usual_is_read() -> None:
    text = "base: &base {a: 1, b: [x, 2.5, null, true]}\nown: {<<: *base, a: 2}\n"
    found, mistakes = read_yaml(text, "a.yaml")
    assert mistakes == []
    assert found.plain()["own"] == {"a": 2, "b": ["x", 2.5, None, True]}
