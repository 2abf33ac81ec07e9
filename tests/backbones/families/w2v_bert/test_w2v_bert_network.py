from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertConfig, Wav2Vec2BertModel

from backbones import BACKBONES, BackboneError, loading
from backbones.base import Backbone
from backbones.families.w2v_bert.w2v_bert_cards import w2v_bert_architecture
from backbones.families.w2v_bert.w2v_bert_network import build
from backbones.randomness import seeded

Batch = Callable[..., tuple[Tensor, Tensor]]
TINY = w2v_bert_architecture(64, 3, 4)
CARD = replace(BACKBONES["w2v-bert-2.0"], hidden_size=64, depth=3, parameters=None)
PUBLISHED = {  # what the published config says and transformers no longer reads
    "model_type": "wav2vec2-bert",
    "add_adapter": False,
    "codevector_dim": 768,
    "position_embeddings_type": "relative_key",
    "torch_dtype": "float32",
}


def reference(**settings: object) -> Any:
    """Transformers' own network, with its own plain attention."""
    with seeded(1):
        config = Wav2Vec2BertConfig(**TINY | settings, attn_implementation="eager")
        net = Wav2Vec2BertModel(config)
        for value in net.parameters():  # norms and biases that start as 1 and 0
            if value.ndim == 1:
                torch.nn.init.normal_(value, mean=value.detach().mean().item(), std=0.2)
    return net.eval()


def loaded(net: Any, folder: Path, prefix: str = "", **beside: Tensor) -> Backbone:
    tensors = {prefix + name: value.contiguous() for name, value in net.state_dict().items()}
    save_file(tensors | beside, folder / "model.safetensors")
    (folder / "config.json").write_text(net.config.to_json_string())
    return loading.load(CARD, source=folder)


def computed(net: Any, waveform: Tensor) -> tuple[Tensor, ...]:
    """Every hidden state of one utterance alone, as far as its mask says that frames are real."""
    inputs = SeamlessM4TFeatureExtractor()(
        waveform.numpy(), sampling_rate=16_000, return_tensors="pt"
    )
    output = net(**inputs, output_hidden_states=True)
    return tuple(state[:, : int(inputs.attention_mask.sum())] for state in output.hidden_states)


@pytest.mark.parametrize("length", [560, 720, 16_000, 16_160, 32_000])
def test_it_computes_what_transformers_does(length: int, tmp_path: Path, batch: Batch) -> None:
    """Even and odd numbers of filter bank frames, and more of them than positions reach."""
    net = reference()
    backbone = loaded(net, tmp_path)
    waveform, _ = batch(length)
    with torch.no_grad():
        expected = computed(net, waveform[0])
    ours = backbone(waveform, output_hidden_states=True)
    assert ours.lengths.tolist() == [((length - 400) // 160 + 1) // 2]
    for mine, theirs in zip(ours.hidden_states or (), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-4)


def test_a_padded_batch_is_what_transformers_computes_for_each_row_alone(
    tmp_path: Path, batch: Batch
) -> None:
    net = reference()
    backbone = loaded(net, tmp_path)
    lengths = (32_000, 16_160, 16_000, 561)
    waveforms, mask = batch(*lengths)
    output = backbone(waveforms, mask)
    for row, length in enumerate(lengths):
        with torch.no_grad():
            expected = computed(net, waveforms[row, :length])[-1][0]
        real = output.last_hidden_state[row, : output.lengths[row]]
        torch.testing.assert_close(real, expected, rtol=0, atol=1e-4)


def test_its_gradients_are_those_of_transformers(tmp_path: Path, batch: Batch) -> None:
    net = reference()
    backbone = loaded(net, tmp_path).finetune("all")
    waveform, _ = batch(16_000)
    computed(net, waveform[0])[-1].square().mean().backward()
    backbone(waveform).last_hidden_state.square().mean().backward()
    theirs = {backbone.own_name(name): value.grad for name, value in net.named_parameters()}
    trained = {name: value for name, value in backbone.named_parameters() if value.requires_grad}
    assert set(trained) == {name for name in theirs if name and name.startswith("layers.")}
    for name, value in trained.items():
        torch.testing.assert_close(value.grad, theirs[name], rtol=1e-3, atol=1e-5, msg=name)


def test_a_whole_model_loads_without_its_head(tmp_path: Path) -> None:
    head = {"projector.weight": torch.zeros(2), "wav2vec2_bert.adapter.x": torch.zeros(2)}
    backbone = loaded(reference(), tmp_path, "wav2vec2_bert.", **head)
    assert backbone.weights.init == "pretrained"


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("add_adapter", True),
        ("position_embeddings_type", "rotary"),
        ("position_embeddings_type", None),
        ("feature_projection_input_dim", 80),
    ],
)
def test_parts_outside_the_contract_are_refused(part: str, value: object) -> None:
    with pytest.raises(BackboneError, match=f"{part} is {value!r}, and only"):
        build(CARD, TINY | {part: value})


def test_the_published_config_is_understood() -> None:
    assert len(build(CARD, TINY | PUBLISHED).layers) == 3


def test_layerdrop_and_spec_augment_are_never_applied(batch: Batch) -> None:
    """SpecAugment would raise below ten frames, LayerDrop at 1.0 would skip every layer."""
    certain = TINY | {"layerdrop": 1.0, "mask_time_prob": 1.0, "conformer_conv_dropout": 0.0}
    backbone = build(CARD, certain)
    expected = backbone.finetune("all").eval()(batch(1000)[0]).last_hidden_state
    training = backbone.train()(batch(1000)[0]).last_hidden_state
    torch.testing.assert_close(training, expected)


def test_in_frozen_mode_train_the_stem_drops_out(batch: Batch) -> None:
    backbone = build(CARD, TINY | {"hidden_dropout": 0.5})
    backbone.frozen_mode = "train"
    waveforms, lengths = batch(4000)[0], torch.tensor([4000])
    first, again = (backbone.train().stem(waveforms, lengths).values for _ in range(2))
    assert not torch.equal(first, again)


def test_less_than_two_frames_of_the_filter_bank_are_refused(batch: Batch) -> None:
    backbone = build(CARD, TINY).eval()
    assert backbone(batch(560)[0]).lengths.tolist() == [1]
    with pytest.raises(BackboneError, match=r"at least 560 samples \(0.035 s\)"):
        backbone(batch(559)[0])


def test_fifty_frames_a_second(batch: Batch) -> None:
    output = build(CARD, TINY)(*batch(48_000, 16_000))
    assert output.lengths.tolist() == [149, 49]
