"""How far scores changed, and how sure that is."""

import pandas as pd
import pytest
from made_up import CLASSES, MadeUpRun
from sklearn.metrics import balanced_accuracy_score

from harness.results.comparison.change import Change
from harness.results.comparison.score_changes import quality_changes
from harness.results.comparison.trial_pairs import pair
from harness.tasks.classification.metrics import score_predictions


def better(run: MadeUpRun, share: float) -> MadeUpRun:
    """The same trials, where a share of the utterances is now recognised for certain."""
    improved = MadeUpRun(trials=run.trials)
    for record in run.records:
        frame = run.saved[record.trial_id].copy()
        right = frame.index % 100 < 100 * share
        for name in CLASSES:
            frame.loc[right, f"p_{name}"] = (frame["label"] == name)[right].astype(float)
        improved.saved[record.trial_id] = frame
        test = score_predictions(frame[frame["split"] == "test"])
        improved.records.append(record.model_copy(update={"metrics": {"test": test}}))
    return improved


def changes(base: MadeUpRun, head: MadeUpRun) -> dict[str, Change]:
    pairs = pair(base.records, head.records).both
    return {c.figure: c for c in quality_changes(pairs, base.predictions, head.predictions)}


def test_a_run_against_itself_changes_nothing(run: MadeUpRun) -> None:
    for change in changes(run, run).values():
        assert change.base == change.head
        assert change.real is not True


def test_the_difference_is_that_of_the_mean_over_folds(run: MadeUpRun) -> None:
    head = better(run, 0.5)
    change = changes(run, head)["uar"]

    def mean(saved: dict[str, pd.DataFrame]) -> float:
        tests = [frame[frame["split"] == "test"] for frame in saved.values()]
        scores = [
            balanced_accuracy_score(
                test["label"], test[[f"p_{n}" for n in CLASSES]].idxmax(axis=1).str[2:]
            )
            for test in tests
        ]
        return sum(scores) / len(scores)

    assert change.difference == pytest.approx(mean(head.saved) - mean(run.saved))
    assert change.what == "ravdess · wavlm-base · 0 layers"


def test_a_large_change_is_real_and_noise_is_not(run: MadeUpRun) -> None:
    better_by = changes(run, better(run, 1.0))["uar"]
    assert better_by.real is True
    assert 0 < better_by.interval.low <= better_by.difference <= better_by.interval.high
    shaken = MadeUpRun(trials=run.trials)
    for record, other in zip(run.records, [*run.records[1:], run.records[0]], strict=True):
        # another trial's luck in place of one's own, on the same utterances
        frame = run.saved[record.trial_id].copy()
        for name in CLASSES:
            column = f"p_{name}"
            luck = run.saved[other.trial_id][column] - 0.4 * (frame["label"] == name)
            frame[column] = luck.to_numpy() + 0.4 * (frame["label"] == name)
        shaken.saved[record.trial_id] = frame
        test = score_predictions(frame[frame["split"] == "test"])
        shaken.records.append(record.model_copy(update={"metrics": {"test": test}}))
    assert changes(run, shaken)["uar"].real is False


def test_of_one_seed_nobody_can_tell_whether_a_change_is_real(run: MadeUpRun) -> None:
    single = MadeUpRun(trials=run.trials, saved=run.saved)
    single.records.extend(r for r in run.records if r.trial.seed == 1)
    found = changes(single, better(single, 1.0))["uar"]
    assert found.real is None
    assert found.interval is not None
    assert found.interval.low > 0
    assert "one seed" in found.noise


def test_p_is_corrected_over_the_rows_of_a_metric(run: MadeUpRun) -> None:
    for trial in list(run.trials):
        run.add(trial.model_copy(update={"finetune_layers": 3}))
    head = better(run, 0.4)
    pairs = pair(run.records, head.records).both
    all_rows = list(quality_changes(pairs, run.predictions, head.predictions))
    first = [p for p in pairs if p.base.trial.backbone.name == "wavlm-base"]
    first = [p for p in first if p.base.trial.finetune_layers == 0]
    (alone,) = [c for c in quality_changes(first, run.predictions, head.predictions)
                if c.figure == "uar"]  # fmt: skip
    among = next(c for c in all_rows if c.what == alone.what and c.figure == "uar")

    def p_of(noise: str) -> float:
        return float(noise.partition("p = ")[2])

    assert p_of(among.noise) > p_of(alone.noise)


def test_without_predictions_the_noise_is_not_known(run: MadeUpRun) -> None:
    head = better(run, 1.0)
    head.saved.clear()
    change = changes(run, head)["uar"]
    assert change.real is None
    assert (change.noise, change.interval) == ("", None)
    assert change.difference > 0
