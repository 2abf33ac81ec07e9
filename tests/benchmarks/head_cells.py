"""Trained heads against probes on the same frames, for three networks on two corpora.

    python tests/benchmarks/head_cells.py --emodb FOLDER --ravdess FOLDER --whisper FOLDER

Whole corpora, and three subsets of 400 utterances of each; two seeds; the shipped defaults. It
takes about two hours on two cores and goes on where it stopped, since the results are kept.
"""

import argparse
import csv
import os
from collections import defaultdict
from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import yaml
from tabulate import tabulate

import harness
from harness.data.corpus_reading import read_corpus
from harness.results.records import Record
from harness.results.store import open_results
from harness.specs import CorpusSpec

SUBSETS = {1: "a", 2: "b", 3: "c"}
UTTERANCES = 400
KINDS = ("mlp", "logistic_regression", "knn")
Scores = Mapping[int, list[float]]
"""Fold -> UAR on test in percent, one for each seed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emodb", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--ravdess", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--whisper", required=True, help="folder of whisper-base")
    parser.add_argument("--results", type=Path, default=Path("results"))
    arguments = parser.parse_args()
    roots = {"emodb": arguments.emodb, "ravdess": arguments.ravdess}
    folder = arguments.results / "head_cells"
    folder.mkdir(parents=True, exist_ok=True)
    corpora = {
        name: CorpusSpec(name=name, root=str(root.resolve()), partial="allow")
        for name, root in roots.items()
    }
    suites = {
        "emodb": (5, [corpora["emodb"]]),
        "ravdess": ("emobox", [corpora["ravdess"]]),
        **{f"{name}400": (5, subsets(corpora[name], folder)) for name in roots},
    }
    records: list[Record] = []
    for name, (folds, parts) in suites.items():
        file = folder / f"cells_{name}.yaml"
        words = suite(f"cells_{name}", folds, parts, arguments.whisper)
        file.write_text(yaml.safe_dump(words), encoding="utf-8")
        ran = harness.run(file, results=arguments.results)
        ran.summary.raise_for_failures()
        records += open_results(ran.folder).read_trials()
    print(table(records))


def subsets(corpus: CorpusSpec, folder: Path) -> list[CorpusSpec]:
    """Manifests of utterances drawn from a corpus."""
    utterances = read_corpus(corpus).utterances
    found = []
    for seed, letter in SUBSETS.items():
        name = f"{corpus.name}400{letter}"
        file = folder.resolve() / f"{name}.csv"
        drawn = sorted(np.random.default_rng(seed).permutation(len(utterances))[:UTTERANCES])
        with file.open("w", newline="", encoding="utf-8") as target:
            rows = csv.writer(target)
            rows.writerow(["file", "label", "speaker"])
            for utterance in (utterances[place] for place in drawn):
                path = os.path.relpath(utterance.path, str(corpus.root))
                rows.writerow([path, utterance.target, utterance.speaker])
        found.append(CorpusSpec(name=name, kind="manifest", root=corpus.root, manifest=str(file)))
    return found


def suite(name: str, folds: int | str, corpora: list[CorpusSpec], whisper: str) -> dict[str, Any]:
    return {
        "suite": name,
        "corpora": [corpus.model_dump(mode="json", exclude_defaults=True) for corpus in corpora],
        "protocol": {"folds": folds},
        "backbones": [
            "logmel",
            {"name": "whisper-base", "source": str(Path(whisper).resolve())},
            {"name": "wavlm-base", "init": "random"},
        ],
        "matrix": {"finetune_layers": [0], "seed": [1, 2], "head.kind": list(KINDS)},
        "cost": None,
        "keep_models": "none",
    }


def table(records: list[Record]) -> str:
    """A row a cell: probes, heads with their spread over folds / over seeds, and the difference."""
    cells: dict[tuple[str, str], dict[str, dict[int, list[float]]]] = {}
    dev = defaultdict(list)
    for record in records:
        trial = record.trial
        cell = trial.corpus.name, trial.backbone.name
        by_kind = cells.setdefault(cell, {kind: defaultdict(list) for kind in KINDS})
        by_kind[trial.head.kind][trial.fold].append(uar(record, "test"))
        if trial.head.kind == "mlp":
            dev[cell].append(uar(record, "dev"))
    rows = []
    for cell, scores in sorted(cells.items()):
        heads, *probes = (scores[kind] for kind in KINDS)
        best = max(probes, key=mean)
        apart = [fmean(heads[fold]) - fmean(best[fold]) for fold in heads]
        over_folds = stdev(fmean(found) for found in heads.values())
        over_seeds = fmean(stdev(found) for found in heads.values())
        rows.append([
            *cell,
            *(f"{mean(probe):.1f}" for probe in probes),
            f"{mean(heads):.1f} ± {over_folds:.1f} / {over_seeds:.1f}",
            f"{fmean(dev[cell]):.1f}",
            f"{fmean(apart):+.1f} ± {stdev(apart) / sqrt(len(apart)):.1f}",
        ])  # fmt: skip
    headers = ["Corpus", "Backbone", "Logistic regression", "k-NN", "Head", "Head on dev",
               "Head − better probe"]  # fmt: skip
    return tabulate(rows, headers, tablefmt="pipe", disable_numparse=True)


def mean(scores: Scores) -> float:
    return fmean(value for found in scores.values() for value in found)


def uar(record: Record, split: str) -> float:
    value = record.metrics[split].value("uar")
    assert value is not None
    return 100 * value


if __name__ == "__main__":
    main()
