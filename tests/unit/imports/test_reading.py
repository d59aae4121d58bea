"""Files of other programs, read strictly; what cannot be read says why."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import Workbook

from core.errors import DomainError
from imports.amounts import amount_read
from imports.columns import header_read
from imports.reading import rows_of
from imports.services.values import row_values


def excel(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_csv_of_any_program(delimiter: str, encoding: str) -> None:
    text = f'Nama{delimiter}Alamat\r\n"André{delimiter} Sri"{delimiter}  Jl. Mawar 3 \r\n\r\nBudi{delimiter}\r\n'
    assert list(rows_of(text.encode(encoding), "a.csv")) == [
        ["Nama", "Alamat"], [f"André{delimiter} Sri", "Jl. Mawar 3"], [], ["Budi"],
    ]  # fmt: skip


def test_excel_numbers_are_text_again() -> None:
    content = excel(
        ["nama", "hp", "saldo", "tgl"], ["Sri", 8.123456789e10, 1500.5, date(2026, 11, 22)], ["=1+1", None, 3.0]
    )
    assert list(rows_of(content, "a.xlsx")) == [
        ["nama", "hp", "saldo", "tgl"], ["Sri", "81234567890", "1500.5", "2026-11-22"], ["", "", "3"],
    ]  # fmt: skip


def test_a_formula_is_never_computed() -> None:
    """`data_only`: what a formula once gave, and nothing for one that was never computed."""
    assert list(rows_of(excel(["nama"], ["=CMD()"]), "a.xlsx")) == [["nama"], []]


def packed(size: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/workbook.xml", b"0" * size)
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "old Excel file"),
        (b"%PDF\x00\x01", "neither CSV nor Excel"),
        (packed(10), "cannot be read"),
        (b"PK\x03\x04broken", "cannot be read"),
        (packed(301 * 1024 * 1024), "too large when unpacked"),
        (b"a," * 70 + b"z", "more than 60 columns"),
    ],
    ids=["xls", "pdf", "empty zip", "broken", "bomb", "wide"],
)
def test_what_cannot_be_read_says_why(content: bytes, words: str) -> None:
    with pytest.raises(DomainError, match=words) as refusal:
        list(rows_of(content, "x"))
    assert refusal.value.code == "import.unreadable"


def test_headers_in_two_languages() -> None:
    header = header_read(["NAMA PELANGGAN", "No. HP", "Alamat ", "Paket", "", "E-Mail", "nama"])
    assert header.columns == ("name", "phone", "address", None, None, "email", "name")
    assert (header.unknown, header.repeated, header.has_name) == (("Paket",), ("name",), True)
    assert not header_read(["phone"]).has_name


@pytest.mark.parametrize(
    ("text", "amount"),
    [("150000", 150_000), ("150.000", 150_000), ("150,000", 150_000), ("Rp 1.500.000", 1_500_000), ("rp150.000,-", 150_000),
     ("0", 0), ("IDR 15,000", 15_000)],
)  # fmt: skip
def test_amounts_as_people_write_them(text: str, amount: int) -> None:
    assert amount_read(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    ["-5", "1.5", "1,50", "1e9", "15.0000", "1.500,50", "1.500,000", "NaN", "", "lima", "１５", "9" * 30, "150 000"],
)
def test_amounts_that_could_mean_two_things_are_refused(text: str) -> None:
    with pytest.raises(DomainError) as refusal:
        amount_read(text)
    assert refusal.value.code == "money.invalid"


def test_cents_where_the_currency_has_them(settings: Any) -> None:
    settings.CURRENCY = "USD"
    assert amount_read("1,500.5") == Decimal("1500.50")
    with pytest.raises(DomainError):
        amount_read("1.500,50")


def test_a_row_is_understood() -> None:
    given = {
        "name": "  Bu   Sri ", "phone": "81234567890", "location": "POS 2", "tags": "VIP; lama", "debt": "150.000",
        "language": "Indonesia",
    }  # fmt: skip
    values, problems = row_values(given, {"pos 2": 7})
    assert problems == []
    assert values == {
        "fields": {"name": "  Bu   Sri ", "phone": "081234567890", "tags": "VIP, lama", "language": "id"},
        "location": 7, "number": "", "phone_e164": "+6281234567890", "debt": "150000",
    }  # fmt: skip


def test_every_problem_of_a_row_is_named_at_once() -> None:
    given = {
        "phone": "12", "email": "no", "location": "Pos 9", "latitude": "100", "longitude": "x", "balance": "-1",
        "language": "xx", "tags": "a" * 31, "area": "a" * 121, "number": "1" * 21,
    }  # fmt: skip
    _values, problems = row_values(given, {})
    assert sorted(column for column, _sentence in problems) == sorted([*given, "name"])
    assert dict(problems)["location"] == "There is no location called “Pos 9”."
    assert dict(problems)["name"] == "Please fill this in."


def test_half_a_position_is_a_problem() -> None:
    assert [column for column, _s in row_values({"name": "Sri", "latitude": "1"}, {})[1]] == ["longitude"]
