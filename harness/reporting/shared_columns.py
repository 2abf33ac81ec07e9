"""Columns that more than one table has."""

from __future__ import annotations

from harness.reporting.columns import LAYERS, Column
from harness.reporting.formats import gibibytes, millions, rate

CORPUS = Column("corpus", str, title="Corpus", part="name")
BACKBONE = Column("backbone", str, title="Backbone", part="name")
FINETUNE_LAYERS = Column("finetune_layers", LAYERS, "layers", "Layers", part="name")

TRAINABLE = Column("trainable_parameters", int, "parameters", "Trained M", millions, better="low")
TOTAL = Column("total_parameters", int, "parameters", "Parameters M", millions, better="low")
PEAK_RSS = Column("peak_rss_bytes", int, "bytes", "RSS GiB", gibibytes, better="low")
PEAK_GPU = Column("peak_gpu_bytes", int, "bytes", "GPU GiB", gibibytes, better="low")

TRIAL_SPEEDS = (
    Column("train_audio_s_per_s", float, "audio s/s", "Train s/s", rate, better="high"),
    Column("infer_audio_s_per_s", float, "audio s/s", "Infer s/s", rate, better="high"),
)
"""Of a `TrialCost`, as all that follow."""
TRIAL_PEAKS = (PEAK_GPU, PEAK_RSS)
TRIAL_COST_FACTS = (
    Column("cost_device", str, value=lambda cost: cost.device),
    Column("cost_duration_s", float, "s", value=lambda cost: cost.duration_s),
    Column("cost_batch_size", int, value=lambda cost: cost.batch_size),
)
