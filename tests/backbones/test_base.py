"""The contract, held by every family."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from backbones import BackboneError
from backbones.base import Backbone
from backbones.hub.checkpoints import digest
from backbones.nn.padding import lengths_from_mask

Batch = Callable[..., tuple[Tensor, Tensor]]
TOLERANCE = 1e-4


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(more=st.lists(st.integers(0, 24_000), min_size=2, max_size=4), seed=st.integers(0, 99))
def test_frames_are_the_same_alone_and_in_any_batch(
    backbone: Backbone, batch: Batch, more: list[int], seed: int
) -> None:
    lengths = [backbone.minimum_samples + samples for samples in more]
    waveforms, mask = batch(*lengths, seed=seed)
    together = backbone(waveforms, mask)
    assert torch.isfinite(together.last_hidden_state).all()
    for row, length in enumerate(lengths):
        alone = backbone(waveforms[row : row + 1, :length]).last_hidden_state[0]
        assert len(alone) == together.lengths[row]
        difference = together.last_hidden_state[row, : len(alone)] - alone
        assert difference.abs().max() < TOLERANCE


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_frames_are_the_same_alone_and_in_any_batch_on_a_gpu(
    backbone: Backbone, batch: Batch
) -> None:
    lengths = (48_000, 16_000, backbone.minimum_samples + 1)
    waveforms, mask = (tensor.cuda() for tensor in batch(*lengths))
    together = backbone.cuda()(waveforms, mask)
    for row, length in enumerate(lengths):
        alone = backbone(waveforms[row : row + 1, :length]).last_hidden_state[0]
        difference = together.last_hidden_state[row, : len(alone)] - alone
        assert difference.abs().max() < TOLERANCE


def test_what_stands_in_the_padding_does_not_matter(backbone: Backbone, batch: Batch) -> None:
    waveforms, mask = batch(9000, 3000)
    littered = torch.where(mask.bool(), waveforms, torch.nan)
    clean, dirty = backbone(waveforms, mask), backbone(littered, mask)
    torch.testing.assert_close(clean.last_hidden_state, dirty.last_hidden_state)


@pytest.mark.parametrize("length", [1000, 4000, 16_000, 16_001, 48_000])
def test_frame_lengths_are_exact(backbone: Backbone, batch: Batch, length: int) -> None:
    output = backbone(batch(length)[0])
    assert output.last_hidden_state.shape[1] == int(output.lengths)
    assert int(backbone.frame_lengths(torch.tensor([length]))) == int(output.lengths)
    seconds = length / backbone.card.sample_rate_hz
    if pads_to_s := backbone.card.pads_to_s:
        seconds = math.ceil(seconds / pads_to_s) * pads_to_s
    assert abs(int(output.lengths) - seconds * backbone.card.frame_rate_hz) < 2


def test_the_shortest_legal_utterance_gives_a_frame(backbone: Backbone, batch: Batch) -> None:
    output = backbone(batch(backbone.minimum_samples)[0])
    padded = round(backbone.card.frame_rate_hz * (backbone.card.pads_to_s or 0))
    assert output.lengths.tolist() == [padded or 1]
    assert torch.isfinite(output.last_hidden_state).all()


def test_one_sample_less_is_refused_and_said(backbone: Backbone, batch: Batch) -> None:
    with pytest.raises(BackboneError, match=rf"at least {backbone.minimum_samples} samples"):
        backbone(*batch(8000, backbone.minimum_samples - 1))


def test_digital_silence_gives_its_own_finite_frames_alone_and_beside_speech(
    backbone: Backbone, batch: Batch
) -> None:
    waveforms, _ = batch(4000, 4000)
    waveforms[0] = 0
    together = backbone(waveforms, output_hidden_states=True).hidden_states
    alone = backbone(waveforms[:1], output_hidden_states=True).hidden_states
    for (silence, noise), (by_itself,) in zip(together, alone, strict=True):
        assert torch.isfinite(by_itself).all()
        torch.testing.assert_close(silence, by_itself, rtol=0, atol=TOLERANCE)
        assert (silence - noise).abs().max() > 100 * TOLERANCE


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_running_in_two_parts_is_running_in_one(
    transformer: Backbone, batch: Batch, depth: int
) -> None:
    waveforms, mask = batch(8000, 5000)
    frames = transformer.stem(waveforms, mask.sum(1))
    halfway = transformer.run(frames, 0, depth)
    parts = transformer.finish(transformer.run(halfway, depth, len(transformer.layers)))
    whole = transformer(waveforms, mask)
    assert torch.equal(parts.values, whole.last_hidden_state)
    assert torch.equal(parts.lengths, whole.lengths)


def test_running_no_layers_changes_nothing(transformer: Backbone, batch: Batch) -> None:
    waveforms, mask = batch(4000)
    frames = transformer.stem(waveforms, mask.sum(1))
    assert torch.equal(transformer.run(frames, 1, 1).values, frames.values)


def test_hidden_states_have_the_shape_of_the_last_one(backbone: Backbone, batch: Batch) -> None:
    output = backbone(*batch(8000, 5000), output_hidden_states=True)
    assert output.hidden_states is not None
    assert len(output.hidden_states) == len(backbone.layers) + 1
    assert {state.shape for state in output.hidden_states} == {output.last_hidden_state.shape}
    assert torch.equal(output.hidden_states[-1], output.last_hidden_state)
    assert backbone(*batch(8000)).hidden_states is None


def test_states_at_some_depths_are_those_of_the_whole_pass(
    backbone: Backbone, batch: Batch
) -> None:
    waveforms, lengths = _lengths(batch(8000, 5000))
    expected = backbone(*batch(8000, 5000), output_hidden_states=True).hidden_states
    backbone.finetune("all")
    for asked in ({0, len(backbone.layers)}, {max(0, len(backbone.layers) - 1)}):
        found = backbone.states(waveforms, lengths, asked)
        assert found.keys() == asked
        for depth, frames in found.items():
            below_top = depth < len(backbone.layers)
            speech = backbone.speech(frames) if below_top else frames
            assert torch.equal(speech.values, expected[depth])
            assert not speech.values.requires_grad


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.bool, torch.float32])
def test_an_attention_mask_of_any_type_means_the_same(
    backbone: Backbone, batch: Batch, dtype: torch.dtype
) -> None:
    waveforms, mask = batch(8000, 5000)
    expected = backbone(waveforms, mask).last_hidden_state
    assert torch.equal(backbone(waveforms, mask.to(dtype)).last_hidden_state, expected)


@pytest.mark.parametrize("mask", [[[1, 0, 1]], [[0, 1, 1]], [[1, 1]]])
def test_a_mask_with_holes_or_another_shape_is_refused(mask: list[list[int]]) -> None:
    with pytest.raises(BackboneError, match="attention_mask"):
        lengths_from_mask(torch.zeros(1, 3), torch.tensor(mask))


def test_a_loaded_backbone_is_frozen_and_in_eval_mode(backbone: Backbone) -> None:
    assert not backbone.trainable_parameters()
    assert not any(module.training for module in backbone.modules())


def test_the_top_layers_are_released_and_nothing_under_them(transformer: Backbone) -> None:
    transformer.finetune(1)
    trains = {name for name, value in transformer.named_parameters() if value.requires_grad}
    last = f"layers.{len(transformer.layers) - 1}."
    assert trains
    assert {name for name in trains if name.startswith("layers.")} == {
        name for name, _ in transformer.named_parameters() if name.startswith(last)
    }
    above = {id(value) for module in transformer.top_modules() for value in module.parameters()}
    others = [value for name, value in transformer.named_parameters() if not name.startswith(last)]
    assert all(value.requires_grad == (id(value) in above) for value in others)


def test_releasing_all_leaves_the_stem_frozen(transformer: Backbone) -> None:
    transformer.finetune("all")
    assert all(value.requires_grad for value in transformer.layers.parameters())
    transformer.freeze_feature_encoder()
    convolutions = [v for module in transformer.feature_encoder() for v in module.parameters()]
    assert convolutions
    assert not any(value.requires_grad for value in convolutions)


@pytest.mark.parametrize("layers", [-1, 99])
def test_more_layers_than_there_are_cannot_be_released(backbone: Backbone, layers: int) -> None:
    with pytest.raises(BackboneError, match=f"has {len(backbone.layers)} layers"):
        backbone.finetune(layers)


@pytest.mark.parametrize("layers", [0, 1, "all"])
def test_gradients_reach_the_released_layers_alone(
    transformer: Backbone, batch: Batch, layers: int
) -> None:
    transformer.finetune(layers).train()
    state = transformer(*batch(8000, 5000)).last_hidden_state
    assert state.requires_grad == (layers != 0)
    if layers == 0:
        return
    state.square().mean().backward()
    for name, value in transformer.named_parameters():
        assert (value.grad is not None) == value.requires_grad, name
        assert value.grad is None or torch.isfinite(value.grad).all(), name


def test_the_prefix_builds_no_graph(transformer: Backbone, batch: Batch) -> None:
    transformer.finetune(1).train()
    grew = []
    transformer.layers[0].register_forward_hook(
        lambda module, inputs, output: grew.append(torch.is_grad_enabled())
    )
    transformer(*batch(4000))
    assert grew == [False]


def test_no_graph_is_built_under_no_grad(transformer: Backbone, batch: Batch) -> None:
    transformer.finetune("all")
    with torch.no_grad():
        assert not transformer(*batch(4000)).last_hidden_state.requires_grad


def test_training_leaves_frozen_parts_in_eval_mode(transformer: Backbone) -> None:
    transformer.finetune(1).train()
    assert transformer.training
    assert transformer.layers[-1].training
    assert not transformer.layers[0].training
    assert not any(module.training for module in transformer.feature_encoder())
    assert not any(module.training for module in transformer.eval().modules())


def test_released_layers_drop_out_and_the_prefix_does_not(
    transformer: Backbone, batch: Batch
) -> None:
    waveforms, mask = batch(4000)
    transformer.finetune(1).train()
    first = transformer(waveforms, mask, output_hidden_states=True)
    again = transformer(waveforms, mask, output_hidden_states=True)
    assert torch.equal(first.hidden_states[-2], again.hidden_states[-2])
    assert not torch.equal(first.last_hidden_state, again.last_hidden_state)


def test_frozen_mode_train_drops_out_in_frozen_layers_too(
    transformer: Backbone, batch: Batch
) -> None:
    waveforms, mask = batch(4000)
    transformer.frozen_mode = "train"
    transformer.finetune(0).train()
    first, again = transformer(waveforms, mask), transformer(waveforms, mask)
    assert not torch.equal(first.last_hidden_state, again.last_hidden_state)


def test_every_tensor_has_one_name(backbone: Backbone) -> None:
    places = [value.data_ptr() for value in backbone.state_dict().values()]
    assert len(places) == len(set(places))
    assert backbone.total_parameters() == sum(v.numel() for v in backbone.state_dict().values())


def test_every_tensor_takes_part_in_the_forward_pass(transformer: Backbone, batch: Batch) -> None:
    transformer.requires_grad_(True)
    frames = transformer.stem(*_lengths(batch(8000, 5000)))
    frames = transformer.run(frames, 0, len(transformer.layers))
    transformer.finish(frames).values.square().mean().backward()
    unused = [name for name, value in transformer.named_parameters() if value.grad is None]
    assert unused == []


def test_tensors_are_made_on_the_device_of_the_input(backbone: Backbone, batch: Batch) -> None:
    """A tensor made without saying where would land on "meta" and not mix with the others."""
    waveforms, mask = batch(8000, 5000)
    backbone.finetune("all").train()
    with torch.device("meta"):
        state = backbone(waveforms, mask, output_hidden_states=True).last_hidden_state
        if state.requires_grad:
            state.mean().backward()
    assert state.device.type == "cpu"


def test_a_stem_over_the_whole_batch_gives_the_frames_of_row_by_row(
    backbone: Backbone, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is the way of a GPU, the second that of a CPU."""
    waveforms, mask = batch(8000, 5000, 6543)
    by_rows = backbone(waveforms, mask)
    monkeypatch.setattr("backbones.nn.padding.ROW_BY_ROW", ())
    whole = backbone(waveforms, mask)
    for row, frames in enumerate(whole.lengths.tolist()):
        torch.testing.assert_close(
            whole.last_hidden_state[row, :frames],
            by_rows.last_hidden_state[row, :frames],
            rtol=0,
            atol=1e-4,
        )


def test_bfloat16_stays_within_two_per_cent_of_float32(backbone: Backbone, batch: Batch) -> None:
    waveforms, mask = batch(8000, 5000)
    full = backbone(waveforms, mask)
    with torch.autocast("cpu", torch.bfloat16):
        half = backbone(waveforms, mask)
    real = torch.arange(full.last_hidden_state.shape[1])[None] < full.lengths[:, None]
    error = (half.last_hidden_state.float() - full.last_hidden_state)[real]
    assert error.abs().mean() <= 0.02 * full.last_hidden_state[real].abs().mean()


def test_random_frames_vary_enough_to_learn_from(backbone: Backbone, batch: Batch) -> None:
    state = backbone(batch(16_000)[0]).last_hidden_state[0]
    assert state.std(0).median() > 0.1


def test_using_a_backbone_does_not_change_its_weights(backbone: Backbone, batch: Batch) -> None:
    backbone(*batch(4000))
    assert digest(backbone) == backbone.weights.digest


def _lengths(made: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    waveforms, mask = made
    return waveforms, mask.sum(1)
