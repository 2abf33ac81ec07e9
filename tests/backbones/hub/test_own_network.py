import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import HubertConfig, HubertModel

from backbones import BACKBONES, BackboneError, card_from_config, fetch, load
from backbones.hub.local_files import hugging_face_cache

TINY = BACKBONES["tiny-wavlm"].architecture


@pytest.fixture
def hubert(tmp_path: Path) -> Path:
    """A random HuBERT as transformers saves one."""
    folder = tmp_path / "hubert"
    HubertModel(HubertConfig.from_dict(TINY)).save_pretrained(folder)
    return folder


def test_a_folder_is_described_by_its_config(hubert: Path) -> None:
    this = card_from_config("mine", "hubert", hubert)
    assert (this.family, this.hidden_size, this.depth) == ("hubert", 64, 4)
    assert this.downloadable


def test_its_weights_are_verified_and_give_what_transformers_does(hubert: Path) -> None:
    mine = card_from_config("mine", "hubert", hubert)
    waveforms = 0.1 * torch.randn(1, 8000)
    with torch.no_grad():
        expected = HubertModel.from_pretrained(hubert).eval()(waveforms).last_hidden_state
    for source in (None, hubert):
        backbone = load(mine, source=source, offline=True)
        assert (backbone.weights.init, backbone.weights.source) == ("pretrained", str(hubert))
        torch.testing.assert_close(
            backbone(waveforms).last_hidden_state, expected, rtol=0, atol=1e-4
        )


def test_its_architecture_serves_with_random_weights_too(hubert: Path) -> None:
    mine = card_from_config("mine", "hubert", hubert)
    assert load(mine, init="random").weights.init == "random"


def test_a_config_without_its_weights_is_refused(hubert: Path) -> None:
    (hubert / "model.safetensors").unlink()
    mine = card_from_config("mine", "hubert", hubert)
    with pytest.raises(BackboneError, match="the weights of mine were not found"):
        load(mine, offline=True)


def test_a_repository_of_the_hub_serves_from_the_cache(hubert: Path, nowhere: Path) -> None:
    root = hugging_face_cache() / "models--org--mine"
    shutil.copytree(hubert, root / "snapshots" / "abc")
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text("abc")
    mine = card_from_config("mine", "hubert", "org/mine")
    assert fetch(mine).revision == "abc"
    assert load(mine, offline=True).weights.init == "pretrained"


def test_a_repository_that_cannot_be_reached_is_named(nowhere: Path) -> None:
    with pytest.raises(BackboneError, match=r"config\.json of org/mine"):
        card_from_config("mine", "hubert", "org/mine")


@pytest.mark.parametrize(
    ("kind", "file", "text"),
    [
        ("whisper", "config.json", json.dumps({"d_model": 64, "encoder_layers": 4})),
        ("w2v-bert", "config.json", json.dumps({"hidden_size": 64, "num_hidden_layers": 4})),
        (
            "emotion2vec",
            "config.yaml",
            "model_conf: {embed_dim: 64, depth: 3, modalities: {audio: {prenet_depth: 1}}}",
        ),
    ],
)
def test_other_families_are_described_too(kind: str, file: str, text: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(text)
    this = card_from_config("mine", kind, tmp_path)
    assert (this.hidden_size, this.depth) == (64, 4)


@pytest.mark.parametrize(
    ("name", "kind", "source", "message"),
    [
        ("mine", "bert", ".", "no kind of backbone is called 'bert'.*hubert"),
        ("mine", "logmel", ".", "no kind of backbone is called 'logmel'"),
        ("mine", "hubert", "/no/such/folder", "neither a folder nor a repository"),
    ],
)
def test_what_cannot_be_is_refused(name: str, kind: str, source: str, message: str) -> None:
    with pytest.raises(BackboneError, match=message):
        card_from_config(name, kind, source)


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_config_of_something_else_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(BackboneError, match=r"config\.json does not describe a hubert"):
        card_from_config("mine", "hubert", tmp_path)
