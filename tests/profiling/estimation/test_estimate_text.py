"""What a user reads of an estimate."""

import json

import pytest

from harness.profiling.estimation.estimate_text import duration_text, table, to_json
from harness.profiling.estimation.forecast import Amount
from harness.profiling.estimation.suite_estimate import Estimate


def estimate(corpus: str = "ravdess", backbone: str = "wavlm-base") -> Estimate:
    return Estimate(corpus, backbone, 72, 5400.0, 14.27e9, Amount(600, 3719, 1_630_000_000))


def test_a_row_says_hours_of_audio_times_and_disk() -> None:
    row = table([estimate()]).splitlines()[2].split("  ")
    assert [field.strip() for field in row if field] == [
        "ravdess", "wavlm-base", "72", "1.50 h", "10 min", "1 h 2 min", "1 h 12 min", "1.63 GB",
        "14.27",
    ]  # fmt: skip


def test_several_are_added_up_and_a_corpus_is_heard_once() -> None:
    lines = table([estimate(), estimate(backbone="hubert-base")]).splitlines()
    assert lines[4].split() == ["all", "144", "1.50", "h", "20", "min", *["2", "h", "4", "min"],
                                *["2", "h", "24", "min"], "3.26", "GB"]  # fmt: skip


def test_one_alone_is_not_added_up() -> None:
    assert "all" not in table([estimate()]).split()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(9.49, "9.5 s"), (59.4, "59 s"), (59.6, "1 min"), (599.6, "10 min"), (3569, "59 min"),
     (3571, "1 h 0 min")],
)  # fmt: skip
def test_times_are_rounded_without_a_sixtieth_second_or_minute(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_the_file_says_which_groups_have_not_run_yet() -> None:
    taken = {("ravdess", "wavlm-base"): Amount(1, 2, 3)}
    kept = json.loads(to_json([estimate(), estimate("emodb")], taken, "here"))
    assert kept["machine"] == "here"
    assert kept["groups"][0]["taken"] == {"extraction_s": 1, "training_s": 2, "frames_bytes": 3}
    assert kept["groups"][1]["taken"] is None
