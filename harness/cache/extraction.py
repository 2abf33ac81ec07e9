"""One pass over the audio that fills frame sets, and goes on where it was interrupted."""

from __future__ import annotations

import errno
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from accelerate import Accelerator

from backbones.base import Backbone, Frames
from harness.cache.frame_store import FrameKey, FrameStore
from harness.cache.frame_summaries import summarise
from harness.cache.frame_views import FrameView
from harness.cache.shard_writer import ShardWriter, finish_complete, shard_lock
from harness.data.batches import LabelledSplit, bucketed, stream
from harness.errors import DiskSpaceError
from harness.files import content_digest

BATCH_SECONDS = 64.0


@dataclass(frozen=True)
class ExtractionPass:
    """Utterances whose frames the same frame sets lack."""

    keys: tuple[FrameKey, ...]
    split: LabelledSplit
    sounds: tuple[str, ...]
    """Digest of each utterance's sound."""

    @cached_property
    def name(self) -> str:
        """Of the shards it writes: the same for the same sounds in the same batches."""
        return content_digest([list(self.sounds), self.plan()])[:16]

    def plan(self) -> list[list[int]]:
        """Its batches, always the same, so that a pass can go on after an interruption."""
        return bucketed(self.split.durations_s, BATCH_SECONDS)


def extraction_passes(
    store: FrameStore, keys: Sequence[FrameKey], split: LabelledSplit, sounds: Sequence[str]
) -> list[ExtractionPass]:
    """What must be computed so that every frame set has every sound; none twice."""
    keys_lacking: dict[tuple[int, ...], list[FrameKey]] = {}
    first = {sound: index for index, sound in reversed(list(enumerate(sounds)))}
    for key in keys:
        stored = store.sounds(key)
        missing = tuple(sorted(index for sound, index in first.items() if sound not in stored))
        keys_lacking.setdefault(missing, []).append(key)
    return [
        ExtractionPass(
            tuple(lacking), _subset(split, missing), tuple(sounds[index] for index in missing)
        )
        for missing, lacking in keys_lacking.items()
        if missing
    ]


def _subset(split: LabelledSplit, indices: Sequence[int]) -> LabelledSplit:
    return LabelledSplit(
        tuple(split.utterances[index] for index in indices),
        (),  # frames are the same whatever is learned from them
        tuple(split.durations_s[index] for index in indices),
    )


def extract(
    extraction: ExtractionPass,
    store: FrameStore,
    backbone: Backbone,
    accelerator: Accelerator,
) -> Generator[int, None, None]:
    """Compute a pass's frames and write them to its frame sets, whole or not at all.

    Args:
        extraction: what to compute
        store: where to
        backbone: frozen, on the accelerator's device
        accelerator: the precision in which frames are computed

    Yields:
        How many batches are done, after each; nothing is computed unless it is asked for the next.

    Raises:
        UserError: the disk is full; what was written is kept, and the next pass goes on from it.
    """
    store.folder.mkdir(parents=True, exist_ok=True)
    with _full_disk_explained(store.folder), shard_lock(store.folder, extraction.name):
        partial = {key: store.partial_shard(key, extraction.name) for key in extraction.keys}
        for folder in partial.values():
            finish_complete(folder)
        with ExitStack() as stack:
            writers = [
                stack.enter_context(ShardWriter.opened(folder, key))
                for key, folder in partial.items()
                # another process may have written it meanwhile
                if not (store.folder_of(key) / extraction.name).exists()
            ]
            if not writers:
                return
            yield from _write_batches(writers, extraction, backbone, accelerator)
        for writer in writers:
            writer.seal()


def _write_batches(
    writers: Sequence[ShardWriter],
    extraction: ExtractionPass,
    backbone: Backbone,
    accelerator: Accelerator,
) -> Generator[int, None, None]:
    plan = extraction.plan()
    done = min(writer.batches for writer in writers)
    for writer in writers:
        writer.truncate(done)
    depths = {writer.key.view.depth for writer in writers}
    batches = stream(extraction.split, plan[done:])
    for number, batch in enumerate(batches, start=done + 1):
        moved = batch.to(accelerator.device)
        with accelerator.autocast():
            states = backbone.states(moved.waveforms, moved.lengths, depths)
        sounds = [extraction.sounds[index] for index in batch.indices]
        for writer in writers:
            frames = _frames_of_view(states[writer.key.view.depth], writer.key.view, backbone)
            writer.append(sounds, frames.values, frames.lengths.tolist())
        yield number


def _frames_of_view(state: Frames, view: FrameView, backbone: Backbone) -> Frames:
    if view.form == "frames":
        return state
    at_top = view.depth == len(backbone.layers)
    return summarise(state if at_top else backbone.speech(state), view.form)


@contextmanager
def _full_disk_explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskSpaceError(
            f"the disk of {folder} is full. What was computed is kept: make room and run again, "
            "set HARNESS_CACHE to another disk, or use --frames off"
        ) from error
