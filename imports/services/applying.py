"""Applying a checked file: every customer of it, with opening balances and debts, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from billing.choices import EntryKind, LineKind
from billing.ledger import chart
from billing.ledger.posting import Entry, Line, entries_post
from billing.services.invoices import DraftLine, InvoiceDraft, invoices_issue
from billing.words import DEBT_BEFORE
from core import clock
from core.db.progress import Progress
from core.db.transition import transition
from core.errors import DomainError
from customers.models import Customer
from customers.services import customers_create
from imports.choices import IMPORT_MOVES, ImportStatus
from imports.models import ImportRow, ImportRun
from locations.models import Location

CHUNK = 1000
Pairs = Sequence[tuple[ImportRow, Customer]]


def customers_apply(run: ImportRun, progress: Progress) -> None:
    """All or nothing: a number that was taken meanwhile, a cancel or a lost lease leave no customer of the file.

    An opening balance is posted against the owner's account, an opening debt becomes an invoice: everything payable is one.
    """
    now = clock.now()
    today = clock.local_date(settings.TIME_ZONE, now)
    done = 0
    with transaction.atomic():
        rows = ImportRow.objects.filter(run=run).order_by("number").iterator(chunk_size=CHUNK)
        while chunk := list(islice(rows, CHUNK)):
            pairs = _create(chunk, run, now)
            _balances(pairs, run, now)
            _debts(pairs, run, today, now)
            done += len(chunk)
            progress.tick(done)
        if done != run.total:
            raise DomainError("import.changed", _("The checked rows are not all there any more. Bring the file again."))
        mine = ImportRun.objects.filter(pk=run.pk, heartbeat_at=progress.lease)
        transition(mine, to=ImportStatus.APPLIED, allowed=IMPORT_MOVES, finished_at=clock.now(), content=None)
        # names and phones are the customers' from now on: a person who is erased must not live on here
        ImportRow.objects.filter(run=run).delete()


def _create(rows: list[ImportRow], run: ImportRun, now: datetime) -> Pairs:
    places = Location.objects.in_bulk({row.values["location"] for row in rows} - {None})
    fields = [{**row.values["fields"], "location": places.get(row.values["location"])} for row in rows]
    return list(zip(rows, customers_create(fields, actor=run.created_by, now=now), strict=True))


def _amount(row: ImportRow, column: str) -> Decimal:
    return Decimal(row.values.get(column, 0))


def _balances(pairs: Pairs, run: ImportRun, now: datetime) -> None:
    entries_post(
        Entry(
            EntryKind.ADJUSTMENT, _source(run, row), occurred_at=now, actor_id=run.created_by_id,
            location_id=customer.location_id, reason=_("Opening balance"),
            lines=[Line(chart.OWNER, amount), Line(chart.WALLET, -amount, customer.pk)],
        )
        for row, customer in pairs if (amount := _amount(row, "balance"))
    )  # fmt: skip


def _debts(pairs: Pairs, run: ImportRun, today: date, now: datetime) -> None:
    drafts = [
        InvoiceDraft(
            customer_id=customer.pk, source=_source(run, row), issued_on=today, due_on=today, location_id=customer.location_id,
            lines=[DraftLine(LineKind.MANUAL, amount, chart.OWNER, details={"said": DEBT_BEFORE}, is_taxed=False)],
        )
        for row, customer in pairs if (amount := _amount(row, "debt"))
    ]  # fmt: skip
    if drafts:
        invoices_issue(drafts, now=now)


def _source(run: ImportRun, row: ImportRow) -> str:
    return f"import:{run.pk}:{row.number}"
