"""The published sizes of Whisper. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from backbones.cards import BackboneCard

REVISIONS = {
    "openai/whisper-tiny": "169d4a4341b33bc18d8881c4b69c2e104e1cc0af",
    "openai/whisper-base": "e37978b90ca9030d5170a5c07aadb050351a65bb",
    "openai/whisper-small": "973afd24965f72e36ca33b3055d56a652f456b4d",
    "openai/whisper-medium": "abdf7c39ab9d0397620ccaea8974cc764cd0953e",
    "openai/whisper-large-v3": "06f233fe06e710322aca913c1bc4249a0d71fce1",
}
"""The commit of each repository that its card names, seen in full beside the repository's name."""

WEB_SPEECH = ("680,000 hours of transcribed speech from the web",)
WEB_SPEECH_V3 = ("5 million hours of transcribed speech from the web",)


def whisper_architecture(dim: int, depth: int, mel_bins: int = 80) -> dict[str, object]:
    """Keyword arguments of transformers' WhisperConfig that shape the encoder."""
    return {
        "d_model": dim,
        "encoder_layers": depth,
        "encoder_attention_heads": dim // 64,
        "encoder_ffn_dim": 4 * dim,
        "num_mel_bins": mel_bins,
    }


def whisper_shape(config: Mapping[str, Any]) -> tuple[int, int]:
    """Hidden size and depth of the encoder that transformers' WhisperConfig describes."""
    return int(config["d_model"]), int(config["encoder_layers"])


def _cards(
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


CARDS = (
    *_cards("tiny", 384, 4, 8_208_384),
    *_cards("base", 512, 6, 20_590_592),
    *_cards("small", 768, 12, 88_154_112),
    *_cards("medium", 1024, 24, 307_216_384),
    *_cards("large-v3", 1280, 32, 636_968_960, mel_bins=128),
)
