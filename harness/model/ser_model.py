"""A backbone with pooling and a classifier on top: the network that is trained and scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor, nn

import backbones
from backbones.base import Backbone, Frames
from backbones.nn.padding import lengths_from_mask
from harness.errors import UserError
from harness.model.components import POOLINGS, pooling_name
from harness.model.head import FramePooling, Head, LayerSum, mlp_classifier
from harness.model.standardise import Standardise


class SERModel(nn.Module):
    """Waveforms to emotion logits.

    Args:
        ssl_type: a backbone's name, in any form users write it, or a loaded backbone
        pooling_type: a pooling's name; the old class names are understood
        head_dim: width of the classifier's hidden layers
        hidden_dim: width of the pooling attention; None takes the backbone's hidden size
        classifier_output_dim: number of classes C
        finetune_layers: top transformer layers that train
        layers: "weighted_sum" takes a learned sum of all hidden states instead of the last
            (Yang et al. 2021, SUPERB), for a frozen backbone
        head_layers: hidden layers of the classifier
        dropout: in the classifier
        init: "random" builds the backbone without its pretrained weights
    """

    def __init__(
        self,
        ssl_type: str | Backbone,
        pooling_type: str,
        head_dim: int,
        hidden_dim: int | None,
        classifier_output_dim: int,
        finetune_layers: int | Literal["all"] = 0,
        *,
        layers: Literal["last", "weighted_sum"] = "last",
        head_layers: int = 1,
        dropout: float = 0.5,
        init: Literal["pretrained", "random"] = "pretrained",
    ) -> None:
        super().__init__()
        self.backbone: Backbone = (
            backbones.load(ssl_type, init=init) if isinstance(ssl_type, str) else ssl_type
        )
        self.backbone.finetune(finetune_layers)
        self.layer_sum = None
        if layers == "weighted_sum":
            if self.backbone.finetune_layers > 0:
                raise UserError("a weighted sum of layers is for a frozen backbone, 0 layers")
            self.layer_sum = LayerSum(len(self.backbone.layers) + 1)
        width = self.backbone.config.hidden_size
        self.frame_scales = nn.ModuleList(Standardise(width) for _ in self.depths)
        self.pooling = POOLINGS[pooling_name(pooling_type)].load()(width, hidden_dim or width)
        self.pooled_scale = Standardise(self.pooling.output_dim)
        self.classifier = mlp_classifier(
            self.pooling.output_dim,
            head_dim,
            classifier_output_dim,
            layers=head_layers,
            dropout=dropout,
        )

    def forward(self, input_values: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Class logits of a batch of waveforms.

        Shape:
            input_values: (B, S), 16 kHz
            attention_mask: (B, S), nonzero where a sample is real
            output: (B, C), float32
        """
        return self.logits(input_values, lengths_from_mask(input_values, attention_mask))

    def logits(self, waveforms: Tensor, lengths: Tensor) -> Tensor:
        """As `forward`, with lengths (B,) in samples instead of a mask."""
        return self.suffix(self.prefix(waveforms, lengths))

    @property
    def depths(self) -> tuple[int, ...]:
        """Depths of the backbone whose frames the trained part starts from."""
        top = len(self.backbone.layers)
        if self.layer_sum is not None:
            return tuple(range(top + 1))
        return (top - self.backbone.finetune_layers,)

    def prefix(self, waveforms: Tensor, lengths: Tensor) -> tuple[Frames, ...]:
        """What training never changes: the frames at `depths`, without a graph."""
        found = self.backbone.states(waveforms, lengths, self.depths)
        return self.start([found[depth] for depth in self.depths])

    def start(self, states: Sequence[Frames]) -> tuple[Frames, ...]:
        """What `suffix` takes, from frames as the backbone gives them at `depths`."""
        if self.layer_sum is None:
            return tuple(states)
        *below, last = states
        return (*map(self.backbone.speech, below), last)

    def suffix(self, states: Sequence[Frames]) -> Tensor:
        """Class logits from the top of the prefix: what training changes.

        Shape:
            output: (B, C), float32
        """
        outputs: Tensor = self.head(*self.head_inputs(states))
        return outputs

    def head_inputs(self, states: Sequence[Frames]) -> tuple[list[Tensor], Tensor]:
        """What the head takes, from the top of the prefix: frames, and where they are real.

        Shape:
            output: (B, F, D) for each state, and (B, F)
        """
        released, top = self.backbone.finetune_layers, len(self.backbone.layers)
        if released > 0:
            states = [self.backbone.finish(self.backbone.run(states[0], top - released, top))]
        return [state.values for state in states], states[-1].mask()

    @cached_property
    def head(self) -> Head:
        """What is trained on top of the backbone, sharing this model's tensors."""
        scales = [scale for scale in self.frame_scales if isinstance(scale, Standardise)]
        pooling = FramePooling(scales, self.layer_sum, self.pooling, self.pooled_scale)
        return Head(pooling, self.classifier)

    def head_parameters(self) -> list[nn.Parameter]:
        """Parameters of the layer sum, pooling and classifier."""
        parts = (self.layer_sum, self.pooling, self.classifier)
        return [parameter for part in parts if part is not None for parameter in part.parameters()]

    def trainable_parameters(self) -> int:
        """How many numbers the optimiser changes: the head and the released layers."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    def total_parameters(self) -> int:
        """How many numbers there are in backbone and head."""
        return sum(p.numel() for p in self.parameters())

    def trained_state(self) -> dict[str, Tensor]:
        """Copies, on the CPU, of the tensors that training may set, and only those."""
        return {name: tensor.detach().cpu().clone() for name, tensor in self._trained().items()}

    def load_trained_state(self, state: Mapping[str, Tensor]) -> None:
        """Put back what `trained_state` gave; every tensor must fit.

        Raises:
            UserError: names or shapes differ from this model's trainable tensors.
        """
        own = self._trained()
        wrong = sorted(own.keys() ^ state.keys()) or sorted(
            name for name, tensor in own.items() if tensor.shape != state[name].shape
        )
        if wrong:
            raise UserError(f"the saved model does not fit this trial: {', '.join(wrong[:5])}")
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(state[name])

    def _trained(self) -> dict[str, Tensor]:
        """What an optimiser changes, and what the head standardises by."""
        parameters = {name: p for name, p in self.named_parameters() if p.requires_grad}
        return parameters | {
            f"{name}.{part}": tensor
            for name, module in self.named_modules()
            if isinstance(module, Standardise)
            for part, tensor in module.named_buffers()
        }
