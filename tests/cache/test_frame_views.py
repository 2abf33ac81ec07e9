"""What a trial starts from, told from its head and its released layers alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cache.frame_views import FrameView, frame_views, keeps_frames, stored_dtype
from harness.model.components import POOLINGS
from harness.specs import (
    BackboneSpec,
    CorpusSpec,
    FramesChoice,
    FrozenMode,
    HeadSpec,
    ProtocolSpec,
    TrainingSpec,
    Trial,
)

ATTENTION = HeadSpec(pooling="attentive_statistics")
poolings = st.sampled_from(sorted(POOLINGS))


@given(poolings, st.integers(1, 24), st.data())
def test_released_layers_start_from_all_frames_right_below_them(
    pooling: str, layers: int, data: st.DataObject
) -> None:
    released = data.draw(st.integers(1, layers))
    expected = (FrameView(layers - released, "frames"),)
    assert frame_views(HeadSpec(pooling=pooling), released, layers) == expected


@given(poolings, st.integers(1, 24))
def test_releasing_all_layers_starts_from_the_stem(pooling: str, layers: int) -> None:
    assert frame_views(HeadSpec(pooling=pooling), "all", layers) == (FrameView(0, "frames"),)


@pytest.mark.parametrize(
    ("pooling", "last", "summed"),
    [
        ("attentive_statistics", "frames", "frames"),
        ("mean", "statistics", "statistics"),
        ("statistics", "statistics", "frames"),  # a sum's deviation is no sum of deviations
    ],
)
def test_a_frozen_backbone_keeps_what_its_pooling_needs(
    pooling: str, last: str, summed: str
) -> None:
    assert frame_views(HeadSpec(pooling=pooling), 0, 3) == (FrameView(3, last),)  # type: ignore[arg-type]
    views = frame_views(HeadSpec(pooling=pooling, layers="weighted_sum"), 0, 3)
    assert views == tuple(FrameView(depth, summed) for depth in range(4))  # type: ignore[arg-type]


def test_a_network_without_layers_has_one_view() -> None:
    assert frame_views(ATTENTION, "all", 0) == frame_views(ATTENTION, 0, 0) == (FrameView(0),)


@pytest.mark.parametrize(
    ("choice", "frozen_mode", "kept"),
    [
        ("auto", "eval", True),
        ("bf16", "eval", True),
        ("off", "eval", False),
        ("auto", "train", False),
    ],
)
def test_frames_are_kept_unless_dropout_changes_them_or_the_user_says_off(
    choice: FramesChoice, frozen_mode: FrozenMode, kept: bool
) -> None:
    trial = Trial(
        corpus=CorpusSpec(name="synthetic"),
        protocol=ProtocolSpec(),
        fold=1,
        backbone=BackboneSpec(name="tiny-wavlm"),
        training=TrainingSpec(frozen_mode=frozen_mode),
    )
    assert keeps_frames(trial, choice) is kept


def test_summaries_are_kept_in_float32_whatever_is_chosen() -> None:
    assert stored_dtype(FrameView(3, "statistics"), "bf16", "fp16") == "float32"
    assert stored_dtype(FrameView(3), "bf16", "fp16") == "fp16"
    assert stored_dtype(FrameView(3), "bf16", "auto") == "bf16"
