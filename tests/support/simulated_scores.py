"""Made-up outcomes of trials whose true scores are known, to hold intervals and tests to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from harness.results.inference.delete_one import DeleteOne, delete_one_of_sums
from harness.results.inference.difference_tests import PairedDifference, paired_difference
from harness.results.inference.score_intervals import score_interval
from harness.tasks import TASKS
from harness.tasks.task import Floats

CLASSES = 4
EASE = np.array([0.6, 0.2, -0.2, -0.6])
"""What each class adds to the logit of its recall."""
WRONG = np.array(
    [[0.0, 0.5, 0.3, 0.2], [0.2, 0.0, 0.5, 0.3], [0.3, 0.2, 0.0, 0.5], [0.6, 0.2, 0.2, 0.0]]
)
"""Of the wrong answers to a class, the share of each: some classes are guessed more often."""


@dataclass(frozen=True)
class Design:
    """How a row is tested, and what moves its scores; deviations are on the logit scale."""

    speakers: int
    folds: int = 1
    seeds: int = 1
    utterances: int = 40
    """Of a speaker, over all classes."""
    level: float = 0.5
    """The logit of an ordinary recall."""
    by_speaker: float = 0.6
    """Deviation of speakers, shared by all rows."""
    by_class: float = 0.4
    """Deviation of each class of a speaker, of this row alone."""
    by_training: float = 0.0
    """Deviation from one training to the next, half of it for each class apart."""
    unbalanced: bool = False
    """Speakers have from a quarter to four times as many utterances, classes unlike shares."""

    @property
    def shares(self) -> Floats:
        """Of the utterances, those of each class."""
        even = np.full(CLASSES, 1 / CLASSES)
        return np.array([0.4, 0.3, 0.2, 0.1]) if self.unbalanced else even


def draw_row(design: Design, generator: np.random.Generator) -> dict[str, DeleteOne]:
    """One outcome of the trials of a row, by metric."""
    return draw_rows([design], generator)[0]


def draw_rows(designs: list[Design], generator: np.random.Generator) -> list[dict[str, DeleteOne]]:
    """Outcomes of rows on the same utterances of the same speakers."""
    counts = _utterance_counts(designs[0], generator)
    shared = generator.normal(0, designs[0].by_speaker, (designs[0].speakers, 1))
    return [_outcome(design, counts, shared, generator) for design in designs]


def true_scores(design: Design, generator: np.random.Generator) -> dict[str, float]:
    """Over endlessly many speakers and trainings."""
    trainings = 400 if design.by_training else 1
    found: list[dict[str, Floats]] = []
    for _ in range(trainings):
        size = 400_000 // trainings * (5 if trainings > 1 else 1), CLASSES
        effects = generator.normal(0, design.by_speaker, (size[0], 1))
        effects = effects + generator.normal(0, design.by_class, size)
        answers = _answers(design, effects + _training(design, generator))
        mean = (answers * design.shares[:, None]).mean(0)
        found.append(_scores(mean.reshape(1, -1)))
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def coverage(design: Design, draws: int, seed: int) -> dict[str, float]:
    """Of so many 95 % intervals, the share that holds the truth, by metric."""
    generator = np.random.default_rng(seed)
    truth = true_scores(design, generator)
    held = dict.fromkeys(truth, 0)
    for _ in range(draws):
        for metric, score in draw_row(design, generator).items():
            found = score_interval(score, share=True)
            held[metric] += found.low <= truth[metric] <= found.high
    return {metric: count / draws for metric, count in held.items()}


def rejections(
    design: Design, draws: int, seed: int, *, gain: float = 0.0, metric: str = "uar"
) -> float:
    """How often two rows are told apart at 5 % that differ by a gain on the logit scale."""
    tests = drawn_differences(design, draws, seed, gain=gain, metric=metric)
    return float(np.mean([test.p < 0.05 for test in tests]))


def drawn_differences(
    design: Design, draws: int, seed: int, *, gain: float = 0.0, metric: str = "uar"
) -> list[PairedDifference]:
    """Tests of two rows that differ by a gain on the logit scale, of so many draws."""
    generator = np.random.default_rng(seed)
    pair = [replace(design, level=design.level + gain), design]
    drawn = (draw_rows(pair, generator) for _ in range(draws))
    return [paired_difference(one[metric], other[metric]) for one, other in drawn]


def _outcome(
    design: Design, counts: Floats, shared: Floats, generator: np.random.Generator
) -> dict[str, DeleteOne]:
    effects = shared + generator.normal(0, design.by_class, (design.speakers, CLASSES))
    fold_of = np.arange(design.speakers) % design.folds
    parts = [np.where((fold_of == fold)[:, None], counts, 0) for fold in range(design.folds)]
    sums = [
        [
            _confusions(_answers(design, effects + _training(design, generator)), part, generator)
            for _ in range(design.seeds)
        ]
        for part in parts
    ]
    by_fold = [part.sum(1) for part in parts]
    statistics = TASKS["classification"].load().sufficient_statistics
    assert statistics is not None
    return delete_one_of_sums(sums, np.array(by_fold), statistics)


def _answers(design: Design, effects: Floats) -> Floats:
    """The chance of each answer to each class, (…, C, C), from what moves its recall (…, C)."""
    recall = expit(design.level + EASE + effects)[..., None]
    return np.asarray(WRONG * (1 - recall) + np.eye(CLASSES) * recall)


def _training(design: Design, generator: np.random.Generator) -> Floats:
    apart = generator.normal(0, design.by_training / 2, CLASSES)
    return np.asarray(generator.normal(0, design.by_training) + apart)


def _utterance_counts(design: Design, generator: np.random.Generator) -> Floats:
    size = (design.speakers, 1)
    factors = np.exp(generator.uniform(-np.log(4), np.log(4), size) * design.unbalanced)
    return np.maximum(1, np.round(design.utterances * factors * design.shares))


def _confusions(answers: Floats, counts: Floats, generator: np.random.Generator) -> Floats:
    drawn = generator.multinomial(counts.astype(int), answers)
    return np.asarray(drawn.reshape(len(counts), -1), dtype=np.float64)


def _scores(confusions: Floats) -> dict[str, Floats]:
    statistics = TASKS["classification"].load().sufficient_statistics
    assert statistics is not None
    return statistics.scores(confusions)
