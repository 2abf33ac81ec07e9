"""A batch from the store is the batch from the recordings."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from running import to_the_end
from torch import Tensor

from backbones.base import Backbone
from harness.cache.cached_inputs import CachedInputs
from harness.cache.extraction import extract, extraction_passes
from harness.cache.frame_store import FrameKey, FrameStore, StoredFrames
from harness.cache.frame_views import frame_views
from harness.data.batches import LabelledSplit
from harness.model.building import build_model
from harness.specs import HeadSpec
from harness.training.fit_inputs import AudioInputs, PrefixBatch

PLAN = [[4, 3, 0], [2, 1], [5]]

From = Callable[..., CachedInputs]


@pytest.fixture
def from_store(
    store: FrameStore,
    key: Callable[..., FrameKey],
    noise: LabelledSplit,
    sounds: list[str],
    accelerator: Accelerator,
) -> From:
    """Keeps what a model starts from, and reads it: `from_store(backbone, 1, pooling="mean")`."""

    def make(backbone: Backbone, finetune_layers: int, **head: Any) -> CachedInputs:
        spec = HeadSpec(head_dim=16, **{"pooling": "attentive_statistics"} | head)
        views = frame_views(spec, finetune_layers, len(backbone.layers))
        keys = [key(view=view) for view in views]
        for extraction in extraction_passes(store, keys, noise, sounds):
            to_the_end(extract(extraction, store, backbone, accelerator))
        model = build_model(backbone, spec, len(noise.targets), finetune_layers, seed=1).eval()
        return CachedInputs(
            noise,
            sounds,
            [store.open(own, sounds) for own in keys],
            views[0].form != "frames",
            AudioInputs(noise, model, accelerator),
        )

    return make


def real_frames(batch: PrefixBatch) -> list[Tensor]:
    return [
        row[:length]
        for state in batch.states
        for row, length in zip(state.values, state.lengths.tolist(), strict=True)
    ]


def logits(inputs: CachedInputs, batch: PrefixBatch) -> Tensor:
    with torch.inference_mode():
        return inputs.audio.model.suffix(batch.states)


@pytest.mark.parametrize(
    ("finetune_layers", "layers"), [(0, "last"), (1, "last"), (0, "weighted_sum")]
)
def test_batches_are_those_from_the_recordings(
    finetune_layers: int, layers: str, backbone: Backbone, from_store: From
) -> None:
    released = min(finetune_layers, len(backbone.layers))
    stored = from_store(backbone, released, layers=layers)
    pairs = zip(stored.batches(PLAN), stored.audio.batches(PLAN), strict=True)
    for (kept, computed), indices in zip(pairs, PLAN, strict=True):
        assert kept.indices == computed.indices == indices
        assert kept.targets.tolist() == computed.targets.tolist() == indices
        for ours, theirs in zip(real_frames(kept), real_frames(computed), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)
        torch.testing.assert_close(
            logits(stored, kept), logits(stored, computed), rtol=0, atol=1e-4
        )


@pytest.mark.parametrize(
    ("pooling", "layers"), [("mean", "last"), ("mean", "weighted_sum"), ("statistics", "last")]
)
def test_summarised_batches_give_the_logits_of_the_recordings(
    pooling: str, layers: str, emotion2vec: Backbone, from_store: From
) -> None:
    stored = from_store(emotion2vec, 0, pooling=pooling, layers=layers)
    for kept, computed in zip(stored.batches(PLAN), stored.audio.batches(PLAN), strict=True):
        assert kept.states[0].values.shape[1] <= 2
        torch.testing.assert_close(
            logits(stored, kept), logits(stored, computed), rtol=0, atol=1e-4
        )


def test_only_a_batch_with_a_recording_that_is_cut_goes_through_the_prefix(
    emotion2vec: Backbone, from_store: From, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = from_store(emotion2vec, 1)
    cut = replace(whole.split, crop_s=1.2)  # recording 4 is longer
    audio = replace(whole.audio, split=cut)
    expected = list(audio.batches(PLAN, (1, 2)))
    prefix, computed = audio.model.prefix, []

    def counted(waveforms: Tensor, lengths: Tensor) -> Any:
        computed.append(len(lengths))
        return prefix(waveforms, lengths)

    monkeypatch.setattr(audio.model, "prefix", counted)
    found = list(replace(whole, split=cut, audio=audio).batches(PLAN, (1, 2)))
    assert computed == [len(PLAN[0])]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.targets.tolist() == theirs.targets.tolist()
        for mine, other in zip(real_frames(ours), real_frames(theirs), strict=True):
            torch.testing.assert_close(mine, other, rtol=0, atol=1e-4)


@pytest.mark.parametrize("computed", [torch.float32, torch.bfloat16])
def test_frames_that_are_kept_compact_come_in_the_type_that_the_backbone_gave(
    computed: torch.dtype, emotion2vec: Backbone, from_store: From
) -> None:
    stored = from_store(emotion2vec, 1)
    halves = {sound: frames.bfloat16() for sound, frames in stored.views[0].frames.items()}
    (batch, *_) = replace(stored, views=[StoredFrames(halves, computed)]).batches(PLAN)
    assert batch.states[0].values.dtype == computed
