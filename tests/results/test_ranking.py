"""Which rows are better than which others: planted effects are found, and planted nulls not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from simulated_scores import Design, draw_rows

from harness.errors import UserError
from harness.results.group_scores import GroupScore
from harness.results.inference.delete_one import DeleteOne
from harness.results.inference.score_intervals import score_interval
from harness.results.ranking import MOST_ROWS, Contender, Ranking, rank, rank_over_corpora
from harness.tasks import TASKS

UAR = TASKS["classification"].metric("uar")


def contender(name: str, evidence: DeleteOne | None, **more: Any) -> Contender:
    if evidence is None:
        return Contender(name, GroupScore(0.5, None, None), None, **more)
    score = GroupScore(evidence.whole, None, None, score_interval(evidence, share=True), evidence)
    return Contender(name, score, more.pop("dev_score", evidence.whole), **more)


def drawn(levels: dict[str, float], *, seed: int = 0, **design: Any) -> dict[str, DeleteOne]:
    base = Design(**{"speakers": 24, "folds": 6, "seeds": 2, "by_training": 0.1} | design)
    rows = draw_rows([replace(base, level=one) for one in levels.values()],
                     np.random.default_rng(seed))  # fmt: skip
    return {name: row["uar"] for name, row in zip(levels, rows, strict=True)}


def ranked(levels: dict[str, float], **design: Any) -> Ranking:
    contenders = [contender(name, one) for name, one in drawn(levels, **design).items()]
    return rank("ravdess", "classification", UAR, contenders)


def test_a_planted_effect_is_found_and_a_planted_null_is_not() -> None:
    found = ranked({"worse": -0.6, "same": 0.5, "also same": 0.5, "best": 1.6}, utterances=120)
    assert [row.name for row in found.rows][0::3] == ["best", "worse"]
    groups = {row.name: row.group for row in found.rows}
    assert groups == {"best": "a", "same": "b", "also same": "b", "worse": "c"}
    verdicts = {frozenset((pair.one, pair.other)): pair.verdict for pair in found.pairs}
    assert verdicts.pop(frozenset(("same", "also same"))) in ("unsure", "alike")
    assert set(verdicts.values()) == {"better"}
    assert found.larger is None
    assert found.rows[0].best > 0.99
    assert (found.rows[0].first, found.rows[0].last) == (1, 1)


def test_nothing_is_found_among_equals_in_nineteen_of_twenty_tables() -> None:
    """Of six equal rows any pair may be told apart: Holm holds that at 5 %."""
    tables = [ranked({f"row {n}": 0.5 for n in range(6)}, seed=seed) for seed in range(60)]
    wrong = sum(any(pair.verdict == "better" for pair in found.pairs) for found in tables)
    assert wrong <= 8  # more than that in 1 of 200 runs, if it were 5 %


def test_p_is_corrected_over_all_pairs() -> None:
    found = ranked({"one": 0.9, "two": 0.6, "three": 0.4})
    for pair in found.pairs:
        assert pair.p >= pair.test.p
    assert max(pair.p / pair.test.p for pair in found.pairs if pair.p < 1) > 2.5


def test_equal_predictions_are_alike() -> None:
    one = drawn({"one": 0.5})["one"]
    found = rank("ravdess", "classification", UAR, [contender("a", one), contender("b", one)])
    assert found.pairs[0].verdict == "alike"
    assert [row.group for row in found.rows] == ["a", "a"]


def test_with_one_seed_nobody_can_tell() -> None:
    found = ranked({"worse": -1.0, "better": 2.0}, seeds=1, by_training=0.0)
    assert found.pairs[0].verdict == "one seed"
    assert found.pairs[0].test.p < 0.001
    assert [row.group for row in found.rows] == ["?", "?"]


def test_rows_of_other_folds_and_half_rows_stand_beside_no_other() -> None:
    rows = drawn({"one": 0.5, "two": 0.6})
    other = replace(drawn({"x": 0.5}, folds=3)["x"], tested="other folds")
    found = rank(
        "ravdess",
        "classification",
        UAR,
        [
            *(contender(name, one) for name, one in rows.items()),
            contender("elsewhere", other),
            contender("half", rows["one"], incomplete=True),
            contender("without speakers", None),
            Contender("failed", None, None),
        ],
    )
    assert {row.name for row in found.rows} == {"one", "two"}
    reasons = dict(found.left_out)
    assert list(reasons) == ["elsewhere", "half", "without speakers", "failed"]
    assert "other folds" in reasons["elsewhere"]
    assert "missing" in reasons["half"]
    assert "not known" in reasons["without speakers"]


def test_of_very_many_rows_those_are_ranked_that_do_best_on_dev() -> None:
    evidence = drawn({"row": 0.5}, speakers=4, folds=1)["row"]
    found = rank(
        "ravdess",
        "classification",
        UAR,
        [contender(f"row {n}", evidence, dev_score=n / 100) for n in range(MOST_ROWS + 2)],
    )
    assert len(found.rows) == MOST_ROWS
    assert [name for name, _ in found.left_out] == ["row 1", "row 0"]


def test_one_row_has_no_other_to_stand_beside() -> None:
    found = ranked({"alone": 0.5})
    assert found.rows == ()
    assert found.left_out == (("alone", "there is no other row to set it beside"),)
    assert found.chosen is None


def test_dev_chooses_and_not_test() -> None:
    rows = drawn({"lucky": 0.9, "chosen": 0.6})
    contenders = [
        contender("lucky", rows["lucky"], dev_score=0.4),
        contender("chosen", rows["chosen"], dev_score=0.5),
    ]
    found = rank("ravdess", "classification", UAR, contenders)
    assert found.rows[0].name == "lucky"
    assert found.chosen is not None
    assert found.chosen.name == "chosen"
    assert found.optimism > 0


def test_it_says_what_would_tell_the_first_two_apart() -> None:
    found = ranked({"one": 0.56, "two": 0.5}, speakers=6, folds=3)
    assert found.pairs[0].verdict == "unsure"
    assert found.larger is not None
    assert found.larger.speakers is None or found.larger.speakers > 6


def test_rows_are_ranked_over_five_corpora() -> None:
    levels = {"worst": -0.5, "middle": 0.5, "best": 1.5}
    rankings = [replace(ranked(levels, seed=n), corpus=f"corpus {n}") for n in range(5)]
    assert list(rank_over_corpora(rankings).ranks) == ["best", "middle", "worst"]
    with pytest.raises(UserError, match="5 corpora or more"):
        rank_over_corpora(rankings[:4])
    with pytest.raises(UserError, match="several of these results rank corpus 1:"):
        rank_over_corpora([*rankings, rankings[1]])
