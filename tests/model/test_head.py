"""The MLP on top."""

import torch

from harness.model.head import mlp_classifier


def test_each_hidden_layer_is_linear_norm_relu_dropout() -> None:
    parts = [type(part).__name__ for part in mlp_classifier(8, 4, 3, layers=2, dropout=0.5)]
    hidden = ["Linear", "LayerNorm", "ReLU", "StreamDropout"]
    assert parts == ["StreamDropout", *hidden, *hidden, "Linear"]


def test_a_batch_of_vectors_becomes_a_batch_of_logits() -> None:
    assert mlp_classifier(8, 4, 3, layers=1, dropout=0.5)(torch.zeros(5, 8)).shape == (5, 3)
