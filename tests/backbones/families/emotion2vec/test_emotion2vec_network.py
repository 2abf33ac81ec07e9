from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, nn

from backbones import BACKBONES, BackboneError, load
from backbones.families.emotion2vec.emotion2vec_network import Emotion2Vec, build
from backbones.families.emotion2vec.funasr_import import emotion2vec_class, process_state_kept
from backbones.loading import load as load_card
from backbones.nn.padding import in_stretches
from backbones.randomness import seeded

Batch = Callable[..., tuple[Tensor, Tensor]]
TINY = BACKBONES["tiny-emotion2vec"]
BASE = BACKBONES["emotion2vec_base"]


DECODER = {
    "decoder_dim": 32,
    "decoder_groups": 4,
    "decoder_kernel": 7,
    "decoder_layers": 2,
    "input_dropout": 0.1,
    "decoder_residual": True,
    "projection_layers": 1,
}


def with_audio(**changes: object) -> dict[str, Any]:
    audio = TINY.architecture["modalities"]["audio"] | changes
    return TINY.architecture | {"modalities": {"audio": audio}}


def reference(**options: object) -> Any:
    """FunASR's own network, as small as ours."""
    with process_state_kept(), seeded(1):
        return emotion2vec_class()(model_conf=with_audio(decoder=DECODER), **options).eval()


def published(folder: Path, net: Any, prefix: str = "d2v_model.") -> Path:
    """A folder in FunASR's layout."""
    tensors = {prefix + name: value for name, value in net.state_dict().items()}
    torch.save({"model": tensors}, folder / "model.pt")
    stated = {"model": "Emotion2vec", "model_conf": with_audio(decoder=DECODER)}
    (folder / "config.yaml").write_text(yaml.safe_dump(stated))
    return folder


def loaded(folder: Path) -> Emotion2Vec:
    this = replace(TINY, always_random=False, modelscope="iic/tiny")
    backbone = load_card(this, source=folder)
    assert isinstance(backbone, Emotion2Vec)
    return backbone


def extract(net: Any, waveform: Tensor) -> Tensor:
    source = nn.functional.layer_norm(waveform, waveform.shape[-1:])
    with torch.no_grad():
        features: Tensor = net.extract_features(source)["x"]
    return features


def test_it_computes_what_funasr_does(batch: Batch) -> None:
    net = reference()
    waveform, _ = batch(16_000)
    ours = Emotion2Vec(TINY, net).finetune(0).eval()(waveform).last_hidden_state
    torch.testing.assert_close(ours, extract(net, waveform), rtol=0, atol=1e-4)


def test_a_padded_batch_is_what_funasr_computes_for_each_row_alone(batch: Batch) -> None:
    net = reference()
    waveforms, mask = batch(64_000, 24_000)
    output = Emotion2Vec(TINY, net).finetune(0).eval()(waveforms, mask)
    for row, length in enumerate([64_000, 24_000]):
        alone = extract(net, waveforms[row : row + 1, :length])[0]
        real = output.last_hidden_state[row, : output.lengths[row]]
        torch.testing.assert_close(real, alone, rtol=0, atol=1e-4)


def test_a_long_waveform_in_stretches_gives_the_frames_of_one_run() -> None:
    backbone = load("tiny-emotion2vec")
    for samples in (64_079, 64_080, 64_400, 500_000):
        waveform = torch.randn(1, samples)
        whole = backbone.local_encoder(waveform)
        pieces = in_stretches(backbone.local_encoder, waveform, backbone.convolutions)
        torch.testing.assert_close(pieces, whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("prefix", ["d2v_model.", ""])
def test_a_folder_in_funasrs_layout_loads_verified(
    tmp_path: Path, batch: Batch, prefix: str
) -> None:
    net = reference()
    backbone = loaded(published(tmp_path, net, prefix))
    assert backbone.weights.init == "pretrained"
    waveform, _ = batch(8000)
    ours = backbone(waveform).last_hidden_state
    torch.testing.assert_close(ours, extract(net, waveform), rtol=0, atol=1e-4)


def test_the_decoder_and_the_classifier_of_a_checkpoint_are_left_out(tmp_path: Path) -> None:
    net = reference(vocab_size=9)
    stored = set(net.state_dict())
    assert {"proj.weight", "modality_encoders.AUDIO.decoder.proj.weight"} <= stored
    names = set(loaded(published(tmp_path, net)).state_dict())
    assert not any("decoder" in name or name.startswith("proj.") for name in names)


def test_a_checkpoint_under_another_prefix_does_not_load_with_random_weights(
    tmp_path: Path,
) -> None:
    with pytest.raises(BackboneError, match="missing"):
        loaded(published(tmp_path, reference(), prefix="encoder."))


def test_the_blocks_of_the_prenet_come_first() -> None:
    net = reference()
    backbone = Emotion2Vec(TINY, net)
    prenet = net.modality_encoders["AUDIO"].context_encoder.blocks
    assert list(backbone.layers) == [*prenet, *net.blocks]


class TestOriginalRecipe:
    """What users of the recipe this project grew from rely on."""

    @pytest.fixture(scope="class")
    def full_size(self) -> Emotion2Vec:
        with torch.device("meta"):
            return build(BASE, BASE.architecture)

    def test_hidden_size(self, full_size: Emotion2Vec) -> None:
        assert full_size.config.hidden_size == 768

    def test_eight_blocks_in_a_module_list(self, full_size: Emotion2Vec) -> None:
        assert isinstance(full_size.encoder.layers, nn.ModuleList)
        assert len(full_size.encoder.layers) == 8
        assert len(full_size.layers) == full_size.config.num_hidden_layers == 12
        assert full_size.encoder.layers[7] is full_size.layers[11]

    def test_first_layer_frozen_and_last_trainable_at_three(self, full_size: Emotion2Vec) -> None:
        full_size.finetune(3)
        first, last = full_size.encoder.layers[0], full_size.encoder.layers[-1]
        assert not any(value.requires_grad for value in first.parameters())
        assert all(value.requires_grad for value in last.parameters())

    def test_freeze_feature_encoder_freezes_the_convolutions(self, full_size: Emotion2Vec) -> None:
        full_size.requires_grad_(True)
        full_size.freeze_feature_encoder()
        assert not any(value.requires_grad for value in full_size.local_encoder.parameters())
        full_size.finetune(0)

    def test_both_name_formats(self) -> None:
        assert BACKBONES.card("iic/emotion2vec_plus_base") is BACKBONES["emotion2vec_plus_base"]

    def test_fifty_frames_a_second(self, batch: Batch) -> None:
        backbone = load("tiny-emotion2vec")
        assert backbone(batch(16_000)[0]).last_hidden_state.shape[1] == 49
        assert backbone(batch(48_000)[0]).last_hidden_state.shape[1] == 149


def test_missing_funasr_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backbones.families.emotion2vec.funasr_import.find_spec", lambda name: None)
    with pytest.raises(BackboneError, match="pip install funasr"):
        build(TINY, TINY.architecture)


@pytest.mark.parametrize(
    "net",
    [
        SimpleNamespace(blocks=[]),
        SimpleNamespace(modality_encoders=nn.ModuleDict(), blocks=[]),
        SimpleNamespace(
            modality_encoders=nn.ModuleDict({"AUDIO": nn.Linear(1, 1)}),
        ),
    ],
)
def test_blocks_that_are_not_where_expected_are_said(net: Any) -> None:
    with pytest.raises(BackboneError) as caught:
        Emotion2Vec(TINY, net)
    assert 'modality_encoders["AUDIO"].context_encoder.blocks' in str(caught.value)
    assert ".blocks" in str(caught.value)
    assert "pip install funasr" in str(caught.value)


@pytest.mark.parametrize(
    "spec", ["__import__('os').abort()", "[(1,1,1)] * 9 ** 9 ** 9", "[x for x in (1,)]"]
)
def test_code_in_a_config_is_not_run(spec: str) -> None:
    with pytest.raises(BackboneError, match="not a list of numbers"):
        build(TINY, with_audio(feature_encoder_spec=spec))


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(BackboneError, match="extractor_mode is 'default'"):
        build(TINY, with_audio(extractor_mode="default"))


def test_a_config_of_something_else_is_refused(tmp_path: Path) -> None:
    published(tmp_path, reference())
    (tmp_path / "config.yaml").write_text("model: Paraformer\n")
    with pytest.raises(BackboneError, match="model_conf"):
        loaded(tmp_path)


def test_the_reconstructed_config_gives_the_same_network_as_the_card() -> None:
    path = Path(__file__).parents[5] / "shared" / "emotion2vec" / "config_base.yaml"
    if not path.is_file():
        pytest.skip(f"no reconstructed config at {path}")
    stated = yaml.safe_load(path.read_text())["model_conf"]
    with torch.device("meta"):
        ours, theirs = build(BASE, BASE.architecture), build(BASE, stated)
    shapes = [{k: v.shape for k, v in net.state_dict().items()} for net in (ours, theirs)]
    assert shapes[0] == shapes[1]
    assert repr(ours) == repr(theirs)
