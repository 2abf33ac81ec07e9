"""Backbones that a suite describes by kind and source."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backbones import BACKBONES
from harness.config.suite_loading import load_suite
from harness.errors import SuiteError
from harness.model.building import load_backbone
from harness.specs import BackboneSpec

SUITE = """\
    suite: own
    corpora: [ravdess]
    protocol: {{folds: emobox}}
    backbones:
      - wavlm-base
      - {backbone}
    matrix: {{finetune_layers: [0, {layers}]}}
    """


@pytest.fixture(autouse=True)
def table_kept() -> Iterator[None]:
    before = dict(BACKBONES)
    yield
    BACKBONES.clear()
    BACKBONES.update(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny random HuBERT as transformers saves one."""
    from transformers import HubertConfig, HubertModel

    config = HubertConfig.from_dict(BACKBONES["tiny-wavlm"].architecture)
    HubertModel(config).save_pretrained(tmp_path / "mine")
    return tmp_path / "mine"


def written(write_suite: Any, layers: int = 3, **spec: str) -> Path:
    path: Path = write_suite(SUITE.format(backbone=json.dumps(spec), layers=layers))
    return path


def test_a_backbone_of_ones_own_is_one_of_the_suites(write_suite: Any, folder: Path) -> None:
    suite = load_suite(written(write_suite, name="mine", kind="hubert", source=str(folder)), ())
    spec = suite.backbones[1]
    assert (spec.name, spec.kind, spec.source) == ("mine", "hubert", str(folder))
    del BACKBONES["mine"]  # as in a process that read no suite
    backbone = load_backbone(spec, offline=True)
    assert (backbone.weights.init, len(backbone.layers)) == ("pretrained", 4)


def test_its_depth_limits_finetune_layers(write_suite: Any, folder: Path) -> None:
    path = written(write_suite, layers=5, name="mine", kind="hubert", source=str(folder))
    with pytest.raises(SuiteError, match="finetune_layers 5 is beyond mine, which has 4 layers"):
        load_suite(path, ())


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"name": "mine", "kind": "hubert"}, "has a kind: it needs a source"),
        ({"name": "mine", "kind": "hubbert", "source": "."}, "no kind of backbone is called"),
        ({"name": "mine", "kind": "hubert", "source": "/nowhere/at/all"}, "neither a folder nor"),
        ({"name": "logmel", "kind": "hubert", "source": "."}, "logmel is a backbone already"),
        ({"name": "mine", "source": "."}, "unknown backbone 'mine'"),
    ],
)
def test_mistakes_are_told(spec: dict[str, str], message: str, write_suite: Any) -> None:
    with pytest.raises(SuiteError, match=message) as caught:
        load_suite(written(write_suite, **spec), ())
    assert "suite.yaml:6" in str(caught.value)


def test_what_was_a_trial_without_kinds_is_the_same_trial() -> None:
    assert BackboneSpec(name="wavlm-base").model_dump(exclude_defaults=True) == {
        "name": "wavlm-base"
    }
