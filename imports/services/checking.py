"""The dry run: every row understood or its problems named, nothing of the product changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.db.progress import Progress
from core.db.transition import transition
from core.errors import DomainError
from customers.models import Customer
from imports.choices import IMPORT_MOVES, ImportStatus
from imports.columns import Header, header_read
from imports.models import MAX_ROWS, ImportRow, ImportRun
from imports.reading import rows_of
from imports.services.values import row_values
from locations.selectors import locations_visible_to

CHUNK = 1000
Problem = tuple[str, str]


def customers_check(run: ImportRun, progress: Progress) -> None:
    """Read the file, write one ImportRow per customer with its clean values or its problems, end in `checked`.

    Raises DomainError when the file or its header cannot be used at all.
    """
    ImportRow.objects.filter(run=run).delete()
    lines = enumerate(rows_of(bytes(run.content or b""), run.filename), 1)
    header = _header(lines, run)
    seen = Seen(run)
    total = wrong = 0
    filled = ((number, cells) for number, cells in lines if any(cells))
    while chunk := list(islice(filled, CHUNK)):
        rows = [
            ImportRow(run=run, number=number, **_understood(header, cells, seen, number)) for number, cells in chunk
        ]
        seen.compare(rows)
        total, wrong = total + len(rows), wrong + sum(bool(row.problems) for row in rows)
        if total > MAX_ROWS:
            raise DomainError(
                "import.too_long", _("More than %(n)d rows. Bring it in several files.") % {"n": MAX_ROWS}
            )
        ImportRow.objects.bulk_create(rows)
        progress.tick(total)
    with transaction.atomic():
        mine = ImportRun.objects.filter(pk=run.pk, heartbeat_at=progress.lease)
        transition(
            mine, to=ImportStatus.CHECKED, allowed=IMPORT_MOVES, total=total, done=total, problem_count=wrong,
            heartbeat_at=clock.now(),
        )  # fmt: skip


def _header(lines: Iterator[tuple[int, list[str]]], run: ImportRun) -> Header:
    cells: Sequence[str] = next((cells for _number, cells in lines if any(cells)), ())
    header = header_read(cells)
    if not header.has_name:
        raise DomainError(
            "import.header", _("The first row must name the columns, one of them “name” or “nama”. Found: %(found)s.")
            % {"found": ", ".join(cells)[:200] or _("nothing")},
        )  # fmt: skip
    if header.repeated:
        raise DomainError(
            "import.header", _("Two columns mean the same: %(names)s.") % {"names": ", ".join(header.repeated)}
        )
    if header.unknown and not run.is_unknown_ignored:
        raise DomainError(
            "import.header", _("Nobody knows these columns: %(names)s. Rename them, or choose to leave them out.")
            % {"names": ", ".join(header.unknown)[:200]},
        )  # fmt: skip
    return header


def _understood(header: Header, cells: list[str], seen: Seen, number: int) -> dict[str, Any]:
    given = {column: cell for column, cell in zip(header.columns, cells, strict=False) if column and cell}
    values, problems = row_values(given, seen.places, default_location=seen.default_location)
    problems += seen.repeats(values, number)
    return {"values": values, "problems": [list(problem) for problem in problems]}


class Seen:
    """What was in the file before, and which places the person who brought it may use."""

    def __init__(self, run: ImportRun) -> None:
        self.run = run
        self.places: dict[str, int] = {}
        self.numbers: dict[str, int] = {}
        self.phones: dict[str, int] = {}
        self.default_location = run.location_id
        if run.created_by is not None:
            rows = locations_visible_to(run.created_by)
            self.places = {name.casefold(): pk for pk, name in rows.values_list("pk", "name")}

    def repeats(self, values: dict[str, Any], number: int) -> list[Problem]:
        """Problems with earlier rows of the same file."""
        problems: list[Problem] = []
        for column, known in (("number", self.numbers), ("phone_e164", self.phones)):
            value = values.get(column)
            if not value or (column == "phone_e164" and self.run.is_phone_shared):
                continue
            first = known.setdefault(value, number)
            if first != number:
                problems.append((column.removesuffix("_e164"), _("The same as in row %(n)d.") % {"n": first}))
        return problems

    def compare(self, rows: list[ImportRow]) -> None:
        """Add the problems with customers that exist already."""
        numbers = {row.values["number"]: row for row in rows if row.values.get("number")}
        for number in Customer.objects.filter(number__in=list(numbers)).values_list("number", flat=True):
            numbers[number].problems.append(["number", _("A customer has this number already.")])
        if self.run.is_phone_shared:
            return
        phones = {row.values["phone_e164"]: row for row in rows if row.values.get("phone_e164")}
        known = Customer.objects.filter(phone__in=list(phones), merged_into=None)
        for phone, number in known.order_by("-pk").values_list("phone", "number"):
            sentence = _("Customer %(number)s has this phone number already.") % {"number": number}
            phones[phone].problems.append(["phone", sentence])
