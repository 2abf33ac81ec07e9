"""The disk that frames take is known beforehand, and the least recently used are deleted."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from running import interrupted_after, to_the_end

from backbones.base import Backbone
from harness.cache.disk_space import (
    SPARE_BYTES,
    free_disk_space,
    planned_bytes,
    size_bytes,
    written_bytes,
)
from harness.cache.extraction import extract, extraction_passes
from harness.cache.frame_store import INDEX, PARTIAL, FrameKey, FrameStore
from harness.cache.frame_views import FrameView
from harness.cache.shard_writer import shard_lock
from harness.data.batches import LabelledSplit
from harness.errors import UserError

MakeKey = Callable[..., FrameKey]
Keep = Callable[..., Path]

SHARD = {"sound": torch.zeros(100, 25)}
SHARD_BYTES = 10_000


@pytest.fixture
def aged(keep: Keep, key: MakeKey) -> list[Path]:
    """Shards of three frame sets, the second used longest ago and the first after it."""
    folders = [keep(key(view=FrameView(depth)), "all", SHARD) for depth in range(3)]
    for folder, time_s in zip(folders, (2000, 1000, 3000), strict=True):
        os.utime(folder / "frames.bin", (0, 0))
        os.utime(folder / INDEX, (time_s, time_s))
    return folders


def test_nothing_is_deleted_where_the_disk_suffices(store: FrameStore, aged: list[Path]) -> None:
    assert free_disk_space(store, 5000, size_bytes(store.folder) + 5000) == []
    assert all(folder.is_dir() for folder in aged)


def test_a_store_that_is_not_there_yet_has_disk_space(store: FrameStore) -> None:
    assert free_disk_space(store, 5000, 5000) == []


@pytest.mark.parametrize(
    ("more_bytes", "order"), [(1, [1]), (SHARD_BYTES + 1000, [1, 0]), (25_000, [1, 0, 2])]
)
def test_what_was_used_longest_ago_goes_first_and_no_more_than_must(
    more_bytes: int, order: list[int], store: FrameStore, aged: list[Path]
) -> None:
    deleted = free_disk_space(store, more_bytes, size_bytes(store.folder))
    assert deleted == [aged[index] for index in order]
    assert [folder.is_dir() for folder in aged] == [index not in order for index in range(3)]


def test_an_opened_frame_set_is_the_last_to_be_deleted(
    store: FrameStore, key: MakeKey, aged: list[Path]
) -> None:
    own = key(view=FrameView(1))
    store.open(own, store.sounds(own))
    assert free_disk_space(store, 1, size_bytes(store.folder)) == [aged[0]]


def test_shards_in_use_are_never_deleted(store: FrameStore, aged: list[Path]) -> None:
    limit = size_bytes(store.folder)
    assert free_disk_space(store, 5000, limit, aged[1:]) == [aged[0]]
    with pytest.raises(UserError):
        free_disk_space(store, SHARD_BYTES, limit - SHARD_BYTES, aged[1:])
    assert [folder.is_dir() for folder in aged] == [False, True, True]


def test_what_can_never_fit_is_refused_with_what_to_do_and_nothing_is_deleted(
    store: FrameStore, aged: list[Path]
) -> None:
    with pytest.raises(UserError, match=r"frames need 3\.00 GB .* 2\.00 GB are allowed") as error:
        free_disk_space(store, 3_000_000_000, 2e9)
    for way_out in ("--cache-gb", "HARNESS_CACHE", "--frames off"):
        assert way_out in str(error.value)
    assert all(folder.is_dir() for folder in aged)


def test_a_disk_with_less_space_than_is_allowed_counts(
    store: FrameStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = SPARE_BYTES + 1000
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free))
    assert free_disk_space(store, 1000, 1e12) == []
    with pytest.raises(UserError, match=r"there is room for 0\.00 GB"):
        free_disk_space(store, 1001, 1e12)


def test_a_partial_shard_is_deleted_unless_it_is_being_written(
    store: FrameStore, aged: list[Path]
) -> None:
    partial = aged[2].rename(aged[2].with_name(f"name{PARTIAL}"))
    os.utime(partial / INDEX, (0, 0))
    limit = size_bytes(store.folder)
    with shard_lock(store.folder, "name"):
        assert free_disk_space(store, 1, limit) == [aged[1]]
        assert partial.is_dir()
    assert free_disk_space(store, SHARD_BYTES + 1000, limit) == [partial]


@pytest.mark.usefixtures("small_batches")
def test_planned_bytes_are_those_that_are_written(
    backbone: Backbone,
    store: FrameStore,
    key: MakeKey,
    noise: LabelledSplit,
    sounds: list[str],
    accelerator: Accelerator,
) -> None:
    top = len(backbone.layers)
    whole = [key(view=FrameView(depth)) for depth in range(top + 1)]
    summarised = [key(view=FrameView(top, "statistics"))]
    for keys in ([*whole, key(view=FrameView(0), dtype="bf16")], summarised):
        (extraction,) = extraction_passes(store, keys, noise, sounds)
        planned = planned_bytes(extraction, backbone)
        to_the_end(extract(extraction, store, backbone, accelerator))
        folders = [store.folder_of(own) / extraction.name for own in keys]
        assert planned == sum((folder / "frames.bin").stat().st_size for folder in folders)
    on_disk = sum(size_bytes(store.folder_of(own)) for own in whole)
    frames = sum(shard.size_bytes for own in whole for shard in store.shards(own))
    assert on_disk == pytest.approx(frames, rel=0.02)  # whose they are takes little


@pytest.mark.usefixtures("small_batches")
def test_what_an_interrupted_pass_has_written_needs_no_disk_a_second_time(
    emotion2vec: Backbone,
    store: FrameStore,
    key: MakeKey,
    noise: LabelledSplit,
    sounds: list[str],
    accelerator: Accelerator,
) -> None:
    (extraction,) = extraction_passes(store, [key()], noise, sounds)
    assert written_bytes(extraction, store) == 0
    work = extract(extraction, store, emotion2vec, accelerator)
    with pytest.raises(KeyboardInterrupt):
        interrupted_after(len(extraction.plan()) - 1, work)
    planned, written = planned_bytes(extraction, emotion2vec), written_bytes(extraction, store)
    assert 0.5 * planned < written == size_bytes(store.folder) < planned
    partial = store.partial_shard(key(), extraction.name)
    assert free_disk_space(store, planned - written, planned, [partial]) == []
