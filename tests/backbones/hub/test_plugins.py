import os
import subprocess
import sys
from pathlib import Path

PLUGIN = """
from backbones.cards import BackboneCard

card = BackboneCard("theirs", "plugin:Mel", 80, 0, frame_rate_hz=100.0)
taken = BackboneCard("wavlm-base", "wavlm", 768, 12)
leaving = BackboneCard("leaving", "plugin:Leaving", 80, 0, frame_rate_hz=100.0)
gone = BackboneCard("gone", "gone:Mel", 80, 0, frame_rate_hz=100.0)

class Mel:
    @staticmethod
    def build(card, settings):
        from backbones.families.logmel.logmel_network import build
        return build(card, settings)
"""
LEAVING = """

class Leaving:
    @staticmethod
    def build(card, settings):
        import sys
        sys.exit(0)
"""
ENTRY_POINTS = """[ser_harness.backbones]
theirs = plugin:card
broken = plugin:nothing
taken = plugin:taken
leaving = plugin:leaving
gone = plugin:gone
"""
USER = """
import sys, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import backbones
assert "torch" not in sys.modules
told = [str(warning.message) for warning in caught]
assert len(told) == 2, told
assert "broken" in told[0] and "wavlm-base is a backbone already" in told[1], told
import torch
assert backbones.BACKBONES.card("wavlm-base").huggingface == "microsoft/wavlm-base"
for name in ("leaving", "gone"):
    try:
        backbones.load(name)
    except backbones.BackboneError as error:
        assert name in str(error) and "SystemExit(0)" in str(error), error
    else:
        raise AssertionError(name)
assert backbones.load("theirs")(torch.randn(1, 8000)).last_hidden_state.shape[2] == 80
print("came to its end")
"""


def test_an_installed_package_offers_a_backbone(tmp_path: Path) -> None:
    installed = tmp_path / "plugin-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(ENTRY_POINTS)
    (tmp_path / "plugin.py").write_text(PLUGIN + LEAVING)
    (tmp_path / "gone.py").write_text("import sys; sys.exit(0)")
    here = str(Path(__file__).parents[3])
    paths = os.pathsep.join([str(tmp_path), here])
    done = subprocess.run(
        [sys.executable, "-c", USER],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "came to its end\n"  # and was not ended with 0 by a plug-in
