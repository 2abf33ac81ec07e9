"""Which classes are taken for which, as Markdown: one table a row of the comparison."""

from __future__ import annotations

from collections.abc import Sequence

from harness.reporting.columns import Column
from harness.reporting.formats import percent
from harness.reporting.report_model import Report, ReportRow
from harness.reporting.tables import grid
from harness.results.group_confusion import GroupConfusion

_Line = tuple[str, Sequence[int]]


def confusions_markdown(report: Report) -> str:
    """Of every row that has one; empty without any.

    In each table a row is a true class, and holds in per cent for what its utterances were taken.
    """
    tables = [
        f"## {_heading(row)}\n\n{_table(row.confusion)}"
        for row in report.rows
        if row.confusion is not None
    ]
    if not tables:
        return ""
    note = "Per cent of the utterances of each true class, over all folds and seeds of a row."
    return "\n\n".join([f"# {report.title}: true and predicted classes", note, *tables]) + "\n"


def _heading(row: ReportRow) -> str:
    axes = "".join(f" · {name} {value}" for name, value in row.axes.items())
    return f"{row.corpus} · {row.backbone} · {row.finetune_layers} layers{axes}"


def _table(confusion: GroupConfusion) -> str:
    lines: list[_Line] = list(zip(confusion.classes, confusion.counts, strict=True))
    columns = [
        Column("true", str, title="True", value=lambda line: line[0]),
        *(_predicted(name, place) for place, name in enumerate(confusion.classes)),
        Column("utterances", int, title="Utterances", value=lambda line: sum(line[1])),
    ]
    return grid(lines, columns)


def _predicted(name: str, place: int) -> Column:
    def share(line: _Line) -> float | None:
        total = sum(line[1])
        return line[1][place] / total if total else None

    return Column(name, float, "share", f"as {name}", percent, value=share)
