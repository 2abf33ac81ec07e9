"""How many workers there are, where, and with how many threads."""

import pytest
from quiet import Quiet

from harness.config.suite_loading import load_suite
from harness.errors import UserError
from harness.runs import jobs
from harness.runs.engines import engine
from harness.runs.jobs import devices_of, on_one_device, threads_of, worker_devices
from harness.runs.planning import make_plan
from harness.runs.preflight import check_all
from harness.runs.runtime_options import RuntimeOptions


def test_each_device_has_as_many_workers_as_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "devices_of", lambda device: ("cuda:0", "cuda:2"))
    workers = worker_devices(RuntimeOptions("cuda:0,cuda:2", jobs=2))
    assert workers == ("cuda:0", "cuda:2", "cuda:0", "cuda:2")


def test_cores_are_shared_out_unless_threads_are_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "cores", lambda: 16)
    assert threads_of(RuntimeOptions(), 4) == 4
    assert threads_of(RuntimeOptions(), 100) == 1
    assert threads_of(RuntimeOptions(), 1) is None
    assert threads_of(RuntimeOptions(threads=3), 4) == 3


def test_as_many_as_pay_are_at_least_one_and_at_most_a_core_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "cores", lambda: 2)
    assert 1 <= len(worker_devices(RuntimeOptions("cpu", jobs=None))) <= 2
    monkeypatch.setattr(jobs, "CPU_WORKER_BYTES", 1e18)
    assert worker_devices(RuntimeOptions("cpu", jobs=None)) == ("cpu",)


@pytest.mark.parametrize("device", ["cpu,cuda:0", "cuda:0,,", "tpu", ""])
def test_what_is_no_device_is_refused(device: str) -> None:
    with pytest.raises(UserError, match="--device"):
        devices_of(device)


def test_a_mistaken_device_is_told_beside_all_else() -> None:
    changes = ["corpora=[{name: mine, kind: manifest, root: /nowhere, manifest: list.csv}]"]
    plan = make_plan(load_suite("smoke", ["cost=null"]))
    options = RuntimeOptions("tpu")
    with engine(options, plan.selected):  # it leaves the word to the checks
        pass
    other = make_plan(load_suite("smoke", [*changes, "protocol.folds=2"]), limit_utterances=4)
    with pytest.raises(UserError) as refused:
        check_all(other.selected, Quiet(), devices=lambda: devices_of("tpu"), offline=True)
    assert "--device tpu" in str(refused.value)
    assert "/nowhere" in str(refused.value)


@pytest.mark.parametrize("wrong", [{"jobs": 0}, {"jobs": -1}, {"threads": 0}])
def test_no_workers_and_no_threads_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UserError, match="the least is 1"):
        RuntimeOptions(**wrong)  # type: ignore[arg-type]


def test_what_is_done_on_one_device_takes_the_first() -> None:
    assert on_one_device(RuntimeOptions("cuda:1, cuda:0")).device == "cuda:1"
    assert on_one_device(RuntimeOptions("auto")).device == "auto"
