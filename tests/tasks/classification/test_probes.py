"""Probes, held against scikit-learn fitted the plain way."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from harness.tasks.classification.probes import knn, logistic_regression

EVEN = np.ones(3)


def made_up(width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    targets = np.arange(36) % 3
    vectors = generator.standard_normal((36, width)) + 0.5 * targets[:, None]
    return vectors, targets, generator.standard_normal((8, width))


@pytest.mark.parametrize("width", [4, 90])
def test_logistic_regression_is_scikit_learns_with_more_numbers_than_vectors_too(
    width: int,
) -> None:
    vectors, targets, unseen = made_up(width)
    weights = np.array([0.5, 1.0, 3.0])
    for fitted in logistic_regression(vectors, targets, weights):
        penalty = float(fitted.setting.removeprefix("C = "))
        if penalty > 1:
            continue  # what is separable hardly has an optimum
        plain = LogisticRegression(
            C=penalty, class_weight=dict(enumerate(weights)), tol=1e-9, max_iter=100_000
        ).fit(vectors, targets)
        expected = plain.predict_log_proba(unseen)
        np.testing.assert_allclose(fitted.values(unseen), expected, atol=1e-3)


def test_two_classes_are_scikit_learns_as_well() -> None:
    vectors, targets, unseen = made_up(5)
    targets = targets % 2
    plain = LogisticRegression(C=0.01).fit(vectors, targets)
    fitted = next(
        each
        for each in logistic_regression(vectors, targets, np.ones(2))
        if each.setting == "C = 0.01"
    )
    np.testing.assert_allclose(fitted.values(unseen), plain.predict_log_proba(unseen), atol=0.01)


def test_neighbours_vote_as_in_scikit_learn() -> None:
    vectors, targets, unseen = made_up(4)
    for fitted in knn(vectors, targets, EVEN):
        count = int(fitted.setting.removeprefix("k = "))
        plain = KNeighborsClassifier(count, weights="distance").fit(vectors, targets)
        found = np.exp(fitted.values(unseen))
        np.testing.assert_allclose(found, plain.predict_proba(unseen), atol=1e-8)


def test_there_are_no_more_neighbours_than_train_has() -> None:
    vectors, targets, _ = made_up(4)
    assert [fitted.setting for fitted in knn(vectors[:4], targets[:4], EVEN)] == ["k = 1", "k = 3"]


def test_a_class_that_train_lacks_is_never_predicted() -> None:
    vectors, targets, unseen = made_up(4)
    some = targets < 2
    for kind in (logistic_regression, knn):
        for fitted in kind(vectors[some], targets[some], EVEN):
            assert fitted.values(unseen).argmax(axis=1).max() < 2
