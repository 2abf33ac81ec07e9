"""What is predicted does not need to be known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
import torch

import backbones
from harness.data.audio_info import inspect_audio
from harness.data.prepared_corpus import PreparedCorpus, labelled
from harness.data.quality import apply_policy
from harness.data.utterances import Utterance, make_corpus
from harness.model.building import build_model
from harness.specs import HeadSpec, QualitySpec
from harness.tasks import classification
from harness.training.devices import make_accelerator
from harness.training.fit_inputs import AudioInputs
from harness.training.prediction import predict


def test_recordings_without_targets_are_checked_and_predicted_like_any(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * rng.standard_normal(12_000), 16_000)
    nameless = make_corpus("mine", (Utterance(p.stem, p) for p in sorted(tmp_path.glob("*.wav"))))
    audio_info = inspect_audio(nameless, tmp_path / "facts")
    checked, report = apply_policy(nameless, audio_info, QualitySpec())
    assert (report.used, report.problems) == (3, ())

    prepared = PreparedCorpus(checked, tuple(audio_info), report, partial=False)
    unlabelled = labelled(prepared, ("c", "a", "b"))
    named = [replace(u, target="sad") for u in unlabelled.utterances]
    labels = replace(unlabelled, targets=classification.encode(named, ("angry", "sad")))

    backbone = backbones.load("tiny-wavlm", init="random")
    model = build_model(backbone, HeadSpec(head_dim=8), 2, finetune_layers=0, seed=1)
    accelerator = make_accelerator("cpu", "float32")
    found, wanted = (
        predict(model, AudioInputs(split, model, accelerator), 16, accelerator)
        for split in (unlabelled, labels)
    )
    assert torch.equal(found, wanted)
