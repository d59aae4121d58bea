"""CSV and Excel files as rows of text, whatever program wrote them. Pure: bytes in, rows out, nothing stored.

A file is somebody else's: sizes are checked before unpacking, formulas are never computed, and numbers that Excel
made of phone numbers (8.12E+11) become digits again.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from core.admin.export import as_it_was
from core.errors import DomainError

MAX_UNPACKED = 300 * 1024 * 1024
MAX_COLUMNS = 60
MAX_CELL = 5000
DELIMITERS = ",;\t|"
_SAMPLE = 64 * 1024


def rows_of(content: bytes, filename: str) -> Iterator[list[str]]:
    """Every row, the header first; cells stripped. Empty rows come too, so that row numbers stay those of the file.

    Raises DomainError (`import.unreadable`) in the user's words.
    """
    if content[:4] == b"PK\x03\x04":
        yield from _excel(content)
    elif content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise _unreadable(_("This is an old Excel file (.xls). Save it as .xlsx or CSV and bring it again."))
    elif b"\x00" in content[:_SAMPLE]:
        raise _unreadable(_("%(name)s is neither CSV nor Excel.") % {"name": filename})
    else:
        yield from _csv(content)


def _unreadable(message: str) -> DomainError:
    return DomainError("import.unreadable", message, fields={"file": message})


def _csv(content: bytes) -> Iterator[list[str]]:
    text = _decoded(content)
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)  # csv.Sniffer guesses wrong on one column and on quoted commas
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            yield _bounded([cell.strip() for cell in row], reader.line_num)
    except csv.Error as error:
        raise _unreadable(_("Line %(n)d cannot be read: %(why)s.") % {"n": reader.line_num, "why": error}) from None


def _decoded(content: bytes) -> str:
    """UTF-8 with or without mark, else what Excel on Windows writes."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _excel(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MAX_UNPACKED:
                raise _unreadable(_("The Excel file is too large when unpacked."))
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0]
            for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
                yield _bounded([_text(cell) for cell in row], number)
        finally:
            book.close()
    except (zipfile.BadZipFile, InvalidFileException, KeyError, IndexError, ValueError, EOFError) as error:
        raise _unreadable(_("The Excel file cannot be read. Is it damaged or protected by a password?")) from error


def _text(cell: Any) -> str:
    """A cell as a person would read it: whole floats without `.0`, dates as ISO."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return f"{Decimal(str(cell)):f}".rstrip("0").rstrip(".") if cell % 1 else f"{Decimal(str(cell)):.0f}"
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()


def _bounded(row: list[str], number: int) -> list[str]:
    while row and not row[-1]:
        row.pop()
    if len(row) > MAX_COLUMNS:
        raise _unreadable(_("Row %(n)d has more than %(max)d columns.") % {"n": number, "max": MAX_COLUMNS})
    return [as_it_was(cell)[:MAX_CELL] for cell in row]
