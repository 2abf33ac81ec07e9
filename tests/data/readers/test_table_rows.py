"""Rows of lists: whatever could be read in two ways is refused."""

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from harness.data.readers.table_rows import read_rows, read_text
from harness.errors import CorpusError

HEADER = "file,label,speaker\n"


def written(tmp_path: Path, text: str, name: str = "list.csv", encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def test_a_quote_that_closes_rows_later_swallows_none_of_them(tmp_path: Path) -> None:
    """54 rows, of which one opens a quote that another closes thirty lines on."""
    lines = [f"{n}.wav,sad,{n}" for n in range(54)]
    lines[10] = '10.wav,"sad,10'
    lines[40] = '40.wav",sad,40'
    rows = read_rows(written(tmp_path, HEADER + "\n".join(lines)))
    faulty = [row for row in rows if row.mistake]
    assert [row.line for row in faulty] == [12]
    assert "goes on to line 42: close the quote" in str(faulty[0].mistake)


def test_a_quote_that_never_closes_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + 'a.wav,sad,1\nb.wav,"sad,2\nc.wav,sad,3\n')
    with pytest.raises(CorpusError, match=r"from line 3: .*is a quote opened there"):
        read_rows(path)


def test_text_in_quotes_may_hold_what_parts_cells(tmp_path: Path) -> None:
    (row,) = read_rows(written(tmp_path, 'file,text\na.wav,"Oh, ""really""?"\n'))
    assert row.values == {"file": "a.wav", "text": 'Oh, "really"?'}


def test_other_line_separators_within_a_text_are_part_of_it(tmp_path: Path) -> None:
    rows = read_rows(written(tmp_path, "file,text\r\na.wav,one\u2028two\x0bthree\r\nb.wav,x\r\n"))
    assert [(row.line, row.values["text"]) for row in rows] == [
        (2, "one\u2028two\x0bthree"), (3, "x"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "mistake"),
    [("a.wav,sad", "has 1 cells too few"), ("a.wav,sad,1,,", "has 2 cells too many")],
)
def test_a_row_has_as_many_cells_as_the_header(tmp_path: Path, cells: str, mistake: str) -> None:
    (row,) = read_rows(written(tmp_path, f"{HEADER}{cells}\n"))
    assert row.mistake == mistake


def test_a_column_that_stands_there_twice_is_refused_in_every_kind_of_list(tmp_path: Path) -> None:
    twice = "'label' stands there twice"
    with pytest.raises(CorpusError, match=twice):
        read_rows(written(tmp_path, "file,label,speaker, label\na.wav,sad,1,happy\n"))
    table = pa.Table.from_arrays([pa.array(["sad"]), pa.array(["happy"])], ["label", "label"])
    parquet.write_table(table, tmp_path / "list.parquet")
    with pytest.raises(CorpusError, match=twice):
        read_rows(tmp_path / "list.parquet")
    lines = '{"label": "sad"}\n{"label": "sad", "label": "happy"}\n'
    good, faulty = read_rows(written(tmp_path, lines, "list.jsonl"))
    assert good.mistake is None
    assert twice in str(faulty.mistake)


def test_columns_that_differ_in_case_alone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="'label' and 'Label' differ in case alone"):
        read_rows(written(tmp_path, "file,label,Label\na.wav,sad,happy\n"))


def test_columns_without_a_name_may_be_several(tmp_path: Path) -> None:
    (row,) = read_rows(written(tmp_path, ",file,,\n0,a.wav,,\n"))
    assert row.values["file"] == "a.wav"


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_parts_cells_and_how_letters_are_written_is_found(
    tmp_path: Path, sign: str, encoding: str
) -> None:
    text = f"file{sign}label\nä.wav{sign}sad\n"
    for name in ("list.csv", "list.tsv"):
        (row,) = read_rows(written(tmp_path, text, name, encoding))
        assert row.values == {"file": "ä.wav", "label": "sad"}


def test_commas_part_cells_before_anything_else(tmp_path: Path) -> None:
    (row,) = read_rows(written(tmp_path, "file,labels;all\na.wav,sad;happy\n"))
    assert row.values == {"file": "a.wav", "labels;all": "sad;happy"}


def test_another_encoding_is_refused_with_its_cause(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="line 3 is not UTF-8: save the file as UTF-8"):
        read_rows(written(tmp_path, HEADER + "a.wav,sad,1\nb.wav,sad,Jürgen\n", encoding="latin-1"))
    with pytest.raises(CorpusError, match="UTF-16 without its mark"):
        read_rows(written(tmp_path, HEADER + "a.wav,sad,1\n", encoding="utf-16-le"))


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_every_row_that_is_written_on_one_line_is_read_on_its_line(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("one", "two"), *rows])
    found = read_rows(written(tmp_path_factory.mktemp("rows"), text.getvalue() + "x,y\n"))
    kept = [(n, row) for n, row in enumerate(rows, start=2) if any(cell.strip() for cell in row)]
    assert [row.line for row in found] == [*(n for n, _ in kept), len(rows) + 2]
    for row, (_, (one, two)) in zip(found, kept, strict=False):
        assert (row.values.get("one", ""), row.values.get("two", "")) == (one.strip(), two.strip())


@given(st.dictionaries(CELLS.filter(str.strip), st.text(max_size=5), min_size=1, max_size=4))
def test_json_objects_come_back(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, str]
) -> None:
    path = written(tmp_path_factory.mktemp("json"), json.dumps(values), "list.jsonl")
    tidy = {key.strip(): value.strip() for key, value in values.items() if value.strip()}
    (row,) = read_rows(path)
    assert row.mistake or row.values == tidy
    assert (row.mistake is None) == (len({key.strip() for key in values}) == len(values))


def test_text_without_a_mark_is_utf_8(tmp_path: Path) -> None:
    assert read_text(written(tmp_path, "ß")) == "ß"
