"""Whether two runs of the suite `cost` agree: `pytest tests/benchmarks/test_costs.py -s`.

Wants an idle machine and twenty minutes on two cores. What was measured stays in `$COSTS_FOLDER`,
where that is set, and is not measured again.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tabulate import tabulate

from harness.results.noise import spread
from harness.results.records import WorkloadCost
from harness.results.store import ResultsStore

ROOT = Path(__file__).parents[2]
RUNS = ("first", "second")
MAY_LIE_APART = 0.05
"""Of all points: a spread from the 10th to the 90th percentile leaves some out."""

Place = tuple[str, object, str, float, int]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[Place, WorkloadCost]]:
    folder = Path(os.environ.get("COSTS_FOLDER") or tmp_path_factory.mktemp("costs"))
    return [measured(folder / name) for name in RUNS]


def measured(folder: Path) -> dict[Place, WorkloadCost]:
    command = [sys.executable, "-m", "harness", "run", "cost", "--results", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return {
        (
            cost.trial.backbone.name,
            cost.trial.finetune_layers,
            point.mode,
            point.duration_s,
            point.batch_size,
        ): point
        for cost in ResultsStore(folder / "cost").read_costs()
        for point in cost.points
    }


def test_two_runs_agree_within_the_spread_that_they_state(
    runs: list[dict[Place, WorkloadCost]],
) -> None:
    rows, apart, judged = [], [], 0
    for place, first in runs[0].items():
        second = runs[1][place]
        difference = abs(first.audio_s_per_s / second.audio_s_per_s - 1)
        stated = max(spread(point.samples_s) or 0.0 for point in (first, second))
        unstable = bool(first.unstable or second.unstable)
        judged += not unstable
        if difference > stated and not unstable:
            apart.append(place)
        speeds = first.audio_s_per_s, second.audio_s_per_s
        rows.append((*place, *speeds, difference, stated, "unstable" * unstable))
    names = ("backbone", "layers", "mode", "s", "batch", "first s/s", "second s/s")
    print()
    print(tabulate(rows, [*names, "difference", "stated", ""], floatfmt=".3g"))
    print(f"{judged} of {len(rows)} points stable, {len(apart)} of them apart: {apart}")
    assert judged > len(rows) / 3
    assert len(apart) <= MAY_LIE_APART * judged
