"""Folding: nothing is lost, and nothing is wider than it may be."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from harness.reporting.columns import Column
from harness.reporting.text_layout import (
    TextColumn,
    fitted,
    fold,
    in_blocks,
    merged,
    text_columns,
    unfolded,
)

names = st.text(st.sampled_from("ab_-./ 日表éX1"), max_size=60)
NAME = TextColumn("Backbone", ("emotion2vec_plus_base", "wavlm-base"), foldable=True)
SCORE = TextColumn("UAR 95 %", ("[64.4, 72.5]", "–"), right=True)


@given(names, st.integers(2, 40))
def test_lines_are_as_narrow_as_asked_and_lose_no_sign(text: str, width: int) -> None:
    lines = fold(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("weighted_cross_entropy", 22, ["weighted_cross_entropy"]),
        ("weighted_cross_entropy", 15, ["weighted_cross_", "entropy"]),
        ("wavlm-base-plus", 11, ["wavlm-base-", "plus"]),
        ("learning_rate.head 0.001", 19, ["learning_rate.head", "0.001"]),
        ("UAR 95 %", 5, ["UAR", "95 %"]),
        ("1e-05", 3, ["1e-", "05"]),
        ("", 5, [""]),
    ],
)
def test_texts_are_folded_where_people_would(text: str, width: int, lines: list[str]) -> None:
    assert fold(text, width) == lines


@given(st.lists(names, min_size=1, max_size=4), st.integers(20, 80))
def test_a_table_is_no_wider_than_the_room(texts: list[str], room: int) -> None:
    columns = [TextColumn("name", (text, "x"), foldable=True) for text in texts]
    table = fitted(columns, room, within_words=True)
    if table is None:
        assert 10 * len(columns) > room
    else:
        lines = [*table.head(), *table.row(0), *table.row(1)]
        assert max(map(cell_len, lines)) <= table.width <= room


def test_names_are_folded_and_scores_are_not() -> None:
    table = fitted([NAME, SCORE], 26)
    assert table is not None
    assert table.head() == ["Backbone          UAR 95 %"]
    assert table.row(0) == ["emotion2vec_  [64.4, 72.5]", "plus_base"]
    assert fitted([NAME, SCORE], 25) is None
    assert fitted([SCORE], 11, within_words=True) is None


def test_what_does_not_fit_beside_the_names_goes_below() -> None:
    tables = in_blocks([NAME], [SCORE] * 3, 53)
    assert [len(table.columns) for table in tables] == [3, 2]
    assert [len(table.columns) for table in in_blocks([NAME], [], 55)] == [1]
    (lasting, _) = in_blocks([NAME], [SCORE] * 2, 45, [TextColumn("Note", ("1", ""))])
    assert lasting.columns[-1].heading == "Note"


def test_columns_are_merged_line_by_line() -> None:
    loss = TextColumn("loss", ("dr", "cross"))
    column = merged([loss, TextColumn("pooling", ("mean", "max"))], "Settings")
    assert column.texts == ("loss dr\npooling mean", "loss cross\npooling max")
    assert unfolded([column]).row(0) == ["loss dr", "pooling mean"]


def test_signs_that_move_a_cursor_are_shown_as_unknown() -> None:
    row = type("Row", (), {"name": "a\x1b[2J\rb"})()
    (column,) = text_columns([row], [Column("name", str)])
    assert column.texts == ("a�[2J�b",)
