"""The Python API does what the command line does, and is imported when it is used."""

import subprocess
import sys
from pathlib import Path

import pytest
from quiet import Quiet

import harness
from harness.config.suite_loading import load_suite
from harness.errors import TrialError, UserError
from harness.reporting.report_model import Report
from harness.runs.planning import Plan
from harness.runs.runtime_options import RuntimeOptions

QUICK = ("training.epochs=1", "matrix.finetune_layers=[0]", "cost=null")
CPU = RuntimeOptions("cpu", offline=True)


def test_the_package_offers_the_three_functions_and_loads_nothing_before_they_are_used() -> None:
    code = (
        "import sys, harness\n"
        "assert not {'pydantic', 'pandas', 'torch'} & sys.modules.keys()\n"
        "plan = harness.plan('smoke')\n"
        "assert len(plan.trials) == 6 and 'torch' not in sys.modules\n"
        "assert callable(harness.run) and callable(harness.report)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_module_bears_the_name_of_a_function() -> None:
    folder = Path(harness.__file__).parent
    names = {path.stem if path.suffix == ".py" else path.name for path in folder.rglob("*")}
    assert not {"run", "plan", "report"} & names


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'execute'"):
        harness.execute  # noqa: B018


def test_a_suite_is_planned_by_path_by_name_or_as_it_is() -> None:
    by_name, by_path = harness.plan("smoke"), harness.plan(Path("suites/smoke.yaml"))
    assert by_name.trials == by_path.trials == harness.plan(load_suite("smoke")).trials
    assert isinstance(by_name, Plan)
    with pytest.raises(UserError, match="give its path or its name"):
        harness.plan(load_suite("smoke"), changes=["training.epochs=1"])


def test_a_run_gives_back_what_it_wrote_and_the_report_reads_it_again(tmp_path: Path) -> None:
    reporter = Quiet()
    plan = harness.plan("smoke", changes=QUICK, only=["tiny-wavlm"])
    result = harness.run(plan, results=tmp_path, options=CPU, reporter=reporter)
    assert [record.status for record in result.summary.records] == ["ok"]
    assert result.folder == tmp_path / "smoke"
    assert all(path.is_file() for path in result.files)
    assert any("test UAR" in note for note in reporter.notes)
    report = harness.report(tmp_path / "smoke")
    assert isinstance(report, Report)
    assert report == result.report
    result.summary.raise_for_failures()


def test_a_trial_that_fails_raises_only_if_it_is_asked_to(tmp_path: Path) -> None:
    changes = (*QUICK, "backbones=[tiny-wavlm]", "matrix.learning_rate.head=[1.0e+30]")
    result = harness.run("smoke", changes=changes, results=tmp_path, options=CPU, reporter=Quiet())
    with pytest.raises(TrialError, match="0 of 1 trials ok"):
        result.summary.raise_for_failures()
