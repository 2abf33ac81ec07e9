"""Classifiers on one vector an utterance that need no training loop: what a head has to beat.

A probe is fitted for each of a few settings, and dev chooses among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from harness.tasks.task import FittedProbe, Floats

Integers = NDArray[np.int64]

INVERSE_PENALTIES = tuple(10.0**power for power in range(-5, 4))
"""Of logistic regression: scikit-learn's C."""
NEIGHBOURS = (1, 3, 5, 9, 15, 25, 45)
MAX_ITERATIONS = 10_000
GRADIENT_TOLERANCE = 1e-6
LEAST_PROBABILITY = 1e-9
"""Of a class that has no vote."""


def logistic_regression(
    vectors: Floats, targets: Integers, weights: Floats
) -> Iterator[FittedProbe]:
    """Multinomial logistic regression to convergence, for each of `INVERSE_PENALTIES`.

    Args:
        vectors: standardised, (N, P)
        targets: classes by number, (N,)
        weights: what an utterance of each class counts, (C,)
    """
    # with a penalty the coefficients lie in the span of the vectors: N numbers say what P would
    span = np.linalg.qr(vectors.T)[0] if len(vectors) < vectors.shape[1] else None
    inside = vectors if span is None else vectors @ span
    model = LogisticRegression(tol=GRADIENT_TOLERANCE, max_iter=MAX_ITERATIONS, warm_start=True)
    for inverse_penalty in INVERSE_PENALTIES:
        model.set_params(C=inverse_penalty).fit(inside, targets, sample_weight=weights[targets])
        coefficients = model.coef_ if span is None else model.coef_ @ span.T
        values = _linear(coefficients.copy(), model.intercept_.copy(), model.classes_, len(weights))
        yield FittedProbe(f"C = {inverse_penalty:g}", values)


def knn(vectors: Floats, targets: Integers, weights: Floats) -> Iterator[FittedProbe]:
    """The nearest neighbours' votes by 1 / distance, for each of `NEIGHBOURS` that train has.

    Args:
        vectors: standardised, (N, P)
        targets: classes by number, (N,)
        weights: what a vote for each class counts, (C,)
    """
    for neighbours in NEIGHBOURS:
        if neighbours <= len(vectors):
            model = KNeighborsClassifier(neighbours, weights="distance").fit(vectors, targets)
            yield FittedProbe(f"k = {neighbours}", _votes(model, weights))


def _linear(
    coefficients: Floats, intercepts: Floats, known: Integers, classes: int
) -> Callable[[Floats], Floats]:
    if len(known) == 2 and len(coefficients) == 1:  # scikit-learn's binary model has one row
        coefficients = np.vstack([-coefficients / 2, coefficients / 2])
        intercepts = np.concatenate([-intercepts / 2, intercepts / 2])

    def values(vectors: Floats) -> Floats:
        logits = vectors @ coefficients.T + intercepts
        found = np.full((len(vectors), classes), np.log(LEAST_PROBABILITY))
        found[:, known] = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        return found

    return values


def _votes(model: KNeighborsClassifier, weights: Floats) -> Callable[[Floats], Floats]:
    def values(vectors: Floats) -> Floats:
        found = np.zeros((len(vectors), len(weights)))
        found[:, model.classes_] = model.predict_proba(vectors) * weights[model.classes_]
        shares: Floats = found / found.sum(axis=1, keepdims=True)
        return np.log(np.maximum(shares, LEAST_PROBABILITY))

    return values
