"""Which epoch is kept and when training stops: over full windows, and as the common recipe does."""

from statistics import fmean

from hypothesis import given
from hypothesis import strategies as st

from harness.specs import EarlyStoppingSpec
from harness.training.early_stopping import EarlyStopping

many_metrics = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def classic(**settings: object) -> EarlyStopping:
    spec = EarlyStoppingSpec.model_validate({"rule": "classic", **settings})
    return EarlyStopping(spec, epochs=20)


@given(many_metrics, st.integers(1, 6))
def test_the_last_best_epoch_has_the_highest_average_of_all(
    metrics: list[float], window: int
) -> None:
    stopping = classic(window=window)
    verdicts = [stopping.update(metric, 1.0) for metric in metrics]
    averages = [fmean(metrics[max(0, i + 1 - window) : i + 1]) for i in range(len(metrics))]
    best = max(index for index, verdict in enumerate(verdicts) if verdict.is_best)
    assert [verdict.average for verdict in verdicts] == averages
    assert best == averages.index(max(averages))


@given(many_metrics, st.integers(1, 6))
def test_only_averages_over_a_full_window_compete(metrics: list[float], window: int) -> None:
    epochs = len(metrics)
    stopping = EarlyStopping(EarlyStoppingSpec(window=window), epochs)
    best = max(i for i, each in enumerate(metrics) if stopping.update(each, 1.0).is_best)
    first = min(window, epochs) - 1
    averages = [fmean(metrics[max(0, i + 1 - window) : i + 1]) for i in range(epochs)]
    assert best == first + averages[first:].index(max(averages[first:]))


def test_a_lucky_first_epoch_does_not_beat_a_steady_rise() -> None:
    metrics = [0.9, 0.3, 0.4, 0.5, 0.6, 0.7]
    full = EarlyStopping(EarlyStoppingSpec(window=3), epochs=6)
    kept = [full.update(metric, 1.0).is_best for metric in metrics]
    assert kept == [False, False, True, False, False, True]
    common = classic(window=3)
    assert [common.update(metric, 1.0).is_best for metric in metrics] == [True] + [False] * 5


def test_it_stops_when_dev_loss_passes_the_factor_times_its_minimum() -> None:
    stopping = classic(loss_factor=1.05)
    losses = [2.0, 1.0, 1.04, 1.06]
    assert [stopping.update(0.5, loss).stop for loss in losses] == [False, False, False, True]


def test_the_classic_rule_has_its_factor_unless_told_another() -> None:
    assert classic().spec.loss_factor == 1.05
    assert classic(loss_factor=2).spec.loss_factor == 2


def test_losses_that_fall_during_warm_up_do_not_stop_on_one_that_rises() -> None:
    losses = [2.08, 1.70, 1.55, 1.64, 1.5, 1.4]
    stopping = EarlyStopping(EarlyStoppingSpec(window=3, loss_factor=1.05), epochs=30)
    assert not any(stopping.update(0.5, loss).stop for loss in losses)
    common = classic(loss_factor=1.05)
    assert [common.update(0.5, loss).stop for loss in losses].index(True) == 3


def test_averages_of_dev_loss_that_keep_rising_stop() -> None:
    stopping = EarlyStopping(EarlyStoppingSpec(window=2, loss_factor=1.05), epochs=30)
    losses = [1.0, 1.0, 1.0, 1.2, 1.3]
    assert [stopping.update(0.5, loss).stop for loss in losses] == [False] * 3 + [True] * 2


def test_without_a_factor_it_never_stops() -> None:
    stopping = EarlyStopping(EarlyStoppingSpec(loss_factor=None), epochs=30)
    assert not any(stopping.update(0.5, loss).stop for loss in (1.0, 100.0))
