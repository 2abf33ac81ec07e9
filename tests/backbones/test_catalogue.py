import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from backbones import BACKBONES, BackboneCard, BackboneError, Catalogue
from backbones.families import family_of

EXPECTED = {
    *("wavlm-base", "wavlm-base-plus", "wavlm-large"),
    *("hubert-base", "hubert-large", "wav2vec2-base", "wav2vec2-large", "xls-r-300m"),
    "wav2vec2-large-robust-msp-dim",
    *("data2vec-base", "data2vec-large", "unispeech-sat-base", "unispeech-sat-large"),
    *("whisper-tiny", "whisper-base", "whisper-small", "whisper-medium", "whisper-large-v3"),
    *("whisper-tiny-30s", "whisper-base-30s", "whisper-small-30s", "whisper-medium-30s"),
    *("whisper-large-v3-30s", "w2v-bert-2.0"),
    *("emotion2vec_base", "emotion2vec_plus_seed", "emotion2vec_plus_base"),
    *("emotion2vec_plus_large", "logmel", "tiny-wavlm", "tiny-emotion2vec"),
}


def test_the_table_holds_what_was_promised() -> None:
    assert set(BACKBONES) == EXPECTED


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("emotion2vec_plus_base", "emotion2vec_plus_base"),
        ("iic/emotion2vec_plus_base", "emotion2vec_plus_base"),
        ("emotion2vec/emotion2vec_plus_base", "emotion2vec_plus_base"),
        ("emotion2vec-plus-base", "emotion2vec_plus_base"),
        ("microsoft/wavlm-base-plus", "wavlm-base-plus"),
        ("WavLM-Base-Plus", "wavlm-base-plus"),
        ("openai/whisper-base", "whisper-base"),
        ("whisper_base_30s", "whisper-base-30s"),
        ("facebook/hubert-large-ll60k", "hubert-large"),
        ("facebook/wav2vec2-xls-r-300m", "xls-r-300m"),
        (
            "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim",
            "wav2vec2-large-robust-msp-dim",
        ),
        ("facebook/w2v-bert-2.0", "w2v-bert-2.0"),
        ("logmel", "logmel"),
    ],
)
def test_every_way_users_write_a_name_is_understood(written: str, name: str) -> None:
    assert BACKBONES.canonical_name(written) == name
    assert BACKBONES.card(written).name == name


def test_an_unknown_name_lists_the_choices_and_the_nearest() -> None:
    with pytest.raises(BackboneError, match="did you mean 'wavlm-base-plus'") as caught:
        BACKBONES.canonical_name("wavlm-base-pluss")
    assert all(name in str(caught.value) for name in BACKBONES)
    with pytest.raises(BackboneError, match="unknown backbone 'xyzzy'"):
        BACKBONES.card("xyzzy")


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_card_tells_the_truth_about_its_network(name: str) -> None:
    this = BACKBONES.card(name)
    with torch.device("meta"):
        backbone = family_of(this).network_module().build(this, this.architecture)
    assert backbone.config.hidden_size == this.hidden_size
    assert len(backbone.layers) == this.depth
    assert backbone.total_parameters() == (this.parameters or backbone.total_parameters())


@pytest.mark.parametrize(
    ("name", "total", "top_three"),
    [
        # every tensor that extract_features uses: without decoder and classifier
        ("emotion2vec_base", 93_171_212, 21_263_616),
        # transformers' Wav2Vec2BertModel counts 580,493,120: masked_spec_embed's 1,024 too
        ("w2v-bert-2.0", 580_493_120 - 1_024, 72_540_864),
        # transformers' WavLMModel counts 94,381,936: masked_spec_embed's 768 too, never used here
        ("wavlm-base", 94_381_936 - 768, 21_265_212),
    ],
)
def test_full_size_networks_have_the_parameters_that_were_counted(
    name: str, total: int, top_three: int
) -> None:
    this = BACKBONES.card(name)
    with torch.device("meta"):
        backbone = family_of(this).network_module().build(this, this.architecture)
    assert backbone.total_parameters() == total
    assert backbone.finetune(3).trainable_parameters() == top_three


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_what_can_be_fetched_has_a_licence_and_says_what_it_heard(name: str) -> None:
    this = BACKBONES.card(name)
    assert this.downloadable == bool(this.licence) == bool(this.pretrained_on)


def test_a_pinned_revision_is_a_whole_commit_of_a_cards_first_hub() -> None:
    pinned = {this.name: this for this in BACKBONES.values() if this.revision}
    assert len(pinned) == 22
    for this in pinned.values():
        assert re.fullmatch("[0-9a-f]{40}", str(this.revision))
        assert this.modelscope is None
    assert pinned["wavlm-base-plus"].revision == "4c66d4806a428f2e922ccfa1a962776e232d487b"


def test_contamination_is_on_the_cards() -> None:
    assert "IEMOCAP" in BACKBONES.card("emotion2vec_base").pretrained_on
    assert BACKBONES.card("emotion2vec_plus_seed").emotion_labels_seen == ("EmoBox",)
    assert BACKBONES.card("emotion2vec_plus_large").pseudo_labels_of == ("EmoBox",)
    assert not BACKBONES.card("wavlm-base").emotion_labels_seen


def test_a_folder_called_as_a_backbone_is_that_backbone(tmp_path: Path) -> None:
    folder = tmp_path / "emotion2vec_plus_base"
    folder.mkdir()
    assert BACKBONES.canonical_name(str(folder)) == "emotion2vec_plus_base"
    with pytest.raises(BackboneError, match="unknown backbone"):
        BACKBONES.canonical_name(str(tmp_path / "elsewhere" / "emotion2vec_plus_base"))


def test_a_folders_card_says_that_its_files_lie_there_and_asks_no_hub(tmp_path: Path) -> None:
    folder = tmp_path / "whisper-base"
    folder.mkdir()
    this = BACKBONES.card(str(folder))
    assert (this.name, this.folder, this.huggingface) == ("whisper-base", str(folder), None)


def test_a_folder_in_the_working_directory_does_not_take_a_bare_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "whisper-base").mkdir()
    monkeypatch.chdir(tmp_path)
    assert BACKBONES.card("whisper-base").folder is None


MINE = BackboneCard("mine", "hubert", 64, 4, huggingface="org/mine")


def test_a_card_is_added_to_a_catalogue_of_its_own() -> None:
    with_mine = BACKBONES.with_card(MINE)
    assert list(with_mine) == [*BACKBONES, "mine"]
    assert with_mine.card("org/mine") is MINE
    assert "mine" not in BACKBONES
    with pytest.raises(BackboneError, match="unknown backbone 'mine'"):
        BACKBONES.card("mine")


@pytest.mark.parametrize("name", ["wavlm-base", "WavLM_Base", "microsoft/wavlm-base"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    with pytest.raises(BackboneError, match=f"{name} is a backbone already"):
        BACKBONES.with_card(replace(MINE, name=name))


def test_published_spellings_stay_with_their_own_card() -> None:
    with_mine = BACKBONES.with_card(replace(MINE, huggingface="facebook/hubert-base-ls960"))
    assert with_mine.card("facebook/hubert-base-ls960").name == "hubert-base"
    assert with_mine.card("mine").depth == 4


def test_a_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        BACKBONES["mine"] = MINE  # type: ignore[index]
    with pytest.raises(AttributeError):
        BACKBONES.cards = ()  # type: ignore[misc]
    assert Catalogue(BACKBONES.cards) == BACKBONES
