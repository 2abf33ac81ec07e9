import re
from importlib import import_module
from pathlib import Path

import pytest
import torch

from backbones import BACKBONES, BackboneError, canonical_name, card
from backbones.loading import FAMILIES
from backbones.revisions import REVISIONS

EXPECTED = {
    *("wavlm-base", "wavlm-base-plus", "wavlm-large"),
    *("hubert-base", "hubert-large", "wav2vec2-base", "wav2vec2-large", "xls-r-300m"),
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
        ("facebook/w2v-bert-2.0", "w2v-bert-2.0"),
        ("logmel", "logmel"),
    ],
)
def test_every_way_users_write_a_name_is_understood(written: str, name: str) -> None:
    assert canonical_name(written) == name
    assert card(written).name == name


def test_an_unknown_name_lists_the_choices_and_the_nearest() -> None:
    with pytest.raises(BackboneError, match="did you mean wavlm-base-plus") as caught:
        canonical_name("wavlm-base-pluss")
    assert all(name in str(caught.value) for name in BACKBONES)
    with pytest.raises(BackboneError, match="no backbone is called 'xyzzy'"):
        card("xyzzy")


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_card_tells_the_truth_about_its_network(name: str) -> None:
    this = card(name)
    with torch.device("meta"):
        backbone = import_module(FAMILIES[this.family]).build(this, this.architecture)
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
    this = card(name)
    with torch.device("meta"):
        backbone = import_module(FAMILIES[this.family]).build(this, this.architecture)
    assert backbone.total_parameters() == total
    assert backbone.finetune(3).trainable_parameters() == top_three


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_what_can_be_fetched_has_a_licence_and_says_what_it_heard(name: str) -> None:
    this = card(name)
    assert this.downloadable == bool(this.licence) == bool(this.pretrained_on)


def test_a_pinned_revision_is_a_whole_commit_of_a_cards_first_hub() -> None:
    first_there = {this.huggingface: this for this in BACKBONES.values() if not this.modelscope}
    assert set(REVISIONS) <= set(first_there)
    for repository, commit in REVISIONS.items():
        assert re.fullmatch("[0-9a-f]{40}", commit)
        assert first_there[repository].revision == commit


def test_contamination_is_on_the_cards() -> None:
    assert "IEMOCAP" in card("emotion2vec_base").pretrained_on
    assert "RAVDESS" in card("emotion2vec_plus_seed").emotion_labels_seen
    assert not card("wavlm-base").emotion_labels_seen


def test_a_folder_called_as_a_backbone_is_that_backbone(tmp_path: Path) -> None:
    folder = tmp_path / "emotion2vec_plus_base"
    folder.mkdir()
    assert canonical_name(str(folder)) == "emotion2vec_plus_base"
    with pytest.raises(BackboneError, match="no backbone is called"):
        canonical_name(str(tmp_path / "elsewhere" / "emotion2vec_plus_base"))
