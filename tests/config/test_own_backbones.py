"""Backbones that a suite describes by kind and source."""

import json
from pathlib import Path
from typing import Any

import pytest

from backbones import BACKBONES, BackboneError
from harness.backbone_card import card_of
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


def saved(folder: Path, layers: int = 4) -> Path:
    """A tiny random HuBERT as transformers saves one."""
    from transformers import HubertConfig, HubertModel

    settings = BACKBONES["tiny-wavlm"].architecture | {"num_hidden_layers": layers}
    HubertModel(HubertConfig.from_dict(settings)).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return saved(tmp_path / "mine")


def written(write_suite: Any, layers: int = 3, **spec: str) -> Path:
    path: Path = write_suite(SUITE.format(backbone=json.dumps(spec), layers=layers))
    return path


def test_a_backbone_of_ones_own_is_one_of_the_suites(write_suite: Any, folder: Path) -> None:
    suite = load_suite(written(write_suite, name="mine", kind="hubert", source=str(folder)), ())
    spec = suite.backbones[1]
    assert (spec.name, spec.kind, spec.source) == ("mine", "hubert", str(folder))
    backbone = load_backbone(spec, offline=True)
    assert (backbone.weights.init, len(backbone.layers)) == ("pretrained", 4)


def test_validating_a_suite_leaves_the_catalogue_and_other_suites_as_they_were(
    write_suite: Any, folder: Path
) -> None:
    before = tuple(BACKBONES.items())
    load_suite(written(write_suite, name="mine", kind="hubert", source=str(folder)), ())
    assert tuple(BACKBONES.items()) == before
    with pytest.raises(SuiteError, match="unknown backbone 'mine'"):
        load_suite(written(write_suite, name="mine"), ())


def test_two_suites_may_give_one_name_to_different_networks(
    write_suite: Any, folder: Path, tmp_path: Path
) -> None:
    deep = written(write_suite, name="mine", kind="hubert", source=str(folder))
    first = load_suite(deep, ()).backbones[1]
    source = str(saved(tmp_path / "shallow", layers=2))
    shallow = written(write_suite, layers=2, name="mine", kind="hubert", source=source)
    second = load_suite(shallow, ()).backbones[1]
    depths = [len(load_backbone(spec, offline=True).layers) for spec in (first, second, first)]
    assert depths == [4, 2, 4]
    assert [card_of(spec).depth for spec in (first, second)] == [4, 2]


def test_a_name_is_taken_only_in_the_catalogue_that_is_passed(folder: Path) -> None:
    spec = BackboneSpec(name="mine", kind="hubert", source=str(folder))
    mine = card_of(spec)
    assert mine.name == "mine"
    with pytest.raises(BackboneError, match="mine is a backbone already"):
        card_of(spec, BACKBONES.with_card(mine))


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
