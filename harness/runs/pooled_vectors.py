"""Mean and deviation of each recording's frames at the top of a frozen backbone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from accelerate import Accelerator

from backbones.base import Backbone
from harness.cache.extraction import BATCH_SECONDS
from harness.cache.frame_store import StoredFrames
from harness.cache.frame_summaries import summarise
from harness.data.batches import LabelledSplit, bucketed, stream
from harness.tasks.task import Floats


def kept_vectors(kept: StoredFrames, sounds: Sequence[str]) -> Floats:
    """Of summaries that are kept.

    Shape:
        output: (N, 2·D), the means and then the deviations
    """
    return np.stack([_vector(kept.frames[sound].double().cpu().numpy()) for sound in sounds])


def computed_vectors(
    backbone: Backbone, split: LabelledSplit, accelerator: Accelerator
) -> Mapping[str, Floats]:
    """Of recordings, by utterance, in one pass over them; the backbone is put on the device.

    Shape:
        output: (2·D,) each
    """
    backbone.finetune(0).eval().to(accelerator.device)
    top = len(backbone.layers)
    found: dict[str, Floats] = {}
    with torch.inference_mode():
        for batch in stream(split, bucketed(split.durations_s, BATCH_SECONDS)):
            moved = batch.to(accelerator.device)
            with accelerator.autocast():
                state = backbone.states(moved.waveforms, moved.lengths, {top})[top]
            rows = summarise(state, "statistics").values.double().cpu().numpy()
            for index, summary in zip(batch.indices, rows, strict=True):
                found[split.utterances[index].utterance_id] = _vector(summary)
    return found


def _vector(summary: Floats) -> Floats:
    """From one deviation above the mean and one below it, (2, D), to both, (2·D,)."""
    above, below = summary
    vector: Floats = np.concatenate([(above + below) / 2, (above - below) / 2])
    return vector
