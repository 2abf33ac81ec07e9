import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from backbones import BackboneError, load
from backbones.randomness import seeded


def test_the_tiny_networks_are_random_and_say_so() -> None:
    weights = load("tiny-wavlm").weights
    assert (weights.init, weights.source) == ("random", "random(seed=0)")


def test_a_backbone_without_parameters_says_none() -> None:
    assert load("logmel").weights.init == "none"


@pytest.mark.parametrize(("name", "init"), [("tiny-wavlm", "pretrained"), ("wavlm-base", "random")])
def test_a_source_that_would_be_ignored_is_refused(
    name: str, init: Literal["pretrained", "random"]
) -> None:
    with pytest.raises(BackboneError, match="leave out source"):
        load(name, source="somewhere", init=init)


def test_random_weights_are_the_same_whatever_was_drawn_before() -> None:
    torch.rand(7)
    first = load("tiny-wavlm").weights.digest
    torch.manual_seed(123)
    assert load("tiny-wavlm").weights.digest == first


def test_random_weights_leave_the_random_numbers_alone() -> None:
    def states() -> tuple[object, ...]:
        numpy = np.random.get_state()[1].tolist()  # noqa: NPY002
        return random.getstate(), numpy, torch.get_rng_state().tolist()

    before = states()
    load("tiny-wavlm")
    load("tiny-emotion2vec")
    assert states() == before


def test_seeded_numbers_repeat() -> None:
    drawn = []
    for _ in range(2):
        with seeded(3):
            drawn.append((torch.rand(1).item(), random.random(), np.random.rand()))  # noqa: NPY002
    assert drawn[0] == drawn[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wavlm-base", "emotion2vec_plus_base"])
def test_full_size_networks_run_with_random_weights_on_request(name: str) -> None:
    backbone = load(name, init="random", offline=True)
    assert backbone.weights.init == "random"
    assert backbone(0.1 * torch.randn(1, 16_000)).last_hidden_state.shape == (1, 49, 768)


@pytest.mark.slow
def test_pretrained_weights_say_where_they_came_from(
    whisper_base: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_MODELS", str(whisper_base.parent))
    weights = load("whisper-base", offline=True).weights
    assert (weights.init, weights.source) == ("pretrained", str(whisper_base))
    assert len(weights.digest) == 64


def test_another_model_in_the_folder_is_refused(whisper_base: Path) -> None:
    with pytest.raises(BackboneError, match="512 dims and 6 layers, but whisper-small has 768"):
        load("whisper-small", source=whisper_base)


def test_a_config_without_its_weights_is_refused(whisper_base: Path, tmp_path: Path) -> None:
    shutil.copy(whisper_base / "config.json", tmp_path)
    with pytest.raises(BackboneError, match="is not a folder with"):
        load("whisper-base", source=tmp_path)


def test_a_damaged_config_is_refused(whisper_base: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(BackboneError, match=r"config\.json"):
        load("whisper-base", source=tmp_path)


def test_a_config_of_another_width_does_not_fit(whisper_base: Path, tmp_path: Path) -> None:
    config = json.loads((whisper_base / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"encoder_ffn_dim": 1024}))
    (tmp_path / "model.safetensors").symlink_to(whisper_base / "model.safetensors")
    with pytest.raises(BackboneError, match="have another shape"):
        load("whisper-base", source=tmp_path)


def test_importing_the_package_imports_no_torch() -> None:
    script = "import sys, backbones, backbones.cards; assert 'torch' not in sys.modules"
    script += "; assert not any(name.startswith('harness') for name in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_folder_given_as_the_name_is_loaded_from(whisper_base: Path) -> None:
    assert load(str(whisper_base), offline=True).weights.source == str(whisper_base)
