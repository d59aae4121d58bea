"""Receivables by age: what customers owe at the end of a day, by how late it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import Case, Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from billing.choices import InvoiceKind, InvoiceStatus
from billing.ledger import chart
from billing.models import Allocation, Invoice
from billing.reports.asking import Ask
from billing.reports.days import day_end, today_in
from billing.reports.grouping import day_words
from billing.reports.postings import PostingQuery
from billing.reports.scope import sees_everything
from billing.reports.table import Cell, Column, Form, Table
from core.formats import money
from locations.selectors import locations_visible_to

# age: (name, least and most days after the due date)
AGES: dict[str, tuple[str | Promise, int | None, int | None]] = {
    "not_due": (gettext_lazy("not due yet"), None, -1),
    "today": (gettext_lazy("due today"), 0, 0),
    "week": (gettext_lazy("1 to 7 days late"), 1, 7),
    "month": (gettext_lazy("8 to 30 days late"), 8, 30),
    "older": (gettext_lazy("more than 30 days late"), 31, None),
}


ROOT = Coalesce("customer__merged_into_id", "customer_id")


@dataclass(frozen=True)
class InvoiceQuery:
    """Bills that were open at the end of the day `on`, perhaps only those of one age or location.

    `by` "customer": shown by who owes them; bills of merged customers are those of the one that stayed.
    """

    target: ClassVar[str] = "invoices"

    on: date
    now: datetime
    zone: str = ""
    location_id: int | None = None
    age: str = ""
    by: str = ""

    def params(self) -> dict[str, str]:
        given = {"location": str(self.location_id or ""), "age": self.age, "by": self.by}
        return {"to": self.on.isoformat(), **{name: value for name, value in given.items() if value}}

    def rows(self, user: User) -> QuerySet[Any]:
        """Invoices with `open_amount`, what was left to pay at the end of that day."""
        zone = self.zone or str(settings.TIME_ZONE)
        end = day_end(self.on, zone)
        rows: Any = Invoice.objects.filter(kind=InvoiceKind.INVOICE, opened_at__lt=end)
        if self.on >= today_in(zone, self.now):
            rows = rows.filter(status=InvoiceStatus.OPEN).annotate(open_amount=F("total") - F("settled_amount"))
        else:
            later = Allocation.objects.filter(invoice=OuterRef("pk"), at__gte=end).order_by().values("invoice")
            paid_later = Coalesce(Subquery(later.annotate(sum=Sum("amount")).values("sum")), Value(Decimal(0)))
            rows = rows.filter(Q(status=InvoiceStatus.OPEN) | Q(closed_at__gte=end))
            rows = rows.annotate(open_amount=F("total") - F("settled_amount") + paid_later).filter(open_amount__gt=0)
        if self.location_id:
            rows = rows.filter(location=self.location_id)
        if not sees_everything(user):
            rows = rows.filter(location__in=locations_visible_to(user).values("pk"))
        return rows.filter(self._of_age())  # type: ignore[no-any-return]

    def total(self, user: User) -> Decimal:
        return self.rows(user).aggregate(sum=Sum("open_amount"))["sum"] or Decimal(0)

    def customers(self, user: User) -> QuerySet[Any]:
        """Who owes them: dicts of `root` (the id of the customer), `bills` and `open`, the largest debt first."""
        rows = self.rows(user).annotate(root=ROOT).order_by().values("root")
        return rows.annotate(bills=Count("pk"), open=Sum("open_amount")).order_by("-open", "root")  # type: ignore[no-any-return]

    def _of_age(self) -> Q:
        if not self.age:
            return Q()
        _name, least, most = AGES[self.age]
        wanted = Q() if least is None else Q(due_on__lte=self.on - timedelta(days=least))
        return wanted if most is None else wanted & Q(due_on__gte=self.on - timedelta(days=most))


def receivables_report(ask: Ask, user: User) -> Table:
    """One row per age. Their sum is the receivables account, which is said below the table."""
    query = InvoiceQuery(ask.to_on, ask.now, ask.zone, ask.location_id)
    ages = Case(*(When(_age_condition(query, age), then=Value(age)) for age in AGES))
    found = {
        row["age_group"]: row
        for row in query.rows(user).annotate(age_group=ages).order_by().values("age_group").annotate(
            bills=Count("pk"), people=Count(ROOT, distinct=True), amount=Sum("open_amount")
        )
    }  # fmt: skip
    rows = [_row(age, found.get(age, {}), query) for age in AGES]
    amount = sum((row[3].value for row in rows if isinstance(row[3].value, Decimal)), Decimal(0))
    bills = sum(row["bills"] for row in found.values())
    late = sum((found[age]["amount"] for age in ("week", "month", "older") if age in found), Decimal(0))
    words = {"n": bills, "day": day_words(ask.to_on), "amount": money(amount), "late": money(late)}
    return Table(
        columns=(
            Column("age", gettext_lazy("age"), Form.TEXT), Column("bills", gettext_lazy("bills"), Form.COUNT),
            Column("customers", gettext_lazy("customers"), Form.COUNT), Column("amount", gettext_lazy("amount")),
        ),
        rows=rows,
        totals=(Cell(_("Total")), Cell(bills, query), Cell(None), Cell(amount, query)),
        sentence=ngettext(
            "At the end of %(day)s %(n)d bill asks for %(amount)s; %(late)s of it is late.",
            "At the end of %(day)s %(n)d bills ask for %(amount)s; %(late)s of it is late.", bills,
        ) % words,
        chart="amount",
        notes=_ledger_note(ask, user, amount),
    )  # fmt: skip


def _age_condition(query: InvoiceQuery, age: str) -> Q:
    return InvoiceQuery(query.on, query.now, query.zone, age=age)._of_age()


def _row(age: str, found: dict[str, Any], query: InvoiceQuery) -> tuple[Cell, ...]:
    behind = InvoiceQuery(query.on, query.now, query.zone, query.location_id, age)
    amount = found.get("amount") or Decimal(0)
    bills, people = found.get("bills", 0), found.get("people", 0)
    return (
        Cell(str(AGES[age][0])),
        Cell(bills, behind),
        Cell(people, replace(behind, by="customer")),
        Cell(amount, behind),
    )


def _ledger_note(ask: Ask, user: User, amount: Decimal) -> tuple[str, ...]:
    """Bills and ledger are two ways to the same number; shown to those who see all of both."""
    if ask.location_id or not sees_everything(user):
        return ()
    # today's is the whole account: without the day it is ten times quicker (70 ms at a million postings)
    to_on = None if ask.to_on >= today_in(ask.zone, ask.now) else ask.to_on
    ledger = PostingQuery(accounts=(chart.RECEIVABLE,), to_on=to_on, zone=ask.zone).total(user)
    if ledger == amount:
        return (_("The ledger says the same: %(amount)s of receivables.") % {"amount": money(ledger)},)
    return (
        _("The ledger says %(amount)s of receivables. Run the ledger check to find the difference.")
        % {"amount": money(ledger)},
    )
