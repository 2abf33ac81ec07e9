"""Whether two measurements of the same thing agree: `pytest tests/benchmarks/test_costs.py -s`.

Wants an idle machine and about six minutes on two cores.
"""

import pytest
from made_up import make_cost_trial
from tabulate import tabulate

from harness.analysis.noise import spread
from harness.cost.measure import measure_apart
from harness.cost.rounds import pooled
from harness.records.schema import CostRecord
from harness.suite.schema import CostSpec


@pytest.fixture(scope="module")
def twice() -> tuple[CostRecord, CostRecord]:
    cost = CostSpec(durations_s=(3.0,), batch_sizes=(1, 8), infer_steps=20, train_steps=10)
    trial = make_cost_trial("wavlm-base", 1, cost)
    rounds = [measure_apart(trial, "costs", "here", "auto", offline=True) for _ in range(4)]
    assert all(record.status == "ok" for record in rounds), [record.error for record in rounds]
    # what a run would have measured, and the next run after it
    return pooled(rounds[0], rounds[1]), pooled(rounds[2], rounds[3])


def test_measurements_agree_within_the_spread_that_they_state(
    twice: tuple[CostRecord, CostRecord],
) -> None:
    rows, apart = [], []
    for first, second in zip(*(record.points for record in twice), strict=True):
        difference = abs(first.audio_s_per_s / second.audio_s_per_s - 1)
        stated = max(spread(point.samples_s) or 0.0 for point in (first, second))
        rows.append(
            (first.mode, first.batch_size, first.audio_s_per_s, second.audio_s_per_s, stated)
        )
        if difference > stated and not (first.unstable or second.unstable):
            apart.append(rows[-1])
    print()
    print(tabulate(rows, ["mode", "batch", "first s/s", "second s/s", "spread"], floatfmt=".3g"))
    assert not apart
