"""The declared versions of the parts that decide numbers. No torch here.

A part whose numbers change has its version raised by one, here or on its entry in the table of
readers, poolings, losses, tasks or families; whatever rests on that part is then computed anew, and
nothing else. `tests/results/test_pins.py` holds each part to pinned numbers, so that none can be
forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping

VERSIONS: Mapping[str, int] = {
    "decoding": 1,  # data.audio: decoding, downmixing and resampling
    "quality": 1,  # data.quality and data.audio_info: which recordings are faulty
    "labels": 1,  # data.label_mapping: from a corpus's labels to classes
    "subset": 1,  # data.subset: which utterances --limit-utterances takes
    "splits": 2,  # data.splits: folds, dev and their balance; their digest says what they are
    "batching": 1,  # data.batches: buckets, their order, crops and padding
    "head": 2,  # model.head, what it standardises by, and the order in which heads are drawn
    "optimiser": 1,  # training.optimisation: groups, schedule and the step
    "training": 2,  # training.fit, its state, early stopping and the epoch that is kept
    "probe": 1,  # tasks.*.probes and runs.probing: heads without a training loop
    "evaluation": 1,  # training.prediction, and the order of what is predicted
    "frames": 1,  # cache: extraction of kept frames and their summaries
    "cost": 1,  # profiling: what is measured and how, and how fast the measured code is
}

PACKAGES = ("accelerate", "numpy", "scikit-learn", "soundfile", "soxr", "torch")
"""Distributions that decide a trial's numbers beside those of its backbone's family."""

FRAME_PACKAGES = ("numpy", "soundfile", "soxr", "torch")
"""Those that decide what kept frames are."""
