"""An estimate that another process makes."""

import pytest
from quiet import Quiet

import harness
from harness.data.prepared_corpus import prepare_corpus
from harness.errors import TrialError
from harness.runs.estimating import estimate_apart
from harness.runs.runtime_options import RuntimeOptions


def test_what_keeps_another_process_from_an_estimate_is_told() -> None:
    (trial, *_) = harness.plan("smoke", limit_utterances=16).selected
    corpora = {trial.corpus: prepare_corpus(trial.corpus, trial.limit_utterances, Quiet())}
    with pytest.raises(TrialError, match="UserError: --device tpu"):
        estimate_apart([trial], RuntimeOptions("tpu"), corpora)
