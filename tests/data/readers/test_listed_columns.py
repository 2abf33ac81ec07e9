"""Columns that choose what is heard are read, checked or refused."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from harness.data.readers import emobox, manifest
from harness.data.readers.listed_columns import (
    check_against_sound,
    seconds_of,
    segment_bounds,
    stretch_id,
    suspicious_columns,
)
from harness.data.readers.manifest_rows import KNOWN
from harness.errors import CorpusError
from harness.specs import CorpusSpec


@pytest.fixture
def ten_seconds(tmp_path: Path) -> Path:
    """A folder with one recording of two channels."""
    noise = np.random.default_rng(0).normal(size=(80_000, 2)) / 10
    soundfile.write(tmp_path / "a.wav", noise, 8_000)
    return tmp_path


def read(root: Path, columns: str, cells: str, **spec: Any) -> Any:
    (root / "manifest.csv").write_text(
        f"file,label,speaker,{columns}\na.wav,sad,1,{cells}\n", encoding="utf-8"
    )
    (utterance,) = manifest.read(
        root, CorpusSpec.model_validate({"name": "mine", **spec})
    ).utterances
    return utterance


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("start_s,end_s", "1.5,3.5"),
        ("start_time,end_time", "1.5,3.5"),
        ("start,end", "0 days 00:00:01.500000,0 days 00:00:03.500000"),
        ("start,end", "00:00:01.5,0:03.5"),
        ("begin,end", "1.5,3.5"),
    ],
)
def test_stretches_are_read_under_every_known_name(
    ten_seconds: Path, columns: str, cells: str
) -> None:
    utterance = read(ten_seconds, columns, cells)
    assert (utterance.start_s, utterance.end_s) == (1.5, 3.5)
    assert utterance.utterance_id == "a@1.5-3.5"


def test_an_end_that_is_no_time_is_the_end_of_the_file(ten_seconds: Path) -> None:
    utterance = read(ten_seconds, "start,end", "0 days 00:00:01.500000,NaT")
    assert (utterance.start_s, utterance.end_s) == (1.5, None)


def test_emobox_lists_of_stretches_are_read(ten_seconds: Path) -> None:
    rows = (
        f'{{"key": "u{n}", "wav": "a.wav", "emo": "sad", "start_time": {n}, "end_time": {n + 2}}}'
        for n in (0, 3)
    )
    (ten_seconds / "long.jsonl").write_text("\n".join(rows))
    spec = CorpusSpec(name="long", kind="emobox", speaker_overlap="allowed")
    found = emobox.read(ten_seconds, spec).utterances
    assert [(u.start_s, u.end_s) for u in found] == [(0, 2), (3, 5)]


def test_two_names_of_one_bound_are_refused(ten_seconds: Path) -> None:
    with pytest.raises(CorpusError, match="start_s and start mean the same: keep one"):
        read(ten_seconds, "start_s,start", "1,2")


@pytest.mark.parametrize(
    ("column", "what"),
    [
        ("segment_start", "a time"),
        ("audioEnd", "a time"),
        ("onset", "a time"),
        ("start_ms", "a time"),
        ("Start_S", "a time"),
        ("t0", "a time"),
        ("starttime", "a time"),
        ("from", "a time"),
        ("xmin", "a time"),
        ("tmax", "a time"),
        ("start_sample", "a time"),
        ("last_frame", "a time"),
        ("turn_start", "a time"),
        ("crop_end", "a time"),
        ("fold_id", "a split"),
        ("is_train", "a split"),
        ("train_or_test", "a split"),
        ("usage", "a split"),
        ("channel_index", "a channel"),
        ("speaker_channel", "a channel"),
        ("channel_number", "a channel"),
        ("track", "a channel"),
        ("Partition", "a split"),
        ("Split_Set", "a split"),
        ("official_fold", "a split"),
    ],
)
def test_a_column_that_looks_as_if_it_chose_something_is_refused_unless_ignored(
    ten_seconds: Path, column: str, what: str
) -> None:
    with pytest.raises(CorpusError, match=f"column {column!r} looks like {what} and is not known"):
        read(ten_seconds, column, "7")
    assert read(ten_seconds, column, "7", ignore_columns=[column]).start_s is None


@pytest.mark.parametrize(
    "column",
    ["gender", "emotion_start_word", "text_length", "dataset", "valence", "session", "number",
     "sentence", "take", "notes", "transcription", "dominance_votes"],
)  # fmt: skip
def test_other_columns_are_passed_over(ten_seconds: Path, column: str) -> None:
    assert read(ten_seconds, column, "7").target == "sad"


@pytest.mark.parametrize(
    ("column", "cell"), [("duration_s", "10.05"), ("length", "9.9"), ("channels", "2")]
)
def test_what_is_said_of_the_sound_and_is_so_passes(
    ten_seconds: Path, column: str, cell: str
) -> None:
    assert read(ten_seconds, column, cell).target == "sad"


@pytest.mark.parametrize(
    ("column", "cell", "told"),
    [
        ("duration", "3.3", "duration is 3.3 s, and the recording has 10.00 s"),
        ("length", "long", "length must be a number of seconds, found 'long'"),
        ("channel", "1", "channel is 1, and the file has 2; if it chooses one of them, cut it out"),
    ],
)
def test_what_is_said_of_the_sound_and_is_not_so_is_refused_unless_ignored(
    ten_seconds: Path, column: str, cell: str, told: str
) -> None:
    with pytest.raises(CorpusError, match=f"line 2: {told}"):
        read(ten_seconds, column, cell)
    assert read(ten_seconds, column, cell, ignore_columns=[column]).target == "sad"


def test_the_length_of_a_stretch_may_be_its_own_or_its_files(ten_seconds: Path) -> None:
    for length in ("2", "10"):
        assert read(ten_seconds, "start_s,end_s,duration_s", f"1,3,{length}").end_s == 3
    with pytest.raises(CorpusError, match=r"the recording has 2\.00 s or 10\.00 s"):
        read(ten_seconds, "start_s,end_s,duration_s", "1,3,5")


def test_a_channel_of_two_may_be_the_second_as_well_as_how_many_there_are(
    ten_seconds: Path,
) -> None:
    with pytest.raises(CorpusError, match="channel is 2, and the file has 2; if it chooses one"):
        read(ten_seconds, "channel", "2")
    soundfile.write(ten_seconds / "a.wav", np.zeros(8_000), 8_000)
    assert read(ten_seconds, "channel", "1").target == "sad"


def test_a_column_that_is_to_be_ignored_must_be_there(ten_seconds: Path) -> None:
    with pytest.raises(CorpusError, match="ignore_columns: there is no column 'txet': did"):
        read(ten_seconds, "text", "Hello", ignore_columns=["txet"])


def test_what_cannot_be_decoded_is_told_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    assert check_against_sound({"duration_s": 3}, tmp_path / "a.wav", (None, None), ()) == []


@given(st.floats(0, 10**6), st.floats(0, 10**6))
def test_stretches_a_microsecond_apart_have_different_ids(one: float, other: float) -> None:
    same = round(one, 6) == round(other, 6)
    assert (stretch_id("a", one, None) == stretch_id("a", other, None)) == same


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30)))
def test_times_are_read_as_pandas_writes_them(time: timedelta) -> None:
    clock = f"{time.days} days {time.seconds // 3600:02}:{time.seconds // 60 % 60:02}"
    text = f"{clock}:{time.seconds % 60:02}.{time.microseconds:06}"
    assert seconds_of(text) == pytest.approx(time.total_seconds())
    assert seconds_of(time) == time.total_seconds()


def test_bounds_that_are_no_times_are_told() -> None:
    mistakes: list[str] = []
    assert segment_bounds({"start": "soon", "end": -1}, mistakes) == (None, None)
    assert mistakes == [
        "start must be a number of seconds, found 'soon'",
        "end must be a number of seconds, found -1",
    ]


def test_known_columns_are_never_suspicious() -> None:
    assert suspicious_columns(KNOWN, KNOWN, ()) == []
