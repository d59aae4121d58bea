from __future__ import annotations

import csv
import io

import pytest

from core.admin.export import csv_lines, neutral


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=1+1", "'=1+1"),
        ("+628123", "'+628123"),
        ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        (" =1", "' =1"),
        ("-15000", "-15000"),
        ("-1,5", "-1,5"),
        ("POS2-ABCD", "POS2-ABCD"),
        ("x;=HYPERLINK(1)", "x;'=HYPERLINK(1)"),
        ('x; "=HYPERLINK(1)', "x; \"'=HYPERLINK(1)"),
        ("two\n@SUM(A1)", "two\n'@SUM(A1)"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("a;b-c", "a;b-c"),
        (None, ""),
        (15000, "15000"),
    ],
)
def test_cells_cannot_become_formulas(value: object, text: str) -> None:
    assert neutral(value) == text


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_whatever_separates_cells_no_cell_begins_a_formula(separator: str) -> None:
    rows = [["x;=1", "y\t+1", 'z;"=1', "ok,=1", "=1"]]
    for row in csv.reader(io.StringIO("".join(csv_lines(["a"], rows))[1:]), delimiter=separator):
        assert [cell for cell in row if cell.lstrip(' "')[:1] in set("=+-@")] == []


def test_the_file_reads_back_as_it_was_written() -> None:
    rows = [["=HYPERLINK(1)", 'quote " and , comma', "two\nlines"], ["ABC", None, 3]]
    text = "".join(csv_lines(["code", "+name", "n"], rows))
    assert text.startswith("\ufeff")
    assert list(csv.reader(io.StringIO(text[1:]))) == [
        ["code", "'+name", "n"],
        ["'=HYPERLINK(1)", 'quote " and , comma', "two\nlines"],
        ["ABC", "", "3"],
    ]
