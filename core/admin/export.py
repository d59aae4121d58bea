"""CSV of a list, streamed, with cells that a spreadsheet would run as formulas made harmless."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse

_SIGNS = "=+@\t\r\uff1d\uff0b\uff0d\uff20-"  # also full-width forms, which spreadsheets take for the plain ones
_FORMULA = re.compile(rf"^\s*[{_SIGNS}]")
# Excel in Indonesia splits at `;` and ignores our quotes there: what follows one is a cell of its own.
_INNER = re.compile(rf"([;\t\r\n][\s\"']*)(?=[{_SIGNS}])")
_KEPT_INNER = re.compile(rf"([;\t\r\n][\s\"']*)'(?=[{_SIGNS}])")
_NUMBER = re.compile(r"^-?\d+([.,]\d+)?$")


def neutral(value: Any) -> str:
    """Text that a spreadsheet shows and never runs: a `'` before `= + - @`, tab or return. Numbers stay.

    It stands before them at the beginning and after what another list separator makes a beginning (OWASP, CSV injection).
    """
    text = "" if value is None else str(value)
    start = "'" if _FORMULA.match(text) and not _NUMBER.match(text) else ""
    return start + _INNER.sub(r"\1'", text)


def as_it_was(text: str) -> str:
    """Undoes `neutral`, for files of ours that come back."""
    start = text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text
    return _KEPT_INNER.sub(r"\1", start)


class _Echo:
    def write(self, text: str) -> str:
        return text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"  # Excel reads UTF-8 only with the mark
    yield writer.writerow([neutral(cell) for cell in header])
    for row in rows:
        yield writer.writerow([neutral(cell) for cell in row])


def csv_response(
    filename: str, header: Sequence[str], rows: Iterable[Any], cells: Callable[[Any], Sequence[Any]]
) -> StreamingHttpResponse:
    """A download that needs the memory of one row."""
    lines = csv_lines(header, (cells(row) for row in rows))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Cache-Control"] = "no-store"
    return response
