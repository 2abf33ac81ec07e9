"""Lists of recordings that somebody, or something, wrote wrongly."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

CELLS = (
    "", "a.wav", "b.wav", "../a.wav", "/dev/zero", "a" * 300, "x/" * 200, ".", "\0", "\ud800",
    "angry", "sad", "NaN", "none", "s1", "s2", "-1", "1e999", "nan", "inf", "0.5", "1", "2", "3",
    "1e5", "99999999999999999999", "train", "dev", "test", "Train ", "=cmd()", "'", '"', "ß",
    "\u2028",    "true", "[1]", "{}", "null", "0x10", "1_000", "１", " ", "\t", "a,b", "a\nb",
)  # fmt: skip
COLUMNS = (
    "file", "label", "speaker", "utterance_id", "start_s", "end_s", "split", "fold", "text",
    "language", "target", "duration_s", "channels", "onset", "", " file", "FILE", "\ufeff", "x",
)  # fmt: skip
VALUES = (*CELLS, None, True, 1, 2.5, -3, 1e308, [], {}, ["a"], {"a": 1})
GOOD = {"file": "a.wav", "label": "angry", "speaker": "s1"}


def write(seed: int, folder: Path) -> str:
    """Write a list that is wrong in a few places, the same for the same seed; its name."""
    draw = random.Random(seed)
    kind = draw.choice(("csv", "jsonl", "parquet"))
    content = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[kind](draw)
    for _ in range(draw.choice((0, 0, 0, 1, 3))):
        at = draw.randrange(len(content) or 1)
        content = content[:at] + bytes([draw.randrange(256)]) + content[at + draw.randrange(3) :]
    (folder / f"manifest.{kind}").write_bytes(content)
    return f"manifest.{kind}"


def _rows(draw: random.Random, values: tuple[object, ...]) -> list[dict[str, object]]:
    columns = [*GOOD, *draw.sample(COLUMNS, draw.randrange(4))]
    rows = []
    for number in range(draw.randrange(1, 8)):
        row: dict[str, object] = dict.fromkeys(columns, "1")
        row |= GOOD | {"speaker": f"s{number % 3}", "label": draw.choice(("angry", "sad"))}
        for _ in range(draw.randrange(3)):
            row[draw.choice(columns)] = draw.choice(values)
        rows.append(row)
    return rows


def _csv(draw: random.Random) -> bytes:
    rows = _rows(draw, CELLS)
    separator = draw.choice((",", ",", ",", ";", "\t", "|"))
    lines = [separator.join(rows[0]), *(separator.join(map(str, row.values())) for row in rows)]
    if draw.random() < 0.2:
        lines.insert(draw.randrange(len(lines)), draw.choice(CELLS))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _jsonl(draw: random.Random) -> bytes:
    lines = [json.dumps(row) for row in _rows(draw, VALUES)]
    if draw.random() < 0.3:
        odd = ("[", "[" * 100_000, "{}", "1", '"a"', "null", "NaN", '{"file": NaN}', "{" * 9, "")
        lines.insert(draw.randrange(len(lines)), draw.choice(odd))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _parquet(draw: random.Random) -> bytes:
    rows = _rows(draw, tuple(v for v in VALUES if not isinstance(v, list | dict)))
    columns = {}
    for name in rows[0]:
        cells = [row.get(name) for row in rows]
        kept = [None if c is None else str(c).encode("utf-8", "replace").decode() for c in cells]
        same = len({type(cell) for cell in cells}) == 1 and not isinstance(cells[0], str)
        columns[name] = cells if same else kept
    if draw.random() < 0.2:
        columns["nested"] = [{"a": [1]}] * len(rows)
    target = io.BytesIO()
    parquet.write_table(pa.table(columns), target)
    return target.getvalue()
