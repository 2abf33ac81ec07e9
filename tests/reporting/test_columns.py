"""Columns: declared once, and files that agree with what is declared."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from harness.reporting.class_columns import class_csv_columns
from harness.reporting.class_tables import per_class_frame
from harness.reporting.columns import Column, not_empty, pick, within
from harness.reporting.comparison_columns import comparison_columns
from harness.reporting.cost_columns import COST_COLUMNS, SIZE_COLUMNS, SPEED_COLUMNS
from harness.reporting.data_frames import comparison_frame, costs_frame, trials_frame
from harness.reporting.formats import scaled
from harness.reporting.report_model import Report
from harness.reporting.trial_columns import trial_columns

Columns = Callable[[Report], tuple[Column, ...]]

FILES: dict[str, tuple[Columns, Callable[[Report], pd.DataFrame]]] = {
    "comparison": (comparison_columns, comparison_frame),
    "trials": (trial_columns, trials_frame),
    "per_class": (class_csv_columns, per_class_frame),
    "costs": (lambda _: COST_COLUMNS, costs_frame),
}
UNITS = {
    "_bytes": "bytes",
    "_parameters": "parameters",
    "_share": "share",
    "_audio_s_per_s": "audio s/s",
    "_wall_s": "s",
    "_duration_s": "s",
    "_flops": "FLOP/s",
}
DTYPES: dict[Any, str] = {int: "Int64", float: "float64", bool: "boolean"}


@pytest.fixture
def report(run: Any, trial: Any) -> Report:
    """Of trials that ended well and not, of two losses, with and without costs."""
    run.add(trial(loss="dr"))
    run.add(trial(fold=3), status="oom", error="MemoryError")
    found: Report = run.report()
    return found


def declared(column: Column) -> tuple[object, ...]:
    return column.name, column.type, column.unit


def test_every_column_of_a_file_has_a_name_of_its_own(report: Report) -> None:
    for columns, _ in FILES.values():
        names = [column.name for column in columns(report)]
        assert len(set(names)) == len(names)


def test_a_column_is_the_same_in_every_table_that_has_it(report: Report) -> None:
    tables = [columns(report) for columns, _ in FILES.values()]
    known: dict[str, Column] = {}
    for column in [c for table in (*tables, SPEED_COLUMNS, SIZE_COLUMNS) for c in table]:
        first = known.setdefault(column.name, column)
        # a score has spreads and a setting is an axis in the comparison alone
        if column.name not in {"loss", "accuracy", "uar", "macro_f1", "weighted_f1"}:
            assert declared(column) == declared(first), column.name
        if column.title and first.title:
            assert column.title == first.title


@pytest.mark.parametrize("name", FILES)
def test_a_file_holds_the_declared_types_in_the_declared_units(name: str, report: Report) -> None:
    columns, frame_of = FILES[name]
    frame = frame_of(report)
    assert list(frame.columns) == [column.name for column in columns(report)]
    for column in columns(report):
        assert str(frame[column.name].dtype) == DTYPES.get(column.type, "object"), column.name
        for ending, unit in UNITS.items():
            if column.type is not object and f"_{column.name}".endswith(ending):
                assert column.unit == unit, column.name


def test_shares_lie_between_0_and_1(report: Report) -> None:
    for columns, frame_of in FILES.values():
        frame = frame_of(report)
        for column in columns(report):
            if column.unit == "share":
                assert frame[column.name].dropna().between(0, 1).all(), column.name


def test_whatever_people_read_has_a_title(report: Report) -> None:
    for column in (*SPEED_COLUMNS, *SIZE_COLUMNS):
        assert column.title, column.name


def test_a_column_of_dashes_says_nothing() -> None:
    columns = (Column("a", int), Column("b", str))
    rows = [type("Row", (), {"a": None, "b": ""})(), type("Row", (), {"a": 0, "b": ""})()]
    assert not_empty(columns, rows) == columns[:1]
    assert not_empty(columns, rows[:1]) == ()


def test_a_misspelt_column_is_an_error_and_not_empty() -> None:
    with pytest.raises(AttributeError, match="sise"):
        Column("sise", int).raw(pd.Timestamp(0))


def test_a_row_within_another_may_be_missing() -> None:
    column = Column("size", int, "bytes", format=scaled(".1f", per=2), title="Size")
    (inner,) = within(lambda row: row, column)
    assert (inner.raw(None), inner.text(None)) == (None, "–")
    assert inner.text(type("Row", (), {"size": 3})()) == "1.5"


def test_columns_are_picked_in_the_order_asked_for() -> None:
    columns = (Column("a", int), Column("b", str))
    assert pick(columns, ["b", "a"]) == columns[::-1]
    with pytest.raises(KeyError):
        pick(columns, ["c"])
