"""From what a suite says of backbone and head to the network."""

from __future__ import annotations

import torch

from backbones import load
from backbones.base import Backbone
from backbones.loading import outline
from harness.backbone_card import card_of
from harness.model.ser_model import SERModel
from harness.specs import BackboneSpec, FinetuneLayers, HeadSpec


def load_backbone(spec: BackboneSpec, *, offline: bool) -> Backbone:
    """Load a backbone as the suite names it, its weights verified.

    Raises:
        BackboneError: its weights are not to be had, or not what they should be.
    """
    return load(
        card_of(spec), source=spec.folder, revision=spec.revision, init=spec.init, offline=offline
    )


def outline_backbone(spec: BackboneSpec) -> Backbone:
    """A backbone on the meta device: all of its shapes and no numbers; nothing is fetched.

    Raises:
        BackboneError: it is a user's own network, and its settings are not on this machine.
    """
    return outline(card_of(spec), spec.folder, spec.revision)


def build_model(
    backbone: Backbone, head: HeadSpec, classes: int, finetune_layers: FinetuneLayers, seed: int
) -> SERModel:
    """Put a head, drawn from `seed`, on a backbone and release its top layers."""
    torch.manual_seed(seed)
    return SERModel(
        backbone,
        head.pooling,
        head.head_dim,
        head.hidden_dim,
        classes,
        finetune_layers,
        layers=head.layers,
        head_layers=head.head_layers,
        dropout=head.dropout,
    )
