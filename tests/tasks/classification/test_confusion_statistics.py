"""What the bootstrap adds up gives the scores that a split as a whole has."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tasks.classification.confusion_statistics import (
    confusions_of_utterances,
    scores_of_confusions,
)
from harness.tasks.classification.metrics import score

CLASSES = ["angry", "happy", "sad"]


@given(
    st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1, max_size=30)
)
def test_scores_of_summed_confusions_are_the_metrics(pairs: list[tuple[str, str]]) -> None:
    labels, guesses = zip(*pairs, strict=True)
    frame = pd.DataFrame({"label": labels})
    for name in CLASSES:
        frame[f"p_{name}"] = [float(guess == name) for guess in guesses]
    sums = confusions_of_utterances(frame).sum(0, keepdims=True)
    wanted = score(labels, guesses, CLASSES)
    assert np.array_equal(sums[0].reshape(3, 3), wanted.confusion)
    for metric, values in scores_of_confusions(sums).items():
        assert values[0] == pytest.approx(wanted.value(metric))
