"""The published emotion2vec networks, and a tiny one. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backbones.cards import BackboneCard
from backbones.nn.feature_encoder import CONVOLUTIONS

EMOTION_SPEECH = ("IEMOCAP", "MELD", "CMU-MOSEI", "MEAD", "MSP-Podcast")
EMOBOX = ("EmoBox",)
"""Its academic corpora: plus_seed was tuned on their labels, and guessed those of the other two."""


def emotion2vec_architecture(
    dim: int, heads: int, main: int = 8, prenet: int = 4, channels: int = 512, groups: int = 16
) -> dict[str, object]:
    """FunASR's model_conf, as far as the path of an utterance depends on it."""
    convolutions = ", ".join(f"({channels}, {width}, {stride})" for width, stride in CONVOLUTIONS)
    audio = {
        "feature_encoder_spec": f"[{convolutions}]",
        "extractor_mode": "layer_norm",
        "local_grad_mult": 1.0,
        "conv_pos_depth": 5,
        "conv_pos_width": 95,
        "conv_pos_groups": groups,
        "conv_pos_pre_ln": False,
        "num_extra_tokens": 10,
        "init_extra_token_zero": True,
        "prenet_depth": prenet,
        "model_depth": main,
        "prenet_layerdrop": 0.05,
        "prenet_dropout": 0.1,
        "start_drop_path_rate": 0.0,
        "end_drop_path_rate": 0.0,
        "use_alibi_encoder": True,
        "num_alibi_heads": heads,
        "alibi_scale": 1.0,
        "learned_alibi": False,
        "learned_alibi_scale": True,
        "learned_alibi_scale_per_head": True,
        "learned_alibi_scale_per_layer": False,
    }
    return {
        "embed_dim": dim,
        "num_heads": heads,
        "depth": main,
        "mlp_ratio": 4.0,
        "layer_norm_first": False,
        "end_of_block_targets": False,
        "norm_eps": 1e-5,
        "norm_affine": True,
        "encoder_dropout": 0.1,
        "attention_dropout": 0.1,
        "activation_dropout": 0.0,
        "post_mlp_drop": 0.1,
        "dropout_input": 0.0,
        "start_drop_path_rate": 0.0,
        "end_drop_path_rate": 0.0,
        "layerdrop": 0.05,
        "normalize": True,
        "modalities": {"audio": audio},
    }


def emotion2vec_shape(model_conf: Mapping[str, Any]) -> tuple[int, int]:
    """Hidden size, and how many blocks an utterance crosses: the prenet's and the main ones."""
    prenet = int(model_conf["modalities"]["audio"]["prenet_depth"])
    return int(model_conf["embed_dim"]), int(model_conf["depth"]) + prenet


def _card(
    name: str,
    labels: tuple[str, ...] = (),
    guessed: tuple[str, ...] = (),
    dim: int = 768,
    parameters: int = 93_171_212,
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
        pseudo_labels_of=guessed,
        architecture=emotion2vec_architecture(dim, heads=dim // 64),
    )


CARDS = (
    _card("emotion2vec_base"),
    _card("emotion2vec_plus_seed", labels=EMOBOX),
    _card("emotion2vec_plus_base", guessed=EMOBOX),
    _card("emotion2vec_plus_large", guessed=EMOBOX, dim=1024, parameters=162_130_960),
    BackboneCard(
        "tiny-emotion2vec",
        "emotion2vec",
        64,
        4,
        always_random=True,
        architecture=emotion2vec_architecture(64, 4, main=2, prenet=2, channels=32, groups=4),
    ),
)
