"""The table of backbones: name → card. No torch here."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from backbones.architectures import (
    emotion2vec_architecture,
    wavlm_architecture,
    whisper_architecture,
)
from backbones.cards import BackboneCard, BackboneError

LIBRISPEECH = ("LibriSpeech",)
NINETY_FOUR_THOUSAND_HOURS = ("Libri-Light", "GigaSpeech", "VoxPopuli")
WEB_SPEECH = ("680,000 hours of transcribed speech from the web",)
WEB_SPEECH_V3 = ("5 million hours of transcribed speech from the web",)
EMOTION_SPEECH = ("IEMOCAP", "MELD", "CMU-MOSEI", "MEAD", "MSP-Podcast")
EMOBOX_LABELS = ("RAVDESS", "EMO-DB", "CREMA-D", "IEMOCAP", "the other academic corpora of EmoBox")
PSEUDO_LABELS = ("pseudo-labels from emotion2vec_plus_seed, tuned on EmoBox's academic corpora",)


def _wavlm(
    name: str, revision: str, heard: tuple[str, ...], parameters: int, large: bool = False
) -> BackboneCard:
    dim, depth, heads = (1024, 24, 16) if large else (768, 12, 12)
    architecture = wavlm_architecture(dim, depth, heads)
    if large:
        architecture |= {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
    return BackboneCard(
        name,
        "wavlm",
        dim,
        depth,
        parameters=parameters,
        licence="MIT",
        huggingface=f"microsoft/{name}",
        revision=revision,
        pretrained_on=heard,
        architecture=architecture,
    )


def _whisper(size: str, dim: int, depth: int, parameters: int, mel_bins: int = 80) -> BackboneCard:
    return BackboneCard(
        f"whisper-{size}",
        "whisper",
        dim,
        depth,
        parameters=parameters,
        licence="Apache-2.0" if size == "large-v3" else "MIT",
        huggingface=f"openai/whisper-{size}",
        pretrained_on=WEB_SPEECH_V3 if size == "large-v3" else WEB_SPEECH,
        architecture=whisper_architecture(dim, depth, mel_bins),
    )


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


# Revisions are commits listed on the repositories' own pages of the Hugging Face hub.
CARDS = (
    _wavlm("wavlm-base", "efa81aae7ff777e464159e0f877d54eac5b84f81", LIBRISPEECH, 94_381_168),
    _wavlm(
        "wavlm-base-plus",
        "4c66d4806a428f2e922ccfa1a962776e232d487b",
        NINETY_FOUR_THOUSAND_HOURS,
        94_381_168,
    ),
    _wavlm(
        "wavlm-large",
        "c1423ed94bb01d80a3f5ce5bc39f6026a0f4828c",
        NINETY_FOUR_THOUSAND_HOURS,
        315_452_096,
        large=True,
    ),
    _whisper("tiny", 384, 4, 8_208_384),
    _whisper("base", 512, 6, 20_590_592),
    _whisper("small", 768, 12, 88_154_112),
    _whisper("medium", 1024, 24, 307_216_384),
    _whisper("large-v3", 1280, 32, 636_968_960, mel_bins=128),
    _emotion2vec("emotion2vec_base"),
    _emotion2vec("emotion2vec_plus_seed", EMOBOX_LABELS),
    _emotion2vec("emotion2vec_plus_base", PSEUDO_LABELS),
    _emotion2vec("emotion2vec_plus_large", PSEUDO_LABELS, dim=1024, parameters=162_130_960),
    BackboneCard("logmel", "logmel", 80, 0, frame_rate_hz=100.0, parameters=0),
    BackboneCard(
        "tiny-wavlm",
        "wavlm",
        64,
        4,
        always_random=True,
        architecture=wavlm_architecture(
            64,
            4,
            4,
            channels=32,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=4,
        ),
    ),
    BackboneCard(
        "tiny-emotion2vec",
        "emotion2vec",
        64,
        4,
        always_random=True,
        architecture=emotion2vec_architecture(64, 4, main=2, prenet=2, channels=32, groups=4),
    ),
)

BACKBONES: dict[str, BackboneCard] = {card.name: card for card in CARDS}
"""Every backbone by its canonical name, in the order in which tables show them."""


def canonical_name(name: str) -> str:
    """The name in `BACKBONES` of what a user wrote: plain, as either hub has it, or a folder.

    Case does not matter, nor whether words are joined by - or _. A folder is called as the
    backbone in it.

    Raises:
        BackboneError: no backbone is called that; the message lists those there are.

    >>> canonical_name("iic/emotion2vec_plus_base")
    'emotion2vec_plus_base'
    >>> canonical_name("microsoft/WavLM-Base-Plus")
    'wavlm-base-plus'
    """
    known = {_folded(written): card.name for card in CARDS for written in _spellings(card)}
    for written in (name, Path(name).name if is_folder(name) else name):
        if _folded(written) in known:
            return known[_folded(written)]
    nearest = get_close_matches(_folded(name), known, n=1)
    hint = f", did you mean {known[nearest[0]]}?" if nearest else "."
    raise BackboneError(f"no backbone is called {name!r}{hint} There are: {', '.join(BACKBONES)}")


def is_folder(name: str) -> bool:
    """Whether what a user wrote is the path of a folder, and no backbone's name."""
    return Path(name).name != name and Path(name).is_dir()


def card(name: str) -> BackboneCard:
    """The card of a backbone, by any of its names.

    Raises:
        BackboneError: no backbone is called that.
    """
    return BACKBONES[canonical_name(name)]


def _spellings(card: BackboneCard) -> tuple[str, ...]:
    hubs = (card.huggingface, card.modelscope)
    return (card.name, *card.aliases, *(repository for repository in hubs if repository))


def _folded(name: str) -> str:
    return name.strip().lower().replace("_", "-")
