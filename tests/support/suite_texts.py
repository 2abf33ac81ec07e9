"""Suites that somebody, or something, wrote wrongly."""

from __future__ import annotations

import random
from pathlib import Path

SHIPPED = [
    path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parents[2] / "suites").glob("*.yaml"))
]
VALUES = (
    "null", "true", "''", "[]", "{}", "-1", "0", "1e999", ".nan", "9223372036854775808", "1" * 5000,
    "[[", "!!int ''", "!!python/object:os.system x", "!!binary x", "!!set {a}", "&a [*a]", "*b",
    '"\\ud800"', '"\\0"', "../../../evil", "/etc/passwd", "a" * 300, "=", "<<", "2026-01-01", "0o7",
    "1:30", "{<<: 3}", "? [a]\n: b", "[" * 600, "{choose: []}", "{choose: [1, 1]}",
    "{choose: {a: 1}}", "[{corpus: 3}]", "{name: x, kind: y}", "\x07", "\u2028", "ß", "1_000", "~",
    "1000000000", "[1000000000]", "{a: {a: {a: 1}}}", "!!float ''", "!!bool maybe", "!!null x",
    "{1: 2}", "{[1]: 2}", "!!timestamp x", "!<x> y", "%", "@", "`", "|", ">", "'", '"', "#", "-",
)  # fmt: skip
KEYS = (
    "suite", "corpora", "backbones", "matrix", "head", "training", "protocol", "cost", "task",
    "tracking", "keep_models", "extends", "description", "must_beat_majority", "choose", "seed",
    "folds", "name", "kind", "root", "labels", "include", "exclude", "epochs", "learning_rate",
)  # fmt: skip


def mutated(seed: int) -> str:
    """A shipped suite in which a few things are otherwise; the same for the same seed."""
    draw = random.Random(seed)
    text = draw.choice(SHIPPED)
    for _ in range(draw.randint(1, 4)):
        text = draw.choice((_value, _key, _line, _character, _cut, _repeat))(text, draw)
    return text


def _value(text: str, draw: random.Random) -> str:
    lines = text.splitlines()
    at = draw.randrange(len(lines) or 1)
    if lines and ":" in lines[at]:
        lines[at] = lines[at].split(":")[0] + ": " + draw.choice(VALUES)
    return "\n".join(lines)


def _key(text: str, draw: random.Random) -> str:
    return f"{text}\n{draw.choice(KEYS)}: {draw.choice(VALUES)}\n"


def _line(text: str, draw: random.Random) -> str:
    lines = text.splitlines()
    at = draw.randrange(len(lines) or 1)
    return "\n".join([*lines[:at], " " * draw.randrange(6) + draw.choice(VALUES), *lines[at:]])


def _character(text: str, draw: random.Random) -> str:
    at = draw.randrange(len(text) or 1)
    return text[:at] + draw.choice("{}[]:,&*!|>'\"%@`#-?\t\x00\x7f\ud800é\n ") + text[at + 1 :]


def _cut(text: str, draw: random.Random) -> str:
    start = draw.randrange(len(text) or 1)
    return text[:start] + text[start + draw.randrange(40) :]


def _repeat(text: str, draw: random.Random) -> str:
    start = draw.randrange(len(text) or 1)
    part = text[start : start + draw.randrange(60)]
    return text[:start] + part * draw.randrange(8) + text[start:]
