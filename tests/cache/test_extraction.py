"""Frames are computed once, equal those of each utterance alone, and survive being interrupted."""

import errno
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor

from backbones.base import Backbone, Frames
from harness.cache.extraction import (
    JOURNAL,
    ExtractionPass,
    ShardWriter,
    extract,
    extraction_passes,
)
from harness.cache.frame_store import FRAMES, PARTIAL, FrameKey, FrameStore
from harness.cache.frame_summaries import summarise
from harness.cache.frame_views import Form, FrameView
from harness.data import audio
from harness.data.batches import LabelledSplit
from harness.errors import UserError

MakeShelf = Callable[..., FrameKey]
ROOT = Path(__file__).parents[2]
OWN_MOUNTS = ("unshare", "--user", "--map-root-user", "--mount")

KILLED = """
import os, pickle, signal, sys
import harness.cache.extraction as module
from backbones import load
from harness.cache.extraction import extract, passes
from harness.training.devices import make_accelerator

def dying(function, calls):
    def call(*arguments):
        nonlocal calls
        calls -= 1
        if not calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return call

store, shelves, split, sounds, name, calls = pickle.load(sys.stdin.buffer)
module.BATCH_SECONDS = 2.0
if name:
    setattr(module, name, dying(getattr(module, name), calls))
for todo in passes(store, shelves, split, sounds):
    extract(todo, store, load("tiny-emotion2vec"), make_accelerator("cpu", "float32"))
"""
FULL = """
import pickle, subprocess, sys
from dataclasses import replace
from pathlib import Path
import harness.cache.extraction as module
from backbones import load
from harness.errors import UserError
from harness.cache.extraction import extract, passes
from harness.training.devices import make_accelerator

store, shelves, split, sounds = pickle.load(sys.stdin.buffer)
module.BATCH_SECONDS = 2.0
store.folder.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", store.folder], check=True)
(todo,) = passes(store, shelves, split, sounds)
backbone, accelerator = load("tiny-emotion2vec"), make_accelerator("cpu", "float32")
try:
    extract(todo, store, backbone, accelerator)
except UserError as error:
    print(error)
assert not any(store.segments(shelf) for shelf in shelves)
assert all((store.shelf(shelf) / f"{todo.name}.part").is_dir() for shelf in shelves)
subprocess.run(["mount", "-o", "remount,size=8m", store.folder], check=True)
extract(todo, store, backbone, accelerator)
print("completed", [len(store.sounds(shelf)) for shelf in shelves])
"""


class Counted:
    """Stands for a backbone and remembers which depths it was asked for, how often."""

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone
        self.asked: list[tuple[int, tuple[int, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backbone, name)

    def states(self, waveforms: Tensor, lengths: Tensor, depths: Sequence[int]) -> Any:
        self.asked.append((len(lengths), tuple(sorted(depths))))
        return self.backbone.states(waveforms, lengths, depths)


@dataclass
class Desk:
    """A store, recordings of noise to fill it from, and a backbone to do so."""

    store: FrameStore
    split: LabelledSplit
    sounds: Sequence[str]
    accelerator: Accelerator
    backbone: Any

    def of(self, chosen: slice) -> "Desk":
        """The same with some of the recordings."""
        split = self.split
        part = LabelledSplit(
            split.utterances[chosen], split.labels[chosen], split.durations_s[chosen]
        )
        return replace(self, split=part, sounds=self.sounds[chosen])

    def extraction_passes(self, *keys: FrameKey) -> list[ExtractionPass]:
        return extraction_passes(self.store, keys, self.split, self.sounds)

    def fill(self, *keys: FrameKey) -> None:
        for todo in self.extraction_passes(*keys):
            extract(todo, self.store, self.backbone, self.accelerator)

    def interrupted(self, after: int, *keys: FrameKey) -> list[Path]:
        """Stop a pass after some batches; gives back its parts."""

        def stop(done: int, total: int) -> None:
            if done == after:
                raise KeyboardInterrupt

        (todo,) = self.extraction_passes(*keys)
        with pytest.raises(KeyboardInterrupt):
            extract(todo, self.store, self.backbone, self.accelerator, stop)
        return [self.store.key(key) / f"{todo.name}{PARTIAL}" for key in keys]

    def files(self) -> dict[str, bytes]:
        """Everything that was written, except locks."""
        return {
            path.relative_to(self.store.folder).as_posix(): path.read_bytes()
            for path in self.store.folder.rglob("*")
            if path.is_file() and path.suffix != ".lock"
        }

    def waves(self) -> Iterator[tuple[str, Tensor]]:
        """Each sound and its waveform (1, S)."""
        for sound, utterance in zip(self.sounds, self.split.utterances, strict=True):
            yield sound, torch.from_numpy(audio.read(utterance))[None]


@pytest.fixture
def desk(
    store: FrameStore,
    noise: LabelledSplit,
    sounds: list[str],
    accelerator: Accelerator,
    emotion2vec: Backbone,
) -> Desk:
    return Desk(store, noise, sounds, accelerator, Counted(emotion2vec))


@pytest.fixture
def undisturbed(desk: Desk, tmp_path: Path) -> Desk:
    """A second desk, with a store of its own."""
    return replace(desk, store=FrameStore(tmp_path / "undisturbed"))


@pytest.fixture
def keys(key: MakeShelf) -> list[FrameKey]:
    whole = [key(view=FrameView(depth)) for depth in range(4)]
    return [*whole, key(view=FrameView(1, "mean"), dtype="bf16")]


@pytest.mark.usefixtures("small_batches")
def test_stored_frames_are_those_of_each_utterance_alone(
    desk: Desk, backbone: Backbone, key: MakeShelf
) -> None:
    keys = [key(view=FrameView(depth)) for depth in range(len(backbone.layers) + 1)]
    replace(desk, backbone=backbone).fill(*keys)
    opened = [desk.store.open(own, desk.sounds).frames for own in keys]
    for sound, wave in desk.waves():
        alone = backbone.states(wave, torch.tensor([wave.shape[1]]), range(len(keys)))
        for depth, stored in enumerate(opened):
            assert len(stored[sound]) == int(alone[depth].lengths)
            torch.testing.assert_close(stored[sound], alone[depth].values[0], rtol=0, atol=1e-4)


@pytest.mark.parametrize("depth", [0, 1, -1])
@pytest.mark.parametrize("form", ["mean", "statistics"])
def test_condensed_frames_leave_the_extra_tokens_out(
    depth: int, form: Form, desk: Desk, key: MakeShelf
) -> None:
    own = key(view=FrameView(range(len(desk.backbone.layers) + 1)[depth], form))
    desk.fill(own)
    stored = desk.store.open(own, desk.sounds).frames
    for sound, wave in desk.waves():
        state = desk.backbone.backbone(wave, output_hidden_states=True).hidden_states[depth]
        speech = summarise(Frames(state, torch.tensor([state.shape[1]])), form)
        torch.testing.assert_close(stored[sound], speech.values[0], rtol=0, atol=1e-4)


def test_what_is_stored_is_not_computed_again(desk: Desk, keys: list[FrameKey]) -> None:
    desk.fill(*keys)
    before, asked = desk.files(), len(desk.backbone.asked)
    desk.fill(*keys)
    assert len(desk.backbone.asked) == asked
    assert desk.files() == before


def test_one_pass_serves_every_depth(desk: Desk, keys: list[FrameKey]) -> None:
    desk.fill(*keys)
    assert desk.backbone.asked == [(len(desk.sounds), (0, 1, 2, 3))]


def test_more_utterances_and_depths_compute_only_what_lacks(desk: Desk, key: MakeShelf) -> None:
    lower, upper = key(view=FrameView(1)), key(view=FrameView(2))
    desk.of(slice(4)).fill(lower)
    desk.fill(lower, upper)
    assert sorted(desk.backbone.asked) == [(2, (1,)), (4, (1,)), (6, (2,))]
    assert desk.store.sounds(lower) == desk.store.sounds(upper) == set(desk.sounds)


def test_two_suites_share_the_utterances_that_both_have(desk: Desk, key: MakeShelf) -> None:
    desk.of(slice(4)).fill(key())
    before = desk.store.open(key(), desk.sounds).frames
    desk.of(slice(None, 1, -1)).fill(key())
    assert [rows for rows, _ in desk.backbone.asked] == [4, 2]
    found = desk.store.open(key(), desk.sounds).frames
    assert found.keys() == set(desk.sounds)
    assert all(torch.equal(found[sound], values) for sound, values in before.items())


def test_a_sound_that_is_there_twice_is_computed_once(desk: Desk, key: MakeShelf) -> None:
    same = ["same", "other", "same", "other", "same", "same"]
    replace(desk, sounds=same).fill(key())
    assert desk.backbone.asked == [(2, (0,))]
    assert desk.store.sounds(key()) == {"same", "other"}


def test_each_type_keeps_the_same_frames(desk: Desk, key: MakeShelf) -> None:
    full, half = key(), key(dtype="bf16")
    desk.fill(full, half)
    exact, compact = (desk.store.open(own, desk.sounds).frames for own in (full, half))
    assert all(torch.equal(compact[sound], exact[sound].bfloat16()) for sound in desk.sounds)


@pytest.mark.usefixtures("small_batches")
def test_each_batch_is_told(desk: Desk, key: MakeShelf) -> None:
    told: list[tuple[int, int]] = []
    (todo,) = desk.extraction_passes(key())
    extract(todo, desk.store, desk.backbone, desk.accelerator, lambda *two: told.append(two))
    total = len(todo.plan())
    assert total > 2
    assert told == [(done, total) for done in range(1, total + 1)]


def apart(program: str, *what: Any, before: Sequence[str] = ()) -> Any:
    """A process of its own, given what it needs."""
    return subprocess.run(
        [*before, sys.executable, "-c", program],
        input=pickle.dumps(what),
        capture_output=True,
        cwd=ROOT,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("_to_disk", 1),  # some frames are written, no journal
        ("_to_disk", 16),  # some shelves have the second batch, others have not
        ("_to_disk", 19),
        ("seal", 1),  # all is computed, and nothing is a segment yet
        ("seal", 3),  # two shelves have theirs
    ],
)
def test_a_pass_that_was_killed_goes_on_to_the_bytes_of_one_that_was_not(
    name: str, call: int, desk: Desk, undisturbed: Desk, keys: list[FrameKey]
) -> None:
    undisturbed.fill(*keys)
    whole = undisturbed.files()
    assert len(whole) == 2 * len(keys)
    todo = (desk.store, keys, desk.split, desk.sounds)
    assert apart(KILLED, *todo, name, call).returncode == -signal.SIGKILL
    assert desk.files() != whole
    again = apart(KILLED, *todo, None, 0)
    assert again.returncode == 0, again.stderr.decode()
    assert desk.files() == whole


def cut_off_the_last_line(part: Path) -> None:
    os.truncate(part / JOURNAL, (part / JOURNAL).stat().st_size - 30)


def cut_off_the_last_newline(part: Path) -> None:
    os.truncate(part / JOURNAL, (part / JOURNAL).stat().st_size - 1)


def lose_the_journal(part: Path) -> None:
    (part / JOURNAL).unlink()


def lose_frames_that_the_journal_has(part: Path) -> None:
    os.truncate(part / FRAMES, (part / FRAMES).stat().st_size - 1)


def write_half_a_batch(part: Path) -> None:
    with (part / FRAMES).open("ab") as file:
        file.write(b"half a batch")


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize(
    ("damage", "kept"),
    [
        (cut_off_the_last_line, 1),
        (cut_off_the_last_newline, 2),
        (lose_the_journal, 0),
        (lose_frames_that_the_journal_has, 1),
        (write_half_a_batch, 2),
    ],
)
def test_what_an_interrupted_part_lacks_is_computed_again_and_no_more(
    damage: Callable[[Path], None],
    kept: int,
    desk: Desk,
    undisturbed: Desk,
    keys: list[FrameKey],
) -> None:
    undisturbed.fill(*keys)
    damage(desk.interrupted(2, *keys)[1])
    (todo,) = desk.extraction_passes(*keys)
    desk.backbone.asked.clear()
    desk.fill(*keys)
    assert len(desk.backbone.asked) == len(todo.plan()) - kept
    assert desk.files() == undisturbed.files()


def test_a_part_that_went_back_remembers_what_was_written_since(
    store: FrameStore, key: MakeShelf
) -> None:
    folder = store.folder / f"name{PARTIAL}"
    with ShardWriter.opened(folder, key()) as part:
        part.append(["a"], torch.zeros(1, 3, 4), [3])
        part.append(["b", "c"], torch.ones(2, 3, 4), [2, 1])
        part.go_back_to(1)
        part.append(["d"], torch.full((1, 3, 4), 2.0), [3])
    with ShardWriter.opened(folder, key()) as again:
        assert again.rows == [[("a", 3)], [("d", 3)]]
    expected = torch.cat([torch.zeros(12), torch.full((12,), 2.0)])
    assert (folder / FRAMES).read_bytes() == expected.numpy().tobytes()


@pytest.mark.usefixtures("small_batches")
def test_an_interrupted_part_with_other_batches_is_not_gone_on_with(
    desk: Desk, key: MakeShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.interrupted(2, key())
    monkeypatch.setattr("harness.cache.extraction.BATCH_SECONDS", 3.0)
    desk.fill(key())
    (shard,) = desk.store.shards(key())
    assert sorted(sound for sound, _ in shard.rows) == sorted(desk.sounds)


def small_disks_can_be_made() -> bool:
    return bool(shutil.which("unshare")) and not subprocess.run([*OWN_MOUNTS, "true"]).returncode


@pytest.mark.slow
@pytest.mark.skipif(not small_disks_can_be_made(), reason="nothing can be mounted here")
def test_a_full_disk_ends_a_pass_with_what_to_do_and_a_larger_one_completes_it(
    desk: Desk, keys: list[FrameKey]
) -> None:
    todo = (desk.store, keys, desk.split, desk.sounds)
    process = apart(FULL, *todo, before=OWN_MOUNTS)
    said = process.stdout.decode()
    assert process.returncode == 0, process.stderr.decode()
    assert f"the disk of {desk.store.folder} is full" in said
    assert f"completed {[len(desk.sounds)] * len(keys)}" in said


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("place", ["_to_disk", "seal"])
def test_a_disk_that_fills_up_leaves_no_segment_and_the_next_run_completes(
    place: str, number: int, desk: Desk, key: MakeShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(f"harness.cache.extraction.{place}", full)
        with pytest.raises(UserError, match="make room and run again"):
            desk.fill(key())
    assert desk.store.shards(key()) == []
    desk.fill(key())
    assert desk.store.sounds(key()) == set(desk.sounds)


def test_other_errors_of_a_disk_are_not_called_a_full_one(
    desk: Desk, key: MakeShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("harness.cache.extraction.seal", broken)
    with pytest.raises(OSError, match="Input/output error"):
        desk.fill(key())


def test_frames_too_large_for_fp16_are_refused_and_not_kept_as_infinity(
    tmp_path: Path, key: MakeShelf
) -> None:
    with ShardWriter.opened(tmp_path / "part", key(dtype="fp16")) as part:
        part.append(["quiet"], torch.full((1, 2, 3), 6e4), [2])
        with pytest.raises(UserError, match="use --frames bf16 or float32"):
            part.append(["loud"], torch.full((1, 2, 3), 7e4), [2])
        assert part.batches == 1
