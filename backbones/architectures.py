"""The shapes of the published networks, in the words of their libraries' configs. No torch."""

from __future__ import annotations

CONVOLUTIONS = ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2))
"""Kernel and stride of wav2vec 2.0's feature encoder, which all but Whisper share."""


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


def whisper_architecture(dim: int, depth: int, mel_bins: int = 80) -> dict[str, object]:
    """Keyword arguments of transformers' WhisperConfig that shape the encoder."""
    return {
        "d_model": dim,
        "encoder_layers": depth,
        "encoder_attention_heads": dim // 64,
        "encoder_ffn_dim": 4 * dim,
        "num_mel_bins": mel_bins,
    }


def w2v_bert_architecture(dim: int, depth: int, heads: int) -> dict[str, object]:
    """Keyword arguments of transformers' Wav2Vec2BertConfig."""
    return {
        "hidden_size": dim,
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
        "intermediate_size": 4 * dim,
    }


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
