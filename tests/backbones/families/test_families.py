from pathlib import Path

import pytest

from backbones import BACKBONES, BackboneCard, BackboneError
from backbones.families import FAMILIES, TABLE, config_file, family_of


def plug_in(family: str) -> BackboneCard:
    return BackboneCard("theirs", family, 80, 0)


def test_every_family_is_behind_a_card_and_every_card_has_one() -> None:
    assert {card.family for card in BACKBONES.values()} == set(FAMILIES)
    assert sum(len(family.names) for family in TABLE) == len(FAMILIES)


@pytest.mark.parametrize("family", TABLE, ids=lambda family: family.names[0])
def test_a_familys_cards_have_the_shape_that_it_reads_from_their_settings(family) -> None:
    for card in family.cards:
        assert card.family in family.names
        if family.shape:
            assert family.shape(card.architecture) == (card.hidden_size, card.depth)


@pytest.mark.parametrize(
    ("name", "file"), [("wavlm-base", "config.json"), ("emotion2vec_base", "config.yaml")]
)
def test_the_config_file_is_the_familys(name: str, file: str) -> None:
    assert config_file(BACKBONES[name]) == file
    assert config_file(plug_in("no.such.module")) == "config.json"


PLUGIN = """
class Stated:
    version = 3
    packages = ("torch", "theirs")

    @staticmethod
    def build(card, settings): ...

class Silent:
    @staticmethod
    def build(card, settings): ...
"""


@pytest.mark.parametrize(
    ("name", "version", "packages"),
    [("Stated", 3, ("torch", "theirs")), ("Silent", 1, ("torch",))],
)
def test_a_plug_ins_family_is_the_object_that_its_card_names(
    name: str,
    version: int,
    packages: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "their_networks.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    family = family_of(plug_in(f"their_networks:{name}"))
    assert (family.version, family.packages) == (version, packages)
    assert type(family.network_module()).__name__ == "type"


@pytest.mark.parametrize("family", ["no.such.module", "backbones.cards:nothing"])
def test_a_family_that_cannot_be_imported_is_named(family: str) -> None:
    with pytest.raises(BackboneError, match=f"{family} is not to be had"):
        family_of(plug_in(family))
