"""An installed package whose backbone ends its process in the trials of seed 2."""

from pathlib import Path

PLUGIN = """
import os, signal
import torch
from backbones.cards import BackboneCard
from backbones.families.logmel.logmel_network import LogMel

card = BackboneCard("unruly", "unruly_plugin:Unruly", 80, 0, frame_rate_hz=100.0)

class Unruly(LogMel):
    def embed(self, waveforms, lengths):
        if torch.initial_seed() == 2:
            how = os.environ["UNRULY"]
            if how == "exit":
                os._exit(0)
            os.kill(os.getpid(), getattr(signal, how))
        return super().embed(waveforms, lengths)

    @staticmethod
    def build(card, settings):
        return Unruly(card)
"""


def install(folder: Path) -> Path:
    """Where it can be imported from."""
    installed = folder / "unruly_plugin-1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: unruly-plugin\nVersion: 1.0\n"
    )
    entry = "[ser_harness.backbones]\nunruly = unruly_plugin:card\n"
    (installed / "entry_points.txt").write_text(entry)
    (folder / "unruly_plugin.py").write_text(PLUGIN)
    return folder
