"""What classification asks of a corpus, and how class numbers and names belong together."""

from pathlib import Path

import pandas as pd
import pytest

from harness.data.utterances import Corpus, Utterance, make_corpus
from harness.errors import CorpusError, UserError
from harness.tasks import classification


def corpus_of(*classes: str) -> Corpus:
    return make_corpus("made", (Utterance(name, Path("a.wav"), name) for name in classes))


def test_one_class_is_not_enough() -> None:
    with pytest.raises(CorpusError, match="at least two classes are needed, found: angry"):
        classification.outputs(corpus_of("angry"))
    with pytest.raises(CorpusError, match="found: none"):
        classification.outputs(corpus_of())


def test_classes_that_an_excerpt_lacks_keep_their_numbers() -> None:
    few = corpus_of("angry", "happy", "sad").where(lambda u: u.target != "happy")
    outputs = classification.outputs(few)
    assert outputs == ("angry", "happy", "sad")
    assert classification.encode(few.utterances, outputs) == (0, 2)


def test_a_network_chooses_between_the_classes_of_another_corpus() -> None:
    known = ("angry", "happy", "sad")
    assert classification.shared_outputs(known, corpus_of("sad", "angry")) == ("angry", "sad")
    with pytest.raises(UserError, match="made also has bored: map them"):
        classification.shared_outputs(known, corpus_of("sad", "bored"))


def test_weights_of_the_loss_come_from_the_class_counts_of_train() -> None:
    loss = classification.make_loss("weighted_cross_entropy", (0, 0, 0, 1), ("angry", "sad"))
    assert loss.state_dict()["weight"].tolist() == pytest.approx([4 / 6, 2])


def test_classes_are_grouped_by_their_frequency_in_train() -> None:
    frame = pd.DataFrame({"label": ["angry", "sad"], "p_angry": [1.0, 1.0], "p_sad": [0.0, 0.0]})
    found = classification.score(frame, (0, 0, 0, 1))
    assert (found.accuracy_frequent, found.accuracy_rare) == (1.0, 0.0)
    assert classification.score(frame).accuracy_frequent is None
