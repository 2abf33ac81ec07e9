"""The recipe's early stopping: moving average of the metric, and runaway dev loss."""

from statistics import fmean

from hypothesis import given
from hypothesis import strategies as st

from harness.specs import EarlyStoppingSpec
from harness.training.early_stopping import EarlyStopping


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(1, 6))
def test_the_last_best_epoch_has_the_highest_average_of_all(
    metrics: list[float], window: int
) -> None:
    stopping = EarlyStopping(EarlyStoppingSpec(window=window, loss_factor=None))
    verdicts = [stopping.update(metric, 1.0) for metric in metrics]
    averages = [fmean(metrics[max(0, i + 1 - window) : i + 1]) for i in range(len(metrics))]
    best = max(index for index, verdict in enumerate(verdicts) if verdict.is_best)
    assert [verdict.average for verdict in verdicts] == averages
    assert best == averages.index(max(averages))


def test_it_stops_when_dev_loss_passes_the_factor_times_its_minimum() -> None:
    stopping = EarlyStopping(EarlyStoppingSpec(loss_factor=1.05))
    losses = [2.0, 1.0, 1.04, 1.06]
    assert [stopping.update(0.5, loss).stop for loss in losses] == [False, False, False, True]


def test_without_a_factor_it_never_stops() -> None:
    stopping = EarlyStopping(EarlyStoppingSpec(loss_factor=None))
    assert not any(stopping.update(0.5, loss).stop for loss in (1.0, 100.0))
