"""The published w2v-BERT 2.0. No torch here."""

from __future__ import annotations

from backbones.cards import BackboneCard

UNLABELLED_SPEECH = ("4.5 million hours of unlabelled speech in over 143 languages",)


def w2v_bert_architecture(dim: int, depth: int, heads: int) -> dict[str, object]:
    """Keyword arguments of transformers' Wav2Vec2BertConfig."""
    return {
        "hidden_size": dim,
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
        "intermediate_size": 4 * dim,
    }


CARDS = (
    BackboneCard(
        "w2v-bert-2.0",
        "w2v-bert",
        1024,
        24,
        parameters=580_492_096,
        licence="MIT",
        huggingface="facebook/w2v-bert-2.0",
        revision="da985ba0987f70aaeb84a80f2851cfac8c697a7b",
        pretrained_on=UNLABELLED_SPEECH,
        architecture=w2v_bert_architecture(1024, 24, 16),
    ),
)
