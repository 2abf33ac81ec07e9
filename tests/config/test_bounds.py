"""What would take all time or memory is refused before anything is built."""

import time

import pytest

from harness.config.suite_loading import load_suite
from harness.errors import SuiteError

NAME = "needs a name of at most 100 characters, without / and"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("matrix.seed=[9223372036854775808]", "at most 4,294,967,295"),
        ("protocol.folds=1000000000", "at most 100,000 or 'loso'"),
        ("training.epochs=10000000", "at most 100,000"),
        ("head.head_dim=1000000000", "at most 100,000"),
        ("head.head_layers=1000000", "at most 100"),
        ("matrix.finetune_layers=[1000000000]", "at most 10,000"),
        ("cost.durations_s=[1000000000]", "at most 3,600"),
        (f"matrix={{seed: {list(range(1000))}, head_dim: {list(range(1, 1001))}}}", "trials"),
        (
            f"training={{learning_rate: {{head: {{choose: {[1 / n for n in range(1, 40)]}}}}}, "
            f"warmup_share: {{choose: {[n / 40 for n in range(40)]}}}}}",
            "choose: 1,560 combinations, at most 1,000 are possible",
        ),
        ("corpora=[{name: ../../../evil, kind: synthetic}]", NAME),
        ("corpora=[{name: /etc/evil, kind: synthetic}]", NAME),
        ("corpora=[{name: .hidden, kind: synthetic}]", NAME),
        (f"corpora=[{{name: {'x' * 256}, kind: synthetic}}]", NAME),
        ("backbones=[{name: ../evil, kind: hubert, source: somewhere}]", NAME),
        (f"corpora=[{{name: mine, kind: manifest, root: {'x' * 256}}}]", "at most 255 characters"),
        (f"extends={'x' * 300}", "mistake"),
    ],
)
def test_a_suite_beyond_its_bounds_is_told_at_once(change: str, told: str) -> None:
    started = time.monotonic()
    with pytest.raises(SuiteError, match="1 mistake") as caught:
        load_suite("smoke", [change])
    assert told in str(caught.value)
    assert len(str(caught.value)) < 2_000
    assert time.monotonic() - started < 10


def test_names_in_any_script_are_names() -> None:
    (spec,) = load_suite("smoke", ["corpora=[{name: Sprache 2 (käse), kind: synthetic}]"]).corpora
    assert spec.name == "Sprache 2 (käse)"
