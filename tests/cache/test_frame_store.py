"""What is written is read again, and what is not whole is never read."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from harness.cache.frame_store import FRAMES, INDEX, PARTIAL, FrameKey, FrameStore
from harness.cache.frame_views import FrameView
from harness.model.dtypes import DTYPES
from harness.specs import DtypeName

Keep = Callable[..., Path]
MakeKey = Callable[..., FrameKey]


def frames(**lengths: int) -> dict[str, Tensor]:
    return {sound: torch.randn(length, 5) for sound, length in lengths.items()}


@pytest.mark.parametrize("dtype", DTYPES)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_frames_come_back_in_the_type_they_are_kept_in(
    dtype: DtypeName, lengths: list[int], store: FrameStore, keep: Keep, key: MakeKey
) -> None:
    shutil.rmtree(store.folder, ignore_errors=True)  # of the example before
    own = key(dtype=dtype)
    written = frames(**{f"s{index}": length for index, length in enumerate(lengths)})
    keep(own, "all", written)
    found = store.open(own, written).frames
    assert found.keys() == written.keys() == store.sounds(own)
    for sound, values in written.items():
        assert torch.equal(found[sound], values.to(DTYPES[dtype]))


def test_frames_are_mapped_from_their_file(store: FrameStore, keep: Keep, key: MakeKey) -> None:
    folder = keep(key(), "all", frames(a=2, b=3))
    found = store.open(key(), {"a", "b"}).frames
    with (folder / FRAMES).open("r+b") as file:
        file.write(b"\0" * 20)
    assert not found["a"][0].any()
    assert found["b"].any()


def test_changing_opened_frames_changes_nothing_on_disk(
    store: FrameStore, keep: Keep, key: MakeKey
) -> None:
    folder = keep(key(), "all", frames(a=2))
    before = (folder / FRAMES).read_bytes()
    store.open(key(), {"a"}).frames["a"].zero_()
    assert (folder / FRAMES).read_bytes() == before


def test_shards_of_a_frame_set_are_read_together(
    store: FrameStore, keep: Keep, key: MakeKey
) -> None:
    one, other = frames(a=2, b=3), frames(c=4)
    keep(key(), "one", one)
    keep(key(), "other", other)
    found = store.open(key(), {"a", "b", "c"}).frames
    assert all(torch.equal(found[sound], values) for sound, values in (one | other).items())
    assert store.open(key(view=FrameView(1)), {"a"}).frames == {}


def test_only_the_utterances_that_are_asked_for_are_opened(
    store: FrameStore, keep: Keep, key: MakeKey
) -> None:
    keep(key(), "one", frames(a=2, b=3))
    other = keep(key(), "other", frames(c=4)) / INDEX
    os.utime(other, (0, 0))
    assert store.open(key(), {"b", "unknown"}).frames.keys() == {"b"}
    assert other.stat().st_mtime == 0  # so that it is deleted before what is used


def test_a_file_larger_than_all_memory_can_be_opened(
    store: FrameStore, keep: Keep, key: MakeKey
) -> None:
    folder = keep(key(), "all", frames(a=2))
    rows = 2 * psutil.virtual_memory().total // (5 * 4)
    os.truncate(folder / FRAMES, rows * 5 * 4)  # as a hole, which takes no disk
    index = json.loads((folder / INDEX).read_text())
    (folder / INDEX).write_text(json.dumps(index | {"rows": [["a", rows]]}))
    assert len(store.open(key(), {"a"}).frames["a"]) == rows


def test_frames_of_a_cache_that_may_only_be_read_are_used(
    store: FrameStore, keep: Keep, key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: object) -> None:
        raise PermissionError

    keep(key(), "all", frames(a=2))
    monkeypatch.setattr("os.utime", refused)
    assert len(store.open(key(), {"a"}).frames["a"]) == 2


def test_what_is_being_written_is_never_read(store: FrameStore, keep: Keep, key: MakeKey) -> None:
    folder = keep(key(), "all", frames(a=2))
    folder.rename(folder.with_name(f"all{PARTIAL}"))
    assert store.open(key(), {"a"}).frames == {}
    assert folder.with_name(f"all{PARTIAL}").is_dir()  # nor is it swept away


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "frames cut off": lambda folder: os.truncate(folder / FRAMES, 39),
    "frames too many": lambda folder: (folder / FRAMES).open("ab").write(b"\0"),
    "frames gone": lambda folder: (folder / FRAMES).unlink(),
    "index gone": lambda folder: (folder / INDEX).unlink(),
    "index cut off": lambda folder: os.truncate(folder / INDEX, 30),
    "index of something else": lambda folder: (folder / INDEX).write_text('{"a": 1}'),
    "index that is a list": lambda folder: (folder / INDEX).write_text("[]"),
    "index of a type unknown": lambda folder: (folder / INDEX).write_text(
        (folder / INDEX).read_text().replace('"dtype": "float32"', '"dtype": "float8"')
    ),
    "another format": lambda folder: (folder / INDEX).write_text(
        (folder / INDEX).read_text().replace('"format": 1', '"format": 0')
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_shard_counts_as_none_and_is_deleted(
    damage: str, store: FrameStore, keep: Keep, key: MakeKey
) -> None:
    folder = keep(key(), "damaged", frames(a=2))
    keep(key(), "whole", frames(b=2))
    DAMAGES[damage](folder)
    assert store.sounds(key()) == {"b"}
    assert not folder.exists()


@pytest.mark.parametrize("name", [field.name for field in fields(FrameKey)])
def test_whatever_could_change_a_frame_changes_the_key(name: str, key: MakeKey) -> None:
    other = {"view": FrameView(1), "dtype": "bf16"}.get(name, "other")
    assert key(**{name: other}).name != key().name
    assert key(**{name: getattr(key(), name)}).name == key().name


@pytest.mark.parametrize("view", [FrameView(2), FrameView(0, "statistics")])
def test_depth_and_form_have_frame_sets_of_their_own(view: FrameView, key: MakeKey) -> None:
    assert key(view=view).name != key().name


def test_a_frame_set_is_one_folder_whatever_the_backbone_is_called(
    store: FrameStore, key: MakeKey
) -> None:
    own = replace(key(), backbone="someone/network")
    assert store.folder_of(own).parent == store.folder
    assert own.name != replace(key(), backbone="someone_network").name


def test_reading_notes_when_a_shard_was_last_used(
    store: FrameStore, keep: Keep, key: MakeKey
) -> None:
    index = keep(key(), "all", frames(a=2)) / INDEX
    os.utime(index, (0, 0))
    store.sounds(key())
    assert index.stat().st_mtime == 0
    store.open(key(), {"a"})
    assert index.stat().st_mtime > 0
