"""How often intervals hold the truth and tests are wrong, on made-up trials of known scores.

    python tests/benchmarks/simulate_statistics.py --draws 2000

Prints the tables of docs/statistics.md: a quarter of an hour on one core.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from simulated_scores import Design, coverage, drawn_differences, rejections

DESIGNS = [(4, 1), (4, 2), (6, 1), (6, 3), (10, 1), (10, 5), (24, 1), (24, 6), (100, 1), (100, 5)]
"""Speakers and folds."""
KINDS = {
    "1 seed": Design(0),
    "1 seed, uneven": Design(0, unbalanced=True),
    "2 seeds, noise": Design(0, seeds=2, by_training=0.3),
    "3 seeds, noise, uneven": Design(0, seeds=3, by_training=0.3, unbalanced=True),
}
GAIN = 0.5
"""What one row gains on the logit scale in the table of power."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    draws = parser.parse_args().draws
    print("## 95 % intervals that hold the truth, in %: UAR / macro-F1\n")
    _table(_coverages(draws))
    print("\n## Equal rows that are told apart at 5 %, in %: UAR / macro-F1\n")
    _table(_errors(draws))
    print(f"\n## Rows that differ by {GAIN} on the logit scale: found, in %\n")
    _table(_powers(draws // 4))


def _table(rows: Iterator[dict[str, object]]) -> None:
    print(tabulate(list(rows), headers="keys", tablefmt="pipe"), flush=True)


def _designs() -> Iterator[tuple[dict[str, object], dict[str, Design]]]:
    for speakers, folds in DESIGNS:
        kinds = {n: replace(k, speakers=speakers, folds=folds) for n, k in KINDS.items()}
        yield {"Speakers": speakers, "Folds": folds}, kinds


def _coverages(draws: int) -> Iterator[dict[str, object]]:
    for row, kinds in _designs():
        found = {name: coverage(design, draws, seed=1) for name, design in kinds.items()}
        yield row | {
            n: f"{100 * c['uar']:.1f} / {100 * c['macro_f1']:.1f}" for n, c in found.items()
        }


def _errors(draws: int) -> Iterator[dict[str, object]]:
    for row, kinds in _designs():
        shares = {
            name: [100 * rejections(design, draws, 2, metric=m) for m in ("uar", "macro_f1")]
            for name, design in kinds.items()
        }
        yield row | {name: f"{uar:.1f} / {f1:.1f}" for name, (uar, f1) in shares.items()}


def _powers(draws: int) -> Iterator[dict[str, object]]:
    for row, kinds in _designs():
        tests = drawn_differences(kinds["1 seed"], draws, 3, gain=GAIN)
        yield row | {
            "Difference": f"{100 * np.mean([test.difference for test in tests]):.1f}",
            "Detects": f"{100 * np.mean([test.detectable for test in tests]):.1f}",
            "Found": f"{100 * np.mean([test.p < 0.05 for test in tests]):.0f}",
            "Sign flips": _share([test.sign_flip_p for test in tests]),
        }


def _share(chances: list[float | None]) -> str:
    known = [p for p in chances if p is not None]
    return f"{100 * np.mean([p < 0.05 for p in known]):.0f}" if known else "–"


if __name__ == "__main__":
    main()
