"""How values are written: for people on a screen, and plainly for spreadsheets and programs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from django.utils.dateformat import format as date_format
from django.utils.text import capfirst

from billing.reports.table import Column, Form, Table, Value
from core.formats import local, moment, money, number
from core.money import quantise

NOTHING = "–"


def shown(value: Value, column: Column, zone: str) -> str:
    """`IDR 15,000`, `4 Nov 2026`, `November 2026`, `4 Nov 2026 23.30`."""
    if value is None or value == "":
        return NOTHING
    if column.form == Form.MONEY and isinstance(value, Decimal | int):
        return money(value)
    if column.form == Form.COUNT and isinstance(value, Decimal | int):
        return number(value)
    if isinstance(value, datetime):
        return moment(value, zone)
    if isinstance(value, date):
        return date_format(value, "F Y" if column.form == Form.MONTH else "j M Y")
    return str(value)


def plain(value: Value, column: Column, zone: str) -> str:
    """`15000`, `2026-11-04`, `2026-11`, `2026-11-04 23:30`; nothing is an empty text."""
    if value is None:
        return ""
    if column.form == Form.MONEY and isinstance(value, Decimal | int):
        return str(quantise(value))
    if isinstance(value, datetime):
        return f"{local(value, zone):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return f"{value:%Y-%m}" if column.form == Form.MONTH else value.isoformat()
    return str(value)


def header(table: Table) -> list[str]:
    return [capfirst(str(column.label)) for column in table.columns]


def lines(table: Table, zone: str) -> Iterator[list[str]]:
    """The rows and, last, the totals, as a spreadsheet gets them."""
    for row in [*table.rows, *([table.totals] if table.totals else [])]:
        yield [plain(cell.value, column, zone) for cell, column in zip(row, table.columns, strict=True)]
