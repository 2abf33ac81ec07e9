"""The published relatives of wav2vec 2.0, and a tiny WavLM. No torch here."""

from __future__ import annotations

from backbones.cards import BackboneCard
from backbones.nn.feature_encoder import CONVOLUTIONS

REVISIONS = {
    "microsoft/wavlm-base": "efa81aae7ff777e464159e0f877d54eac5b84f81",
    "microsoft/wavlm-base-plus": "4c66d4806a428f2e922ccfa1a962776e232d487b",
    "microsoft/wavlm-large": "c1423ed94bb01d80a3f5ce5bc39f6026a0f4828c",
    "facebook/hubert-base-ls960": "dba3bb02fda4248b6e082697eee756de8fe8aa8a",
    "facebook/hubert-large-ll60k": "ff022d095678a2995f3c49bab18a96a9e553f782",
    "facebook/wav2vec2-base": "0b5b8e868dd84f03fd87d01f9c4ff0f080fecfe8",
    "facebook/wav2vec2-large-lv60": "1f3eef2bbbac0a61cae0cf882fd615fc960a062f",
    "facebook/wav2vec2-xls-r-300m": "1a640f32ac3e39899438a2931f9924c02f080a54",
    "facebook/data2vec-audio-base": "4b2131db71a8ede24cb2abebe38e910939eafc59",
    "facebook/data2vec-audio-large": "8aebfda61f5749e532f5577d176072ea38a6b349",
    "microsoft/unispeech-sat-base": "ca010627e5d232d9179ebdcd615eaa02cea382ed",
}
"""The commit of each repository that its card names.

Each was seen in full beside its repository's name: on the repository's own pages, or in public
code that pins it. microsoft/unispeech-sat-large is missing, since its last commit was seen cut
short only, and the one before has another config.
"""

LIBRISPEECH = ("LibriSpeech",)
LIBRI_LIGHT = ("Libri-Light",)
HUNDRED_AND_TWENTY_EIGHT_LANGUAGES = (
    "VoxPopuli",
    "Multilingual LibriSpeech",
    "Common Voice",
    "VoxLingua107",
    "BABEL",
)
ROBUST = ("Libri-Light", "Common Voice", "Switchboard", "Fisher")
NINETY_FOUR_THOUSAND_HOURS = ("Libri-Light", "GigaSpeech", "VoxPopuli")

LARGE: dict[str, object] = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
"""The large relatives of wav2vec 2.0: LayerNorm after each convolution and before each layer."""
BIASED_LARGE = LARGE | {"conv_bias": True}


def wav2vec2_architecture(
    dim: int, depth: int, heads: int, channels: int = 512, **others: object
) -> dict[str, object]:
    """Keyword arguments of transformers' configs of wav2vec 2.0 and its relatives."""
    return {
        "hidden_size": dim,
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
        "intermediate_size": 4 * dim,
        "conv_dim": [channels] * len(CONVOLUTIONS),
        **others,
    }


def _card(
    family: str,
    repository: str,
    heard: tuple[str, ...],
    parameters: int,
    licence: str = "Apache-2.0",
    name: str = "",
    large: dict[str, object] | None = None,
    depth: int | None = None,
    labels: tuple[str, ...] = (),
) -> BackboneCard:
    dim, usual_depth, heads = (1024, 24, 16) if large else (768, 12, 12)
    depth = depth or usual_depth
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
        emotion_labels_seen=labels,
        architecture=wav2vec2_architecture(dim, depth, heads) | (large or {}),
    )


CARDS = (
    _card(
        "wavlm",
        "microsoft/wavlm-base",
        LIBRISPEECH,
        94_381_168,
        licence="MIT",
    ),
    _card(
        "wavlm",
        "microsoft/wavlm-base-plus",
        NINETY_FOUR_THOUSAND_HOURS,
        94_381_168,
        licence="MIT",
    ),
    _card(
        "wavlm",
        "microsoft/wavlm-large",
        NINETY_FOUR_THOUSAND_HOURS,
        315_452_096,
        licence="MIT",
        large=LARGE,
    ),
    _card("hubert", "facebook/hubert-base-ls960", LIBRISPEECH, 94_370_944, name="hubert-base"),
    _card(
        "hubert",
        "facebook/hubert-large-ll60k",
        LIBRI_LIGHT,
        315_437_696,
        name="hubert-large",
        large=BIASED_LARGE,
    ),
    _card("wav2vec2", "facebook/wav2vec2-base", LIBRISPEECH, 94_370_944),
    _card(
        "wav2vec2",
        "facebook/wav2vec2-large-lv60",
        LIBRI_LIGHT,
        315_437_696,
        name="wav2vec2-large",
        large=BIASED_LARGE,
    ),
    _card(  # pruned from 24 layers before it was tuned
        "wav2vec2",
        "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim",
        ROBUST,
        164_283_008,
        licence="CC-BY-NC-SA-4.0",
        name="wav2vec2-large-robust-msp-dim",
        large=BIASED_LARGE,
        depth=12,
        labels=("MSP-Podcast",),
    ),
    _card(
        "wav2vec2",
        "facebook/wav2vec2-xls-r-300m",
        HUNDRED_AND_TWENTY_EIGHT_LANGUAGES,
        315_437_696,
        name="xls-r-300m",
        large=BIASED_LARGE,
    ),
    _card(
        "data2vec", "facebook/data2vec-audio-base", LIBRISPEECH, 93_163_520, name="data2vec-base"
    ),
    _card(
        "data2vec",
        "facebook/data2vec-audio-large",
        LIBRI_LIGHT,
        313_275_392,
        name="data2vec-large",
        large=LARGE,
    ),
    _card(
        "unispeech-sat",
        "microsoft/unispeech-sat-base",
        LIBRISPEECH,
        94_370_944,
        licence="CC-BY-SA-3.0",
    ),
    _card(
        "unispeech-sat",
        "microsoft/unispeech-sat-large",
        NINETY_FOUR_THOUSAND_HOURS,
        315_434_112,
        licence="CC-BY-SA-3.0",
        large=LARGE,
    ),
    BackboneCard(
        "tiny-wavlm",
        "wavlm",
        64,
        4,
        always_random=True,
        architecture=wav2vec2_architecture(
            64,
            4,
            4,
            channels=32,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=4,
        ),
    ),
)
