"""What large suites and large lists of recordings take, in time and memory.

    pytest tests/benchmarks/test_scale.py -s

Each case is a process of its own, so that its memory is its own. Limits leave room for a noisy
machine.
"""

import subprocess
import sys
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parents[1] / "support"

BEFORE = """
import resource, sys, time
from pathlib import Path
sys.path.insert(0, {support!r})
folder = Path({folder!r})
"""
AFTER = """
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(f"{took:.1f} s, {peak:.2f} GB")
"""
PLAN = """
import harness
seeds = list(range(1, {trials} // 6 + 1))
began = time.monotonic()
planned = harness.plan("smoke", changes=[f"matrix.seed={{seeds}}"])
took = time.monotonic() - began
assert len(planned.selected) == len(seeds) * 6
"""
FINISHED = """
import harness
from quiet import Quiet
from harness.results.store import ResultsStore
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.suite_run import run_plan

one = ["cost=null", "backbones=[tiny-wavlm]", "matrix.finetune_layers=[0]", "training.epochs=1"]
options = RuntimeOptions("cpu", offline=True, engine="inline")
ran = harness.run("smoke", changes=one, results=folder, options=options, reporter=Quiet())
store = ResultsStore(ran.folder)
record, = store.read_trials()
predictions = store.read_predictions(record)
planned = harness.plan("smoke", changes=[*one, f"matrix.seed={{list(range(1, 5001))}}"])
for trial in planned.trials:
    changes = {{"trial_id": trial.trial_id, "trial": trial}}
    store.write_trial(record.model_copy(update=changes), predictions)
began = time.monotonic()
summary = run_plan(planned, store, Quiet(), options)
took = time.monotonic() - began
assert summary.reused == 5000
"""
MANIFEST = """
import numpy as np
import soundfile
from harness.data.corpus_reading import read_corpus
from harness.data.splits.folds import split
from harness.specs import CorpusSpec, ProtocolSpec

rows, speakers = 200_000, 400
soundfile.write(folder / "a.wav", np.zeros(16_000), 16_000)
labels = ["angry", "happy", "sad", "neutral"]
with (folder / "list.csv").open("w") as file:
    file.write("file,label,speaker\\n")
    for number in range(rows):
        name = folder / f"{{number % 500}}" / f"{{number}}.wav"
        if number < 500:
            name.parent.mkdir()
        name.symlink_to(folder / "a.wav")
        file.write(f"{{name.relative_to(folder)}},{{labels[number % 4]}},s{{number % speakers}}\\n")
spec = CorpusSpec(name="large", kind="manifest", root=str(folder), manifest="list.csv")
began = time.monotonic()
corpus = read_corpus(spec)
for fold in range(1, 6):
    split(corpus, ProtocolSpec(folds=5), fold)
took = time.monotonic() - began
assert len(corpus.utterances) == rows
"""


@pytest.mark.parametrize(
    ("what", "script", "most_s", "most_gb"),
    [
        ("10,000 trials planned", PLAN.replace("{trials}", "10_000"), 4.0, 0.5),
        ("100,000 trials planned", PLAN.replace("{trials}", "100_000"), 15.0, 1.0),
        ("5,000 finished trials found finished", FINISHED, 16.0, 1.2),
        ("200,000 rows of a manifest read, five folds cut", MANIFEST, 40.0, 1.0),
    ],
)
def test_what_is_large_is_done_in_time(
    tmp_path: Path, what: str, script: str, most_s: float, most_gb: float
) -> None:
    text = (BEFORE + script).format(support=str(SUPPORT), folder=str(tmp_path)) + AFTER
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = done.stdout.strip().splitlines()[-1]
    print(f"\n{what}: {told}")
    took, peak = (float(part.split()[0]) for part in told.split(", "))
    assert took < most_s
    assert peak < most_gb
