"""The doctor: a whole backbone passes, and of a sick one it says which file and which tensor."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import backbones
from backbones import BACKBONES
from backbones.base import Backbone, Frames
from harness.diagnostics.backbone_contract import (
    CHECKS,
    check_card,
    check_frame_counts,
    check_numbers,
    check_padding,
)
from harness.files import file_digest

pytestmark = pytest.mark.usefixtures("small_products")

TENSOR = "layers.2.fc1.weight"


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any backbone: $HARNESS_MODELS and the caches are empty folders."""
    for variable in ("HARNESS_MODELS", "HF_HUB_CACHE", "MODELSCOPE_CACHE"):
        (tmp_path / variable).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / variable))
    return tmp_path / "HARNESS_MODELS"


@pytest.fixture
def copied(models: Path, whisper_base: Path) -> Path:
    """The checkpoint of a copy of whisper-base that may be harmed."""
    folder = models / "whisper-base"
    folder.mkdir()
    for path in whisper_base.iterdir():
        shutil.copyfile(path, folder / path.name)
    return folder / "model.safetensors"


@pytest.fixture
def own(models: Path, tmp_path: Path) -> Path:
    """A tiny random HuBERT of the user's own as transformers saves one."""
    from transformers import HubertConfig, HubertModel

    config = HubertConfig.from_dict(BACKBONES["tiny-wavlm"].architecture)
    HubertModel(config).save_pretrained(tmp_path / "own")
    return tmp_path / "own"


@pytest.fixture
def backbone() -> Backbone:
    return backbones.load("tiny-wavlm")


def rewrite(path: Path, change: Callable[[dict[str, Tensor]], Mapping[str, Tensor]]) -> str:
    """Change a checkpoint's tensors; the full name of `TENSOR` in it."""
    tensors = load_file(path)
    name = next(name for name in tensors if name.endswith(TENSOR))
    save_file(dict(change(tensors)), path)
    return name


def test_a_whole_backbone_passes(cli: Any, copied: Path) -> None:
    answer = cli("doctor")
    assert answer.code == 0, answer.out
    assert f"whisper-base: files: ok: $HARNESS_MODELS: {copied.parent}" in answer.out
    for name in CHECKS:
        assert f"whisper-base: {name}: ok: " in answer.out
    assert "largest difference" in answer.out
    assert answer.out.count("whisper-base: ") == 6
    assert answer.out.count("whisper-base-30s: ") == 6  # it reads the same weights
    assert " 0 failed" in answer.out


def test_a_truncated_file_is_named(cli: Any, copied: Path) -> None:
    copied.write_bytes(copied.read_bytes()[:-1000])
    answer = cli("doctor")
    assert answer.code == 1
    assert "whisper-base: weights: FAILED" in answer.out
    assert str(copied) in answer.out


def test_a_file_with_a_flipped_bit_in_its_header_is_named(cli: Any, copied: Path) -> None:
    content = bytearray(copied.read_bytes())
    content[8] ^= 1
    copied.write_bytes(content)
    answer = cli("doctor", "--backbone", "whisper-base")
    assert answer.code == 1
    assert str(copied) in answer.out


def test_a_missing_tensor_is_named(cli: Any, copied: Path) -> None:
    rewrite(copied, lambda all_: {k: v for k, v in all_.items() if not k.endswith(TENSOR)})
    answer = cli("doctor", "--backbone", "whisper-base")
    assert answer.code == 1
    assert "1 are missing" in answer.out
    assert TENSOR in answer.out
    assert str(copied.parent) in answer.out


def test_a_tensor_that_holds_no_numbers_is_named(cli: Any, copied: Path) -> None:
    spoilt = torch.tensor(torch.nan)
    rewrite(copied, lambda all_: {k: v * spoilt if TENSOR in k else v for k, v in all_.items()})
    answer = cli("doctor", "--backbone", "whisper-base")
    assert answer.code == 1
    assert f"{copied}: the tensor " in answer.out
    assert TENSOR in answer.out


def test_other_weights_than_the_hugging_face_cache_promises_are_found(
    cli: Any, copied: Path, tmp_path: Path
) -> None:
    repository = tmp_path / "HF_HUB_CACHE" / "models--openai--whisper-base"
    blob = repository / "blobs" / file_digest(copied)
    snapshot = repository / "snapshots" / "0123"
    for folder in (blob.parent, snapshot, repository / "refs"):
        folder.mkdir(parents=True)
    (repository / "refs" / "main").write_text("0123")
    shutil.move(copied, blob)
    shutil.copyfile(copied.parent / "config.json", snapshot / "config.json")
    (snapshot / "model.safetensors").symlink_to(blob)
    only = ("doctor", "--backbone", "whisper-base")
    assert "whisper-base: bytes: ok: as published" in cli(*only).out
    rewrite(blob, lambda all_: {k: v + 1 if TENSOR in k else v for k, v in all_.items()})
    answer = cli(*only)
    assert answer.code == 1
    assert "whisper-base: bytes: FAILED: not as published" in answer.out
    assert str(snapshot / "model.safetensors") in answer.out


def test_a_machine_without_backbones_is_told_so(cli: Any, models: Path) -> None:
    answer = cli("doctor")
    assert answer.code == 0
    assert "no backbone is on this machine" in answer.out


def test_a_backbone_that_was_named_must_be_here(cli: Any, models: Path) -> None:
    answer = cli("doctor", "--backbone", "wavlm-base", "--backbone", "tiny-wavlm")
    assert answer.code == 1
    assert "wavlm-base: files: FAILED: not on this machine; looked at " in answer.out
    assert str(models / "wavlm-base") in answer.out
    assert "tiny-wavlm: exact padding: ok" in answer.out


def test_an_unknown_name_is_the_users_mistake(cli: Any) -> None:
    answer = cli("doctor", "--backbone", "wavlm-bse")
    assert answer.code == 2
    assert "did you mean 'wavlm-base'?" in answer.err


def suite_of(folder: Path, *backbones: object) -> str:
    path = folder / "suite.yaml"
    listed = json.dumps(backbones)
    path.write_text(f"suite: own\ncorpora: [synthetic]\nbackbones: {listed}\n")
    return str(path)


def test_the_backbones_of_a_suite_are_examined_and_no_others(
    cli: Any, own: Path, tmp_path: Path
) -> None:
    mine = {"name": "mine", "kind": "hubert", "source": str(own)}
    answer = cli("doctor", suite_of(tmp_path, mine, "tiny-wavlm"))
    assert answer.code == 0, answer.out
    assert f"mine: files: ok: its folder: {own}" in answer.out
    assert "mine: weights: ok: pretrained" in answer.out
    for name in CHECKS:
        assert f"mine: {name}: ok: " in answer.out
    assert "11 checks, 0 failed" in answer.out  # tiny-wavlm has no files to look at


def test_a_suites_own_weights_are_those_examined(cli: Any, own: Path, tmp_path: Path) -> None:
    whole = own / "model.safetensors"
    whole.write_bytes(whole.read_bytes()[:-1000])
    answer = cli(
        "doctor", suite_of(tmp_path, {"name": "mine", "kind": "hubert", "source": str(own)})
    )
    assert answer.code == 1
    assert "mine: weights: FAILED" in answer.out
    assert str(whole) in answer.out


def test_a_suites_backbone_that_is_not_here_fails_unless_its_weights_are_random(
    cli: Any, models: Path, tmp_path: Path
) -> None:
    suite = suite_of(tmp_path, {"name": "whisper-tiny", "source": str(tmp_path / "nowhere")})
    answer = cli("doctor", suite)
    assert answer.code == 1
    assert "whisper-tiny: files: FAILED: " in answer.out
    assert str(tmp_path / "nowhere") in answer.out
    answer = cli("doctor", suite, "--set", "backbones=[{name: whisper-tiny, init: random}]")
    assert answer.code == 0, answer.out
    assert "whisper-tiny: weights: ok: random" in answer.out


PLUGIN = """
from backbones.hub.own_network import card_from_config

card = card_from_config("theirs", "hubert", {folder!r})
"""


def test_an_installed_packages_backbone_is_examined_unasked(own: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed" / "plugin-1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[ser_harness.backbones]\ntheirs = plugin:card\n")
    (installed.parent / "plugin.py").write_text(PLUGIN.format(folder=str(own)))
    paths = os.pathsep.join([str(installed.parent), str(Path(__file__).parents[2])])
    done = subprocess.run(
        [sys.executable, "-m", "harness", "doctor"],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"theirs: files: ok: its folder: {own}" in done.stdout
    assert "theirs: exact padding: ok" in done.stdout
    assert done.stdout.count("theirs: ") == 6
    assert " 0 failed" in done.stdout


def test_frames_that_depend_on_the_batch_are_found(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leaking(frames: Frames) -> Frames:
        mean = frames.values.mean((0, 1), keepdim=True)
        return Frames(frames.values + mean, frames.lengths)

    monkeypatch.setattr(backbone, "finish", leaking)
    with pytest.raises(backbones.BackboneError, match="depend on what is in the batch"):
        check_padding(backbone)


def test_a_wrong_frame_count_is_found(backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backbone, "frame_lengths", lambda lengths: lengths // 320 + 1)
    with pytest.raises(backbones.BackboneError, match=r"samples give \d+ frames where \d+"):
        check_frame_counts(backbone)


def test_values_that_are_no_numbers_are_found(backbone: Backbone) -> None:
    with torch.no_grad():
        next(backbone.layers[1].parameters()).fill_(torch.nan)
    with pytest.raises(backbones.BackboneError, match="from depth 2 on"):
        check_numbers(backbone)
    with pytest.raises(backbones.BackboneError, match="largest difference nan"):
        check_padding(backbone)


def test_another_depth_than_the_cards_is_found(backbone: Backbone) -> None:
    backbone.layers = backbone.layers[:-1]
    with pytest.raises(backbones.BackboneError, match=r"3 layers.* but its card says .*4 layers"):
        check_card(backbone)
