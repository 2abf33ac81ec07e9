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
from running import interrupted_after, to_the_end
from torch import Tensor

from backbones.base import Backbone, Frames
from harness.cache.extraction import ExtractionPass, extract, extraction_passes
from harness.cache.frame_store import FRAMES, FrameKey, FrameStore
from harness.cache.frame_summaries import summarise
from harness.cache.frame_views import Form, FrameView
from harness.cache.shard_writer import JOURNAL
from harness.data import audio
from harness.data.batches import LabelledSplit
from harness.errors import UserError

MakeKey = Callable[..., FrameKey]
ROOT = Path(__file__).parents[2]
OWN_MOUNTS = ("unshare", "--user", "--map-root-user", "--mount")

KILLED = """
import os, pickle, signal, sys
import harness.cache.extraction as extraction_module
import harness.cache.shard_writer as writer_module
from backbones import load
from harness.cache.extraction import extract, extraction_passes
from harness.training.devices import make_accelerator

def dying(function, calls):
    def call(*arguments):
        nonlocal calls
        calls -= 1
        if not calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return call

store, keys, split, sounds, name, calls = pickle.load(sys.stdin.buffer)
extraction_module.BATCH_SECONDS = 2.0
if name:
    setattr(writer_module, name, dying(getattr(writer_module, name), calls))
for extraction in extraction_passes(store, keys, split, sounds):
    list(extract(extraction, store, load("tiny-emotion2vec"), make_accelerator("cpu", "float32")))
"""
FULL = """
import pickle, subprocess, sys
from dataclasses import replace
from pathlib import Path
import harness.cache.extraction as extraction_module
from backbones import load
from harness.errors import UserError
from harness.cache.extraction import extract, extraction_passes
from harness.training.devices import make_accelerator

store, keys, split, sounds = pickle.load(sys.stdin.buffer)
extraction_module.BATCH_SECONDS = 2.0
store.folder.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", store.folder], check=True)
(extraction,) = extraction_passes(store, keys, split, sounds)
backbone, accelerator = load("tiny-emotion2vec"), make_accelerator("cpu", "float32")
try:
    list(extract(extraction, store, backbone, accelerator))
except UserError as error:
    print(error)
assert not any(store.shards(key) for key in keys)
assert all(store.partial_shard(key, extraction.name).is_dir() for key in keys)
subprocess.run(["mount", "-o", "remount,size=8m", store.folder], check=True)
list(extract(extraction, store, backbone, accelerator))
print("completed", [len(store.sounds(key)) for key in keys])
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
class Scenario:
    """A store, recordings of noise to fill it from, and a backbone to do so."""

    store: FrameStore
    split: LabelledSplit
    sounds: Sequence[str]
    accelerator: Accelerator
    backbone: Any

    def of(self, chosen: slice) -> "Scenario":
        """The same with some of the recordings."""
        split = self.split
        subset = LabelledSplit(
            split.utterances[chosen], split.targets[chosen], split.durations_s[chosen]
        )
        return replace(self, split=subset, sounds=self.sounds[chosen])

    def extraction_passes(self, *keys: FrameKey) -> list[ExtractionPass]:
        return extraction_passes(self.store, keys, self.split, self.sounds)

    def fill(self, *keys: FrameKey) -> None:
        for extraction in self.extraction_passes(*keys):
            to_the_end(extract(extraction, self.store, self.backbone, self.accelerator))

    def interrupted(self, after: int, *keys: FrameKey) -> list[Path]:
        """Stop a pass after some batches; gives back its partial shards."""
        (extraction,) = self.extraction_passes(*keys)
        work = extract(extraction, self.store, self.backbone, self.accelerator)
        with pytest.raises(KeyboardInterrupt):
            interrupted_after(after, work)
        return [self.store.partial_shard(key, extraction.name) for key in keys]

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
def scenario(
    store: FrameStore,
    noise: LabelledSplit,
    sounds: list[str],
    accelerator: Accelerator,
    emotion2vec: Backbone,
) -> Scenario:
    return Scenario(store, noise, sounds, accelerator, Counted(emotion2vec))


@pytest.fixture
def undisturbed(scenario: Scenario, tmp_path: Path) -> Scenario:
    """A second scenario, with a store of its own."""
    return replace(scenario, store=FrameStore(tmp_path / "undisturbed"))


@pytest.fixture
def keys(key: MakeKey) -> list[FrameKey]:
    whole = [key(view=FrameView(depth)) for depth in range(4)]
    return [*whole, key(view=FrameView(1, "statistics"), dtype="bf16")]


@pytest.mark.usefixtures("small_batches")
def test_stored_frames_are_those_of_each_utterance_alone(
    scenario: Scenario, backbone: Backbone, key: MakeKey
) -> None:
    keys = [key(view=FrameView(depth)) for depth in range(len(backbone.layers) + 1)]
    replace(scenario, backbone=backbone).fill(*keys)
    opened = [scenario.store.open(own, scenario.sounds).frames for own in keys]
    for sound, wave in scenario.waves():
        alone = backbone.states(wave, torch.tensor([wave.shape[1]]), range(len(keys)))
        for depth, stored in enumerate(opened):
            assert len(stored[sound]) == int(alone[depth].lengths)
            torch.testing.assert_close(stored[sound], alone[depth].values[0], rtol=0, atol=1e-4)


@pytest.mark.parametrize("depth", [0, 1, -1])
@pytest.mark.parametrize("form", ["statistics"])
def test_summarised_frames_leave_the_extra_tokens_out(
    depth: int, form: Form, scenario: Scenario, key: MakeKey
) -> None:
    own = key(view=FrameView(range(len(scenario.backbone.layers) + 1)[depth], form))
    scenario.fill(own)
    stored = scenario.store.open(own, scenario.sounds).frames
    for sound, wave in scenario.waves():
        state = scenario.backbone.backbone(wave, output_hidden_states=True).hidden_states[depth]
        speech = summarise(Frames(state, torch.tensor([state.shape[1]])), form)
        torch.testing.assert_close(stored[sound], speech.values[0], rtol=0, atol=1e-4)


def test_what_is_stored_is_not_computed_again(scenario: Scenario, keys: list[FrameKey]) -> None:
    scenario.fill(*keys)
    before, asked = scenario.files(), len(scenario.backbone.asked)
    scenario.fill(*keys)
    assert len(scenario.backbone.asked) == asked
    assert scenario.files() == before


def test_one_pass_serves_every_depth(scenario: Scenario, keys: list[FrameKey]) -> None:
    scenario.fill(*keys)
    assert scenario.backbone.asked == [(len(scenario.sounds), (0, 1, 2, 3))]


def test_more_utterances_and_depths_compute_only_what_lacks(
    scenario: Scenario, key: MakeKey
) -> None:
    lower, upper = key(view=FrameView(1)), key(view=FrameView(2))
    scenario.of(slice(4)).fill(lower)
    scenario.fill(lower, upper)
    assert sorted(scenario.backbone.asked) == [(2, (1,)), (4, (1,)), (6, (2,))]
    assert scenario.store.sounds(lower) == scenario.store.sounds(upper) == set(scenario.sounds)


def test_two_suites_share_the_utterances_that_both_have(scenario: Scenario, key: MakeKey) -> None:
    scenario.of(slice(4)).fill(key())
    before = scenario.store.open(key(), scenario.sounds).frames
    scenario.of(slice(None, 1, -1)).fill(key())
    assert [rows for rows, _ in scenario.backbone.asked] == [4, 2]
    found = scenario.store.open(key(), scenario.sounds).frames
    assert found.keys() == set(scenario.sounds)
    assert all(torch.equal(found[sound], values) for sound, values in before.items())


def test_a_sound_that_is_there_twice_is_computed_once(scenario: Scenario, key: MakeKey) -> None:
    same = ["same", "other", "same", "other", "same", "same"]
    replace(scenario, sounds=same).fill(key())
    assert scenario.backbone.asked == [(2, (0,))]
    assert scenario.store.sounds(key()) == {"same", "other"}


def test_each_type_keeps_the_same_frames(scenario: Scenario, key: MakeKey) -> None:
    full, half = key(), key(dtype="bf16")
    scenario.fill(full, half)
    exact, compact = (scenario.store.open(own, scenario.sounds).frames for own in (full, half))
    assert all(torch.equal(compact[sound], exact[sound].bfloat16()) for sound in scenario.sounds)


@pytest.mark.usefixtures("small_batches")
def test_each_batch_is_reported(scenario: Scenario, key: MakeKey) -> None:
    (extraction,) = scenario.extraction_passes(key())
    work = extract(extraction, scenario.store, scenario.backbone, scenario.accelerator)
    total = len(extraction.plan())
    assert total > 2
    assert list(work) == list(range(1, total + 1))


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
        ("_to_disk", 16),  # some frame sets have the second batch, others have not
        ("_to_disk", 19),
        ("seal", 1),  # all is computed, and nothing is a shard yet
        ("seal", 3),  # two frame sets have theirs
    ],
)
def test_a_pass_that_was_killed_goes_on_to_the_bytes_of_one_that_was_not(
    name: str, call: int, scenario: Scenario, undisturbed: Scenario, keys: list[FrameKey]
) -> None:
    undisturbed.fill(*keys)
    whole = undisturbed.files()
    assert len(whole) == 2 * len(keys)
    inputs = (scenario.store, keys, scenario.split, scenario.sounds)
    assert apart(KILLED, *inputs, name, call).returncode == -signal.SIGKILL
    assert scenario.files() != whole
    again = apart(KILLED, *inputs, None, 0)
    assert again.returncode == 0, again.stderr.decode()
    assert scenario.files() == whole


def cut_off_the_last_line(folder: Path) -> None:
    os.truncate(folder / JOURNAL, (folder / JOURNAL).stat().st_size - 30)


def cut_off_the_last_newline(folder: Path) -> None:
    os.truncate(folder / JOURNAL, (folder / JOURNAL).stat().st_size - 1)


def lose_the_journal(folder: Path) -> None:
    (folder / JOURNAL).unlink()


def lose_frames_that_the_journal_has(folder: Path) -> None:
    os.truncate(folder / FRAMES, (folder / FRAMES).stat().st_size - 1)


def write_half_a_batch(folder: Path) -> None:
    with (folder / FRAMES).open("ab") as file:
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
def test_what_a_partial_shard_lacks_is_computed_again_and_no_more(
    damage: Callable[[Path], None],
    kept: int,
    scenario: Scenario,
    undisturbed: Scenario,
    keys: list[FrameKey],
) -> None:
    undisturbed.fill(*keys)
    damage(scenario.interrupted(2, *keys)[1])
    (extraction,) = scenario.extraction_passes(*keys)
    scenario.backbone.asked.clear()
    scenario.fill(*keys)
    assert len(scenario.backbone.asked) == len(extraction.plan()) - kept
    assert scenario.files() == undisturbed.files()


@pytest.mark.usefixtures("small_batches")
def test_a_partial_shard_with_other_batches_is_not_gone_on_with(
    scenario: Scenario, key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario.interrupted(2, key())
    monkeypatch.setattr("harness.cache.extraction.BATCH_SECONDS", 3.0)
    scenario.fill(key())
    (shard,) = scenario.store.shards(key())
    assert sorted(sound for sound, _ in shard.rows) == sorted(scenario.sounds)


def small_disks_can_be_made() -> bool:
    return bool(shutil.which("unshare")) and not subprocess.run([*OWN_MOUNTS, "true"]).returncode


@pytest.mark.slow
@pytest.mark.skipif(not small_disks_can_be_made(), reason="nothing can be mounted here")
def test_a_full_disk_ends_a_pass_with_what_to_do_and_a_larger_one_completes_it(
    scenario: Scenario, keys: list[FrameKey]
) -> None:
    inputs = (scenario.store, keys, scenario.split, scenario.sounds)
    process = apart(FULL, *inputs, before=OWN_MOUNTS)
    said = process.stdout.decode()
    assert process.returncode == 0, process.stderr.decode()
    assert f"the disk of {scenario.store.folder} is full" in said
    assert f"completed {[len(scenario.sounds)] * len(keys)}" in said


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("function", ["_to_disk", "seal"])
def test_a_disk_that_fills_up_leaves_no_shard_and_the_next_run_completes(
    function: str, number: int, scenario: Scenario, key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(f"harness.cache.shard_writer.{function}", full)
        with pytest.raises(UserError, match="make room and run again"):
            scenario.fill(key())
    assert scenario.store.shards(key()) == []
    scenario.fill(key())
    assert scenario.store.sounds(key()) == set(scenario.sounds)


def test_other_errors_of_a_disk_are_not_called_a_full_one(
    scenario: Scenario, key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("harness.cache.shard_writer.seal", broken)
    with pytest.raises(OSError, match="Input/output error"):
        scenario.fill(key())
