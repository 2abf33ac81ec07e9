"""A shard is written batch by batch, and an interrupted one is read as far as it is whole."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from harness.cache.frame_store import FRAMES, FrameKey, FrameStore
from harness.cache.shard_writer import ShardWriter
from harness.errors import UserError

MakeKey = Callable[..., FrameKey]


def test_a_truncated_shard_remembers_what_was_written_since(
    store: FrameStore, key: MakeKey
) -> None:
    folder = store.partial_shard(key(), "name")
    with ShardWriter.opened(folder, key()) as writer:
        writer.append(["a"], torch.zeros(1, 3, 4), [3])
        writer.append(["b", "c"], torch.ones(2, 3, 4), [2, 1])
        writer.truncate(1)
        writer.append(["d"], torch.full((1, 3, 4), 2.0), [3])
    with ShardWriter.opened(folder, key()) as again:
        assert again.rows == [[("a", 3)], [("d", 3)]]
    expected = torch.cat([torch.zeros(12), torch.full((12,), 2.0)])
    assert (folder / FRAMES).read_bytes() == expected.numpy().tobytes()


def test_frames_too_large_for_fp16_are_refused_and_not_kept_as_infinity(
    tmp_path: Path, key: MakeKey
) -> None:
    with ShardWriter.opened(tmp_path / "shard", key(dtype="fp16")) as writer:
        writer.append(["quiet"], torch.full((1, 2, 3), 6e4), [2])
        with pytest.raises(UserError, match="use --frames bf16 or float32"):
            writer.append(["loud"], torch.full((1, 2, 3), 7e4), [2])
        assert writer.batches == 1
