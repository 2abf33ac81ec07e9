"""The cards of the networks that others published. No torch here."""

from __future__ import annotations

from dataclasses import replace

from backbones.architectures import (
    BIASED_LARGE,
    LARGE,
    emotion2vec_architecture,
    w2v_bert_architecture,
    wav2vec2_architecture,
    whisper_architecture,
)
from backbones.cards import BackboneCard
from backbones.revisions import REVISIONS

LIBRISPEECH = ("LibriSpeech",)
LIBRI_LIGHT = ("Libri-Light",)
HUNDRED_AND_TWENTY_EIGHT_LANGUAGES = (
    "VoxPopuli",
    "Multilingual LibriSpeech",
    "Common Voice",
    "VoxLingua107",
    "BABEL",
)
NINETY_FOUR_THOUSAND_HOURS = ("Libri-Light", "GigaSpeech", "VoxPopuli")
WEB_SPEECH = ("680,000 hours of transcribed speech from the web",)
WEB_SPEECH_V3 = ("5 million hours of transcribed speech from the web",)
UNLABELLED_SPEECH = ("4.5 million hours of unlabelled speech in over 143 languages",)
EMOTION_SPEECH = ("IEMOCAP", "MELD", "CMU-MOSEI", "MEAD", "MSP-Podcast")
EMOBOX_LABELS = ("RAVDESS", "EMO-DB", "CREMA-D", "IEMOCAP", "the other academic corpora of EmoBox")
PSEUDO_LABELS = ("pseudo-labels from emotion2vec_plus_seed, tuned on EmoBox's academic corpora",)


def _wav2vec2(
    family: str,
    repository: str,
    heard: tuple[str, ...],
    parameters: int,
    licence: str = "Apache-2.0",
    name: str = "",
    large: dict[str, object] | None = None,
) -> BackboneCard:
    dim, depth, heads = (1024, 24, 16) if large else (768, 12, 12)
    return BackboneCard(
        name or repository.rpartition("/")[2],
        family,
        dim,
        depth,
        parameters=parameters,
        licence=licence,
        huggingface=repository,
        revision=REVISIONS.get(repository),
        pretrained_on=heard,
        architecture=wav2vec2_architecture(dim, depth, heads) | (large or {}),
    )


def _whisper(
    size: str, dim: int, depth: int, parameters: int, mel_bins: int = 80
) -> tuple[BackboneCard, BackboneCard]:
    """The same network twice: it hears an utterance as it is, or with zeros up to 30 s."""
    plain = BackboneCard(
        f"whisper-{size}",
        "whisper",
        dim,
        depth,
        parameters=parameters,
        licence="Apache-2.0",
        huggingface=f"openai/whisper-{size}",
        revision=REVISIONS[f"openai/whisper-{size}"],
        pretrained_on=WEB_SPEECH_V3 if size == "large-v3" else WEB_SPEECH,
        architecture=whisper_architecture(dim, depth, mel_bins),
    )
    return plain, replace(plain, name=f"{plain.name}-30s", stored_as=plain.name, pads_to_s=30.0)


def _emotion2vec(
    name: str, labels: tuple[str, ...] = (), dim: int = 768, parameters: int = 93_171_212
) -> BackboneCard:
    return BackboneCard(
        name,
        "emotion2vec",
        dim,
        depth=12,
        parameters=parameters,
        licence="FunASR model licence",
        huggingface=f"emotion2vec/{name}",
        modelscope=f"iic/{name}",
        pretrained_on=EMOTION_SPEECH,
        emotion_labels_seen=labels,
        architecture=emotion2vec_architecture(dim, heads=dim // 64),
    )


CARDS = (
    _wav2vec2(
        "wavlm",
        "microsoft/wavlm-base",
        LIBRISPEECH,
        94_381_168,
        licence="MIT",
    ),
    _wav2vec2(
        "wavlm",
        "microsoft/wavlm-base-plus",
        NINETY_FOUR_THOUSAND_HOURS,
        94_381_168,
        licence="MIT",
    ),
    _wav2vec2(
        "wavlm",
        "microsoft/wavlm-large",
        NINETY_FOUR_THOUSAND_HOURS,
        315_452_096,
        licence="MIT",
        large=LARGE,
    ),
    _wav2vec2("hubert", "facebook/hubert-base-ls960", LIBRISPEECH, 94_370_944, name="hubert-base"),
    _wav2vec2(
        "hubert",
        "facebook/hubert-large-ll60k",
        LIBRI_LIGHT,
        315_437_696,
        name="hubert-large",
        large=BIASED_LARGE,
    ),
    _wav2vec2("wav2vec2", "facebook/wav2vec2-base", LIBRISPEECH, 94_370_944),
    _wav2vec2(
        "wav2vec2",
        "facebook/wav2vec2-large-lv60",
        LIBRI_LIGHT,
        315_437_696,
        name="wav2vec2-large",
        large=BIASED_LARGE,
    ),
    _wav2vec2(
        "wav2vec2",
        "facebook/wav2vec2-xls-r-300m",
        HUNDRED_AND_TWENTY_EIGHT_LANGUAGES,
        315_437_696,
        name="xls-r-300m",
        large=BIASED_LARGE,
    ),
    _wav2vec2(
        "data2vec", "facebook/data2vec-audio-base", LIBRISPEECH, 93_163_520, name="data2vec-base"
    ),
    _wav2vec2(
        "data2vec",
        "facebook/data2vec-audio-large",
        LIBRI_LIGHT,
        313_275_392,
        name="data2vec-large",
        large=LARGE,
    ),
    _wav2vec2(
        "unispeech-sat",
        "microsoft/unispeech-sat-base",
        LIBRISPEECH,
        94_370_944,
        licence="CC-BY-SA-3.0",
    ),
    _wav2vec2(
        "unispeech-sat",
        "microsoft/unispeech-sat-large",
        NINETY_FOUR_THOUSAND_HOURS,
        315_434_112,
        licence="CC-BY-SA-3.0",
        large=LARGE,
    ),
    *_whisper("tiny", 384, 4, 8_208_384),
    *_whisper("base", 512, 6, 20_590_592),
    *_whisper("small", 768, 12, 88_154_112),
    *_whisper("medium", 1024, 24, 307_216_384),
    *_whisper("large-v3", 1280, 32, 636_968_960, mel_bins=128),
    BackboneCard(
        "w2v-bert-2.0",
        "w2v-bert",
        1024,
        24,
        parameters=580_492_096,
        licence="MIT",
        huggingface="facebook/w2v-bert-2.0",
        revision=REVISIONS["facebook/w2v-bert-2.0"],
        pretrained_on=UNLABELLED_SPEECH,
        architecture=w2v_bert_architecture(1024, 24, 16),
    ),
    _emotion2vec("emotion2vec_base"),
    _emotion2vec("emotion2vec_plus_seed", EMOBOX_LABELS),
    _emotion2vec("emotion2vec_plus_base", PSEUDO_LABELS),
    _emotion2vec("emotion2vec_plus_large", PSEUDO_LABELS, dim=1024, parameters=162_130_960),
)
