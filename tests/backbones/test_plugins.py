import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import HubertConfig, HubertModel

from backbones import BACKBONES, BackboneError, card, declare, fetch, load
from backbones.hubs import fetch_config
from backbones.places import hugging_face_cache

TINY = BACKBONES["tiny-wavlm"].architecture


@pytest.fixture(autouse=True)
def table_kept() -> Iterator[None]:
    before = dict(BACKBONES)
    yield
    BACKBONES.clear()
    BACKBONES.update(before)


@pytest.fixture
def hubert(tmp_path: Path) -> Path:
    """A random HuBERT as transformers saves one."""
    folder = tmp_path / "hubert"
    HubertModel(HubertConfig.from_dict(TINY)).save_pretrained(folder)
    return folder


def test_a_folder_is_described_by_its_config(hubert: Path) -> None:
    declare("mine", "hubert", hubert)
    this = card("mine")
    assert (this.family, this.hidden_size, this.depth) == ("hubert", 64, 4)
    assert this.downloadable


def test_its_weights_are_verified_and_give_what_transformers_does(hubert: Path) -> None:
    declare("mine", "hubert", hubert)
    waveforms = 0.1 * torch.randn(1, 8000)
    with torch.no_grad():
        expected = HubertModel.from_pretrained(hubert).eval()(waveforms).last_hidden_state
    for source in (None, hubert):
        backbone = load("mine", source=source, offline=True)
        assert (backbone.weights.init, backbone.weights.source) == ("pretrained", str(hubert))
        torch.testing.assert_close(
            backbone(waveforms).last_hidden_state, expected, rtol=0, atol=1e-4
        )


def test_its_architecture_serves_with_random_weights_too(hubert: Path) -> None:
    declare("mine", "hubert", hubert)
    assert load("mine", source=hubert, init="random").weights.init == "random"


def test_a_config_without_its_weights_is_refused(hubert: Path) -> None:
    (hubert / "model.safetensors").unlink()
    declare("mine", "hubert", hubert)
    with pytest.raises(BackboneError, match="mine"):
        load("mine", source=hubert, offline=True)


def test_a_repository_of_the_hub_serves_from_the_cache(hubert: Path, nowhere: Path) -> None:
    root = hugging_face_cache() / "models--org--mine"
    shutil.copytree(hubert, root / "snapshots" / "abc")
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text("abc")
    declare("mine", "hubert", "org/mine")
    assert card("org/mine").name == "mine"
    assert fetch("mine", source="org/mine").revision == "abc"
    assert load("mine", source="org/mine", offline=True).weights.init == "pretrained"


def test_published_spellings_stay_with_their_own_card(hubert: Path, nowhere: Path) -> None:
    root = hugging_face_cache() / "models--facebook--hubert-base-ls960"
    shutil.copytree(hubert, root / "snapshots" / "main")
    declare("mine", "hubert", "facebook/hubert-base-ls960")
    assert card("facebook/hubert-base-ls960").name == "hubert-base"
    assert card("mine").depth == 4


def test_a_repository_that_cannot_be_reached_is_named(nowhere: Path) -> None:
    with pytest.raises(BackboneError, match=r"config\.json of org/mine"):
        declare("mine", "hubert", "org/mine")
    assert "mine" not in BACKBONES


def test_offline_no_hub_is_asked(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BackboneError, match="HF_HUB_OFFLINE"):
        fetch_config("org/mine", "config.json")


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
    this = declare("mine", kind, tmp_path)
    assert (this.hidden_size, this.depth) == (64, 4)


@pytest.mark.parametrize(
    ("name", "kind", "source", "message"),
    [
        ("mine", "bert", ".", "no kind of backbone is called 'bert'.*hubert"),
        ("wavlm-base", "wavlm", ".", "wavlm-base is a backbone already"),
        ("WavLM_Base", "wavlm", ".", "WavLM_Base is a backbone already"),
        ("mine", "hubert", "/no/such/folder", "neither a folder nor a repository"),
    ],
)
def test_what_cannot_be_is_refused(name: str, kind: str, source: str, message: str) -> None:
    with pytest.raises(BackboneError, match=message):
        declare(name, kind, source)


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_config_of_something_else_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(BackboneError, match=r"config\.json does not describe a hubert"):
        declare("mine", "hubert", tmp_path)


PLUGIN = """
from backbones.cards import BackboneCard

card = BackboneCard("theirs", "plugin:Mel", 80, 0, frame_rate_hz=100.0)
taken = BackboneCard("wavlm-base", "wavlm", 768, 12)

class Mel:
    @staticmethod
    def build(card, settings):
        from backbones.logmel import build
        return build(card, settings)
"""
ENTRY_POINTS = """[ser_harness.backbones]
theirs = plugin:card
broken = plugin:nothing
taken = plugin:taken
"""
USER = """
import sys, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import backbones
assert "torch" not in sys.modules
told = [str(warning.message) for warning in caught]
assert len(told) == 2 and "broken" in told[0] and "name is taken" in told[1], told
import torch
assert backbones.card("wavlm-base").huggingface == "microsoft/wavlm-base"
assert backbones.load("theirs")(torch.randn(1, 8000)).last_hidden_state.shape[2] == 80
"""


def test_an_installed_package_offers_a_backbone(tmp_path: Path) -> None:
    installed = tmp_path / "plugin-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(ENTRY_POINTS)
    (tmp_path / "plugin.py").write_text(PLUGIN)
    here = str(Path(__file__).parents[2])
    paths = os.pathsep.join([str(tmp_path), here])
    done = subprocess.run(
        [sys.executable, "-c", USER],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
