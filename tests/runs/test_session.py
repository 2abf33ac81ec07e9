"""A session turns a unit of work into events, in this process or in another."""

import multiprocessing
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from quiet import Quiet
from sent_units import all_events

from harness.config.suite_loading import load_suite
from harness.data.prepared_corpus import PreparedCorpus, prepare_corpus
from harness.results.store import ResultsStore
from harness.runs.events import (
    Event,
    FitAdvanced,
    TrialEnded,
    TrialsStarted,
    UnitEnded,
    UnitReady,
    UnitStarted,
)
from harness.runs.executors import InlineExecutor
from harness.runs.frame_events import FramesAdvanced, FramesEnded, FramesStarted
from harness.runs.planning import make_plan
from harness.runs.progress_display import ProgressDisplay
from harness.runs.results_sink import ResultsSink
from harness.runs.run_summary import RunSummary
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.session import Session
from harness.runs.tracking.tracker_processes import NO_TRACKING
from harness.runs.work_units import WorkUnit, work_units
from harness.training.fit_driver import EpochEnded, StepEnded

QUICK = ("training.epochs=2", "cost=null", "matrix.finetune_layers=[0, 1]")


def unit_of(*changes: str) -> WorkUnit:
    plan = make_plan(load_suite("smoke", [*QUICK, *changes]), limit_utterances=96)
    return work_units("smoke", plan.trials, RuntimeOptions("cpu", offline=True))[0]


@pytest.fixture(scope="module")
def prepared() -> PreparedCorpus:
    return prepare_corpus(unit_of().corpus, 96, Quiet())


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def outcomes(events: list[Event]) -> Iterator[np.ndarray]:
    for event in events:
        if isinstance(event, TrialEnded):
            assert event.outcome.predictions is not None
            yield event.outcome.predictions.filter(like="p_").to_numpy()


def test_trials_on_one_corpus_and_backbone_are_one_unit_in_the_order_of_the_suite() -> None:
    plan = make_plan(load_suite("smoke"))
    units = work_units("smoke", plan.trials, RuntimeOptions())
    assert [unit.backbone.name for unit in units] == ["tiny-wavlm", "tiny-emotion2vec"]
    assert [trial for unit in units for trial in unit.trials] == list(plan.trials)


def test_events_come_in_the_order_of_the_work(prepared: PreparedCorpus) -> None:
    events = list(Session(unit_of(), prepared).run())
    kinds = [type(event) for event in events if not isinstance(event, FitAdvanced)]
    frames = [FramesStarted, *[FramesAdvanced] * kinds.count(FramesAdvanced), FramesEnded]
    trials = [TrialsStarted, TrialEnded] * 2
    assert kinds == [UnitStarted, *frames, UnitReady, *trials, UnitEnded]
    (started,) = (event for event in events if isinstance(event, FramesStarted))
    assert (started.depths, started.batches) == (2, kinds.count(FramesAdvanced))
    steps = [e.progress for e in events if isinstance(e, FitAdvanced)]
    epochs = [step.result.epoch for step in steps if isinstance(step, EpochEnded)]
    assert epochs == [1, 2, 1, 2]
    first = [step for step in steps if isinstance(step, StepEnded)]
    assert first[0].steps == 1
    assert first[-1].steps == first[-1].total


def test_nothing_happens_before_it_is_asked_for(prepared: PreparedCorpus, tmp_path: Path) -> None:
    events = Session(unit_of(), prepared).run()
    assert isinstance(next(events), UnitStarted)
    assert not list((tmp_path / "cache" / "frames").rglob("frames.bin"))


def test_a_session_writes_no_results(prepared: PreparedCorpus, tmp_path: Path) -> None:
    list(Session(unit_of(), prepared).run())
    assert {path.name for path in tmp_path.iterdir()} == {"cache"}


@pytest.mark.slow
def test_a_unit_sent_to_another_process_gives_the_same_events(prepared: PreparedCorpus) -> None:
    unit = unit_of()
    assert pickle.loads(pickle.dumps(unit)) == unit  # noqa: S301
    here = list(Session(unit, prepared).run())
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        there = pool.submit(all_events, unit, 96).result()
    for ours, theirs in zip(outcomes(here), outcomes(there), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)


def test_the_sink_writes_what_an_executor_tells_it(
    prepared: PreparedCorpus, tmp_path: Path
) -> None:
    suite, unit = load_suite("smoke", list(QUICK)), unit_of()
    store, reporter, summary = ResultsStore(tmp_path / "smoke"), Quiet(), RunSummary()
    sink = ResultsSink(suite, store, ProgressDisplay(reporter, 2), NO_TRACKING, summary)
    sink.display.begin()
    for worker, event in InlineExecutor({unit.corpus: prepared}).run([unit]):
        sink.handle(event, worker)
    assert store.read_trials() == sorted(summary.records, key=lambda record: record.trial_id)
    assert [note for note in reporter.notes if note.startswith("[")] == [
        f"[{number}/2] {trial.describe()}" for number, trial in enumerate(unit.trials, start=1)
    ]
