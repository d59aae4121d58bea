"""Late fees: an issued bill never grows, so the fee for paying it late is a bill of its own, once per bill."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import CharField, DateField, Exists, ExpressionWrapper, F, OuterRef, Value
from django.db.models.functions import Cast, Concat

from billing.choices import DiscountKind, InvoiceKind, InvoiceStatus, LineKind, PromiseStatus
from billing.ledger import chart
from billing.models import Invoice, Promise
from billing.services.invoices_drafts import DraftLine, InvoiceDraft
from billing.services.invoices_issuing import bills_issue
from core.money import quantise

CHUNK = 5_000
PREFIX = "late:"


def late_fees_issue(location_id: int, *, today: date, now: datetime) -> list[int]:
    """Bill the late fees that fell due for services of this location; returns the bills' ids. `today` is the location's day.

    A fee falls due so many days after the bill did, for what is still open then; not while a promise to pay holds,
    and never for a late fee. Chunks, a transaction each; asked again it finds nothing new.
    """
    done: list[int] = []
    after = 0
    while rows := _late(location_id, today, after):
        drafts = [draft for row in rows if (draft := _draft(row, today))]
        done += bills_issue(drafts, now=now, actor=None) if drafts else []
        after = rows[-1].pk
    return done


def _late(location_id: int, today: date, after: int) -> list[Invoice]:
    promised = Promise.objects.filter(status=PromiseStatus.OPEN, until_on__gte=today).values("subscription_id")
    billed = Invoice.objects.filter(source=Concat(Value(PREFIX), Cast(OuterRef("pk"), CharField())))
    last_day = ExpressionWrapper(F("due_on") + F("subscription__late_fee_days"), output_field=DateField())
    rows = Invoice.objects.alias(free_until=last_day).filter(
        ~Exists(billed), status=InvoiceStatus.OPEN, kind=InvoiceKind.INVOICE, subscription__location_id=location_id,
        due_on__lt=today, free_until__lt=today, subscription__late_fee__gt=0, pk__gt=after,
    )  # fmt: skip
    rows = rows.exclude(source__startswith=PREFIX).exclude(subscription_id__in=promised)
    return list(rows.select_related("subscription").order_by("pk")[:CHUNK])


def _draft(invoice: Invoice, today: date) -> InvoiceDraft | None:
    """None when there is nothing to ask: a percentage of what is open may round to nothing."""
    service = invoice.subscription
    if service is None or invoice.due_on is None:
        return None
    details: dict[str, str] = {"number": str(invoice.number), "due_on": invoice.due_on.isoformat()}
    fee = service.late_fee
    if service.late_fee_kind == DiscountKind.PERCENT:
        details["percent"] = str(service.late_fee)
        fee = quantise((invoice.total - invoice.settled_amount) * service.late_fee / Decimal(100))
    if fee <= 0:
        return None
    return InvoiceDraft(
        invoice.customer_id,
        [
            DraftLine(
                LineKind.LATE_FEE, fee, chart.INCOME_LATE_FEE, details=details, is_taxed=False,
                plan_id=service.plan_id, subscription_id=service.pk,
            )
        ],
        f"{PREFIX}{invoice.pk}", today, today + timedelta(days=service.due_days), subscription_id=service.pk,
        location_id=invoice.location_id,
    )  # fmt: skip
