"""The whole matrix by `harness run`, against the loop that people write today.

    pytest tests/benchmarks/test_matrix.py -s

Wants an idle machine and more than an hour on two cores. The plain loop's epochs all cost
the same, so it runs 2 of them a trial for one seed, and is scaled; the table says so.

    MATRIX_PLAIN_EPOCHS=10   runs all of the plain loop, to tell its UAR too (two hours more)
    MATRIX_SCALE=tiny        tries everything in a minute or two, and claims nothing
    MATRIX_FOLDER=FOLDER     keeps what was measured, part by part, and goes on from it
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from statistics import fmean
from typing import Any

import psutil
import pytest
import torch
import yaml
from tabulate import tabulate
from transformers import WavLMConfig, WavLMModel

from backbones import BACKBONES
from harness.results.records import Record
from harness.results.store import ResultsStore
from harness.training.devices import cpu_has_fast_bfloat16

pytestmark = pytest.mark.skipif(
    not cpu_has_fast_bfloat16(), reason="this processor has no fast bfloat16"
)

HERE = Path(__file__).parent
LAYERS = (0, 1, 2, 3)
SEEDS = (1, 2)
SAMPLING_S = 0.05
GB = 1e9
FLAT_BYTES = 0.25 * GB
"""What peaks may differ by; ten times the corpus has over 0.5 GB more of audio and of frames."""


@dataclass(frozen=True)
class Scale:
    """How large the comparison is."""

    backbone: str
    takes: int
    epochs: int
    plain_epochs: int

    @property
    def whole_plain(self) -> bool:
        return self.plain_epochs >= self.epochs

    def utterances(self) -> dict[str, int]:
        """How many `matrix_corpus.py` writes."""
        return {"train": 16 * self.takes, "dev": 4 * self.takes, "test": 4 * self.takes}


SCALES = {
    "full": Scale("wavlm-base", takes=12, epochs=10, plain_epochs=2),
    "tiny": Scale("tiny-wavlm", takes=2, epochs=2, plain_epochs=1),
}


@dataclass(frozen=True)
class HarnessRun:
    """One `harness run` with a cold store: times by finetune_layers, over all seeds."""

    wall_s: float
    """Of the whole process, start-up included."""
    trials_s: dict[int, float]
    uar: dict[int, float]
    steps: list[int]
    precisions: list[str]
    peak_anonymous_bytes: int

    @classmethod
    def read(cls, values: dict[str, Any]) -> HarnessRun:
        """From JSON, in which keys are text."""
        by_layers = {
            name: {int(layers): value for layers, value in values[name].items()}
            for name in ("trials_s", "uar")
        }
        return cls(**values | by_layers)

    def seconds(self, layers: int) -> float:
        """Its trials, and their share of what the run spent outside its trials."""
        outside_s = self.wall_s - sum(self.trials_s.values())
        return self.trials_s[layers] + outside_s / len(self.trials_s)


@dataclass(frozen=True)
class Findings:
    """All that was measured."""

    scale: Scale
    plain: dict[str, Any]
    bare: dict[str, Any]
    bf16: HarnessRun
    float32: HarnessRun
    frozen: HarnessRun
    """Nothing but finetune_layers 0."""
    tenfold: HarnessRun
    """The same on ten times as many utterances."""

    def plain_s(self, layers: int) -> float:
        """All seeds and epochs of the plain loop, worked out from those that ran."""
        return len(SEEDS) * fmean(
            trial["load_s"]
            + self.scale.epochs * (fmean(trial["train_s"]) + fmean(trial["dev_s"]))
            + trial["test_s"]
            for trial in self.plain_trials(layers)
        )

    def plain_trials(self, layers: int) -> list[dict[str, Any]]:
        return [trial for trial in self.plain["trials"] if trial["finetune_layers"] == layers]

    def ceiling_s(self, layers: int) -> float:
        """Bare trials, and their share of one pass over the audio."""
        return self.bare_trials_s(layers) + self.bare_pass_s() / len(LAYERS)

    def bare_trials_s(self, layers: int) -> float:
        """Every step and every scored batch of all seeds, from frames that are there."""
        batches = self.batches()
        step_s = float(self.bare["step_s"][str(layers)])
        scoring_s = float(self.bare["scoring_s"][str(layers)])
        epoch_s = batches["train"] * step_s + batches["dev"] * scoring_s
        return len(SEEDS) * (self.scale.epochs * epoch_s + batches["test"] * scoring_s)

    def bare_pass_s(self) -> float:
        """The backbone over the whole corpus, once."""
        return sum(self.batches().values()) * float(self.bare["extraction_s"])

    def batches(self) -> dict[str, int]:
        rows = int(self.bare["rows"])
        return {split: ceil(count / rows) for split, count in self.scale.utterances().items()}

    def ratio(self, run: HarnessRun) -> float:
        return self.whole(self.plain_s) / run.wall_s

    def frozen_share_ratio(self) -> float:
        """Of N = 0 within the whole matrix: its trials, and a quarter of what all of it shares."""
        return self.plain_s(0) / self.bf16.seconds(0)

    def frozen_ratio(self) -> float:
        """Of N = 0 run alone, which bears the start and the pass over the audio by itself."""
        return self.plain_s(0) / self.frozen.wall_s

    def tenfold_ratio(self) -> float:
        """The same on ten times the corpus, of which the plain loop takes ten times as long."""
        return 10 * self.plain_s(0) / self.tenfold.wall_s

    def frozen_ceiling_ratio(self) -> float:
        return self.plain_s(0) / (self.bare_pass_s() + self.bare_trials_s(0))

    def share_of_ceiling(self) -> float:
        return self.whole(self.ceiling_s) / self.bf16.wall_s

    def whole(self, seconds: Callable[[int], float]) -> float:
        return sum(map(seconds, LAYERS))


# ----------------------------------------------------------------------------- running both sides


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    kept = os.environ.get("MATRIX_FOLDER")
    found = measure(chosen_scale(), Path(kept) if kept else tmp_path_factory.mktemp("matrix"))
    print(f"\n\n{report(found)}\n")
    return found


def chosen_scale() -> Scale:
    scale = SCALES[os.environ.get("MATRIX_SCALE", "full")]
    plain_epochs = int(os.environ.get("MATRIX_PLAIN_EPOCHS", scale.plain_epochs))
    return Scale(scale.backbone, scale.takes, scale.epochs, plain_epochs)


def measure(scale: Scale, folder: Path) -> Findings:
    """Both sides, one process after another; a part that `folder` holds already is not run."""
    if not (folder / "backbone").exists():
        write_backbone(scale.backbone, folder / "backbone")
    for name, takes in (("corpus", scale.takes), ("tenfold", 10 * scale.takes)):
        if not (folder / name).exists():
            script("matrix_corpus.py", folder / name, "--takes", takes)

    def suite(name: str, **changes: Any) -> Path:
        return write_suite(folder, name, scale, **changes)

    whole = suite("bf16")
    seeds = SEEDS if scale.whole_plain else SEEDS[:1]
    plain = ("plain.py", whole, "--epochs", scale.plain_epochs, "--seeds", *seeds)
    alone = {"layers": (0,)}
    runs: dict[str, Callable[[], dict[str, Any]]] = {
        "plain": lambda: dict(json.loads(script(*plain))),
        "bare": lambda: dict(json.loads(script("bare.py", whole))),
        "bf16": lambda: harness_run(whole),
        "frozen": lambda: harness_run(suite("frozen", **alone)),
        "tenfold": lambda: harness_run(suite("frozen-tenfold", **alone, corpus="tenfold")),
        "float32": lambda: harness_run(suite("float32", precision="float32")),
    }
    found = {name: measured(folder / f"{name}.json", run) for name, run in runs.items()}
    plain_found, bare_found = found.pop("plain"), found.pop("bare")
    ours = {name: HarnessRun.read(values) for name, values in found.items()}
    return Findings(scale=scale, plain=plain_found, bare=bare_found, **ours)


def measured(path: Path, run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a part found, now or in an earlier call."""
    if not path.exists():
        path.write_text(json.dumps(run(), indent=1))
    return dict(json.loads(path.read_text()))


def write_backbone(name: str, folder: Path) -> None:
    """Random weights, the same for both sides."""
    torch.manual_seed(0)
    WavLMModel(WavLMConfig.from_dict(dict(BACKBONES[name].architecture))).save_pretrained(folder)


def write_suite(
    folder: Path,
    name: str,
    scale: Scale,
    *,
    layers: tuple[int, ...] = LAYERS,
    precision: str = "auto",
    corpus: str = "corpus",
) -> Path:
    """A suite that leaves nothing to defaults, since the plain loop reads it too."""
    suite = {
        "suite": name,
        "corpora": [{"name": "made-up", "kind": "manifest", "root": str(folder / corpus)}],
        "protocol": {"folds": "official"},
        "backbones": [
            {"name": "random-wavlm", "kind": "wavlm", "source": str(folder / "backbone")}
        ],
        "matrix": {
            "finetune_layers": list(layers),
            "loss": ["weighted_cross_entropy"],
            "seed": list(SEEDS),
        },
        "head": {
            "pooling": "attentive_statistics",
            "head_dim": 256,
            "head_layers": 1,
            "dropout": 0.5,
        },
        "training": {
            "epochs": scale.epochs,
            "batch_seconds": 24,
            "learning_rate": {"head": 1.0e-3, "backbone": 1.0e-5},
            "weight_decay": 0.01,
            "warmup_share": 0.1,
            "max_grad_norm": 1.0,
            "precision": precision,
            # the epoch with the best UAR on dev is kept, and none is left out
            "early_stopping": {"metric": "uar", "window": 1, "loss_factor": None},
        },
        "cost": None,
        "keep_models": "none",
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(suite, sort_keys=False))
    return path


def script(name: str, *arguments: object) -> str:
    """What one of the scripts beside this file prints."""
    # transformers warns of its own use of torch
    command = [sys.executable, "-W", "ignore", str(HERE / name), *map(str, arguments)]
    started = time.perf_counter()
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
    return printed


def harness_run(suite: Path) -> dict[str, Any]:
    """Run a suite in a process of its own, with a cache folder of its own."""
    results, cache, log = (suite.with_suffix(end) for end in (".results", ".cache", ".log"))
    for before in (results, cache):  # of a run that was cut short
        shutil.rmtree(before, ignore_errors=True)
    command = [sys.executable, "-m", "harness", "run", str(suite)]
    command += ["--results", str(results), "--offline"]
    started = time.perf_counter()
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, env=os.environ | {"HARNESS_CACHE": str(cache)}, stdout=output
        ) as process,
    ):
        peak_bytes = watch_memory(process)
    wall_s = time.perf_counter() - started
    assert process.returncode == 0, log.read_text()
    shutil.rmtree(cache, ignore_errors=True)  # the disk need not hold every run's frames
    print(f"harness, {suite.stem}: {wall_s:.0f} s", flush=True)
    found = harness_findings(ResultsStore(results / suite.stem).read_trials(), wall_s, peak_bytes)
    return asdict(found)


def harness_findings(records: list[Record], wall_s: float, peak_bytes: int) -> HarnessRun:
    by_layers: defaultdict[int, list[Record]] = defaultdict(list)
    for record in records:
        by_layers[int(record.trial.finetune_layers)].append(record)
    return HarnessRun(
        wall_s=wall_s,
        trials_s={layers: sum(r.wall_s for r in group) for layers, group in by_layers.items()},
        uar={
            layers: fmean(r.metrics["test"].uar for r in group)
            for layers, group in by_layers.items()
        },
        steps=[record.fit.steps for record in records if record.fit],
        precisions=sorted({record.fit.precision for record in records if record.fit}),
        peak_anonymous_bytes=peak_bytes,
    )


def watch_memory(process: subprocess.Popen[bytes]) -> int:
    """The peak, over a process's life, of its and its children's anonymous memory."""
    peak_bytes = 0
    family = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            members = [family, *family.children(recursive=True)]
        except psutil.NoSuchProcess:
            break
        peak_bytes = max(peak_bytes, sum(anonymous_bytes(member.pid) for member in members))
        time.sleep(SAMPLING_S)
    return peak_bytes


def anonymous_bytes(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


# ------------------------------------------------------------------------------------ the report


def report(found: Findings) -> str:
    return "\n\n".join((heading(found.scale), times(found), uars(found), memory(found)))


def heading(scale: Scale) -> str:
    sizes = ", ".join(f"{count} {split}" for split, count in scale.utterances().items())
    plain = (
        "plain ran in full"
        if scale.whole_plain
        else f"plain is scaled from {scale.plain_epochs} of {scale.epochs} epochs of one seed"
    )
    return (
        f"{scale.backbone}, {sizes} utterances of 3 s, {len(SEEDS)} seeds × {scale.epochs} epochs, "
        f"{torch.get_num_threads()} threads; {plain}"
    )


def times(found: Findings) -> str:
    """One row for each number of released layers, and one for the whole matrix."""
    rows = [
        time_row(
            f"N = {layers}",
            found.plain_s(layers),
            found.bf16.seconds(layers),
            found.float32.seconds(layers),
            found.ceiling_s(layers),
        )
        for layers in LAYERS
    ]
    rows.append(
        time_row(
            "whole",
            found.whole(found.plain_s),
            found.bf16.wall_s,
            found.float32.wall_s,
            found.whole(found.ceiling_s),
        )
    )
    frozen = (
        "A row bears its own trials and a quarter of what all share: the start and the one pass "
        f"over the audio. N = 0 run alone bears all of that: {found.frozen.wall_s:.1f} s, "
        f"{found.frozen_ratio():.1f} × ({'/'.join(found.frozen.precisions)}; ceiling "
        f"{found.frozen_ceiling_ratio():.1f} ×); on ten times the corpus "
        f"{found.tenfold.wall_s:.1f} s, {found.tenfold_ratio():.1f} × plain scaled by utterances"
    )
    return tabulate(rows, headers="keys", disable_numparse=True) + f"\n\n{frozen}"


def time_row(
    name: str, plain_s: float, bf16_s: float, float32_s: float, ceiling_s: float
) -> dict[str, str]:
    return {
        "": name,
        "plain s": f"{plain_s:.1f}",
        "harness bf16 s": f"{bf16_s:.1f}",
        "ratio": f"{plain_s / bf16_s:.1f} ×",
        "harness float32 s": f"{float32_s:.1f}",
        "ratio ": f"{plain_s / float32_s:.1f} ×",
        "ceiling bf16 s": f"{ceiling_s:.1f}",
        "ceiling ratio": f"{plain_s / ceiling_s:.1f} ×",
        "share of ceiling": f"{ceiling_s / bf16_s:.0%}",
    }


def uars(found: Findings) -> str:
    """UAR on test, mean over the seeds."""
    plain = {
        layers: fmean(trial["test_uar"] for trial in found.plain_trials(layers))
        for layers in LAYERS
        if found.scale.whole_plain
    }
    sides = {"plain": plain, "harness bf16": found.bf16.uar, "harness float32": found.float32.uar}
    rows = [
        [name, *(uar_cell(scores, layers) for layers in LAYERS)] for name, scores in sides.items()
    ]
    return tabulate(
        rows, headers=["test UAR", *(f"N = {layers}" for layers in LAYERS)], disable_numparse=True
    )


def uar_cell(scores: Mapping[int, float], layers: int) -> str:
    return f"{scores[layers]:.3f}" if layers in scores else "not run"


def memory(found: Findings) -> str:
    peaks = {
        "plain": found.plain["peak_anonymous_bytes"],
        "harness bf16": found.bf16.peak_anonymous_bytes,
        "harness float32": found.float32.peak_anonymous_bytes,
        "harness N = 0": found.frozen.peak_anonymous_bytes,
        "harness N = 0, ten times the corpus": found.tenfold.peak_anonymous_bytes,
    }
    rows = [[name, f"{peak / GB:.2f}"] for name, peak in peaks.items()]
    return tabulate(rows, headers=["peak anonymous memory", "GB"], disable_numparse=True)


# ------------------------------------------------------------------------------------ the claims


def test_both_sides_take_the_same_steps(findings: Findings) -> None:
    planned = {trial["steps"] for trial in findings.plain["trials"]}
    for run in (findings.bf16, findings.float32, findings.frozen):
        assert set(run.steps) == planned
    assert len(findings.bf16.steps) == len(findings.float32.steps) == len(LAYERS) * len(SEEDS)
    assert (findings.bf16.precisions, findings.float32.precisions) == (["bf16"], ["float32"])


@pytest.fixture
def claimed(findings: Findings) -> Findings:
    if findings.scale.backbone != "wavlm-base":
        pytest.skip("tiny sizes claim nothing")
    return findings


def test_the_matrix_takes_a_tenth_of_the_plain_loops_time(claimed: Findings) -> None:
    assert claimed.ratio(claimed.bf16) >= 10


def test_the_matrix_reaches_80_percent_of_what_is_possible(claimed: Findings) -> None:
    assert claimed.share_of_ceiling() >= 0.8


def test_the_matrix_takes_a_fifth_in_float32(claimed: Findings) -> None:
    assert claimed.ratio(claimed.float32) >= 5


def test_a_frozen_backbone_takes_a_thirtieth(claimed: Findings) -> None:
    assert claimed.frozen_share_ratio() >= 30


def test_memory_is_no_higher_than_plain_plus_half_a_gigabyte(claimed: Findings) -> None:
    highest = max(claimed.bf16.peak_anonymous_bytes, claimed.float32.peak_anonymous_bytes)
    assert highest <= claimed.plain["peak_anonymous_bytes"] + 0.5 * GB


def test_memory_is_flat_when_the_corpus_grows_ten_times(claimed: Findings) -> None:
    rise = claimed.tenfold.peak_anonymous_bytes - claimed.frozen.peak_anonymous_bytes
    assert rise <= FLAT_BYTES
