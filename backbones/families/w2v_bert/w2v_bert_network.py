"""w2v-BERT 2.0 through transformers' own conformer layers, with exact padding.

Source: Seamless Communication, Seamless: Multilingual Expressive and Streaming Speech
Translation, 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from backbones.base import Backbone, BackboneConfig, Frames
from backbones.cards import BackboneCard, BackboneError
from backbones.families.w2v_bert.fbank import BANDS, HOP, WINDOW, fbank_frames, normalised_fbank
from backbones.families.w2v_bert.relative_key_attention import RelativeKeyAttention
from backbones.hub.config_files import read_config
from backbones.nn.fast_dropout import draw_fast

STACKED = 2  # frames of the filter bank that make one of the network's

KNOWN = {
    "add_adapter": False,
    "position_embeddings_type": "relative_key",
    "feature_projection_input_dim": STACKED * BANDS,
}
"""What the path of an utterance rests on here; networks that differ in it are refused."""

OWN_NAMES = {"encoder.layers.": "layers.", "feature_projection.": "feature_projection."}
"""Where transformers' tensors live here; anything else in a checkpoint is not used."""


class W2vBert(Backbone):
    """A filter bank, a projection, then conformer layers that look far back and little ahead.

    Released layers train with their usual dropout; LayerDrop and SpecAugment are not applied.
    """

    minimum_samples = WINDOW + (STACKED - 1) * HOP

    def __init__(self, card: BackboneCard, net: Any) -> None:
        super().__init__()
        config = net.config
        self.card = card
        self.config = BackboneConfig(
            config.hidden_size, config.num_hidden_layers, config.num_attention_heads
        )
        self.feature_projection = net.feature_projection
        self.dropout: nn.Dropout = net.encoder.dropout
        self.layers = net.encoder.layers
        for layer in self.layers:
            layer.self_attn = RelativeKeyAttention(layer.self_attn)
        draw_fast(self)

    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """One frame every 20 ms, once 35 ms of audio are there."""
        return fbank_frames(lengths) // STACKED

    def embed(self, waveforms: Tensor, lengths: Tensor) -> Frames:
        """Two frames of the filter bank side by side, projected; an odd last one is left out."""
        bank = normalised_fbank(waveforms, lengths)
        pairs = bank.shape[1] // STACKED
        stacked = bank[:, : STACKED * pairs].reshape(len(bank), pairs, STACKED * BANDS)
        hidden, _ = self.feature_projection(stacked)
        return Frames(self.dropout(hidden), self.frame_lengths(lengths))

    def run(self, frames: Frames, start: int, stop: int) -> Frames:
        """Conformer layers; only attention could see padding, as their convolution looks back."""
        hidden, mask = frames.values, frames.mask()[:, None, None, :]
        for layer in self.layers[start:stop]:
            hidden = layer(hidden, attention_mask=mask)
        return Frames(hidden, frames.lengths)

    def feature_encoder(self) -> tuple[nn.Module, ...]:
        """The projection of the filter bank: there are no convolutions over the waveform."""
        return (self.feature_projection,)

    def own_name(self, checkpoint_name: str) -> str | None:
        """The name here of transformers' tensor, in a bare network or under a task's head."""
        name = checkpoint_name.removeprefix("wav2vec2_bert.")
        for theirs, ours in OWN_NAMES.items():
            if name.startswith(theirs):
                return ours + name.removeprefix(theirs)
        return None


def read_settings(folder: Path) -> dict[str, object]:
    """The architecture beside a checkpoint."""
    return read_config(folder / "config.json")


def build(card: BackboneCard, settings: Mapping[str, object]) -> W2vBert:
    """The network of `settings`, with the weights its constructor gives it.

    Raises:
        BackboneError: `KNOWN` does not hold.
    """
    from transformers import Wav2Vec2BertConfig, Wav2Vec2BertModel

    for part, known in KNOWN.items():
        if settings.get(part, known) != known:
            raise BackboneError(
                f"{card.name}: {part} is {settings[part]!r}, and only {known!r} is known here"
            )
    return W2vBert(card, Wav2Vec2BertModel(Wav2Vec2BertConfig.from_dict(dict(settings))))
