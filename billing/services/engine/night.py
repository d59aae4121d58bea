"""One location's day: everything that a day makes due, a few thousand services at a time.

Every customer's steps are done together in one transaction behind his lock: come back from a pause, change the plan, bill,
pay from the balance, judge. So a run may be killed at any moment and started again, it can run beside payments, and a
second run finds nothing left to do. A dry run is the same code in a transaction that is rolled back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Q

from billing.choices import BillingMode, InvoiceKind, InvoiceStatus, SubscriptionStatus
from billing.models import Invoice, Plan, PlanChange, Subscription, SubscriptionEvent
from billing.services.engine.bills import LEAD_DAYS, bills_due, bills_write, changes_possible
from billing.services.history import services_lock
from billing.services.invoices import late_fees_issue
from billing.services.settling import balance_apply
from billing.services.standing import services_reconsider
from billing.services.subscriptions_pausing import subscription_resume
from billing.services.subscriptions_plans import plan_changes_apply
from core.errors import DomainError
from core.settings_registry import setting
from customers.models import Customer
from locations.models import Location

logger = logging.getLogger(__name__)
CHUNK = 5_000
RUNNING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.GRACE, SubscriptionStatus.ISOLATED)

# Wider than what is due in the end (postpaid and merged bills are decided in Python), never narrower.
CANDIDATES = """
SELECT s.customer_id, s.id FROM billing_subscription s
WHERE s.location_id = %(location)s AND (
    s.status = 'paused' AND s.resume_on <= %(day)s
    OR s.status IN ('active', 'grace', 'isolated') AND (
        s.billing_mode = 'prepaid' AND s.billed_until <= %(day)s::date + %(lead)s
        OR s.billing_mode = 'postpaid' AND s.billed_until < %(day)s
        OR s.status <> 'active'
        OR EXISTS (SELECT 1 FROM billing_planchange c
                   WHERE c.subscription_id = s.id AND c.status = 'waiting' AND c.effective_on <= %(day)s)
        OR EXISTS (SELECT 1 FROM billing_promise p WHERE p.subscription_id = s.id AND p.status = 'open')
        OR EXISTS (SELECT 1 FROM billing_invoice i
                   WHERE i.subscription_id = s.id AND i.status = 'open' AND i.due_on < %(day)s)
        OR EXISTS (SELECT 1 FROM locations_accessaccount a
                   WHERE a.id = s.account_id AND a.presence = 'present' AND a.is_isolated))
)
ORDER BY s.customer_id, s.id
"""

# what a line of the history means for the night's figures
COUNTED = {
    "isolated": "isolated", "reopened": "reopened", "overdue": "overdue", "settled": "settled",
    "promise_broken": "promises_broken", "promise_kept": "promises_kept", "plan_changed": "plan_changes",
    "resumed": "resumed",
}  # fmt: skip


@dataclass
class NightReport:
    """What a night did, or would do. `counts` by what; `billed` is the sum of its bills; `rows` only for a preview.

    `refused` are services that could not be done, each with the sentence that says why.
    """

    counts: dict[str, int] = field(default_factory=dict)
    billed: Decimal = Decimal(0)
    rows: list[NightRow] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)

    def add(self, what: str, count: int) -> None:
        if count:
            self.counts[what] = self.counts.get(what, 0) + count


@dataclass(frozen=True)
class NightRow:
    """One thing that happens to one service."""

    subscription_id: int
    what: str
    amount: Decimal | None = None
    start: date | None = None
    end: date | None = None


def night_candidates(location: Location, day: date) -> list[tuple[int, int]]:
    """(customer, subscription) of every service that may need something that day, customers together."""
    lead = int(setting(LEAD_DAYS))
    with connection.cursor() as cursor:
        cursor.execute(CANDIDATES, {"location": location.pk, "day": day, "lead": lead})
        return [(row[0], row[1]) for row in cursor.fetchall()]


def night_chunks(candidates: Sequence[tuple[int, int]], size: int) -> Iterator[list[int]]:
    """Subscription ids in parts of about `size`; the services of one customer stay together."""
    part: list[int] = []
    before = 0
    for customer_id, subscription_id in candidates:
        if len(part) >= size and customer_id != before:
            yield part
            part = []
        part.append(subscription_id)
        before = customer_id
    if part:
        yield part


def night_do(
    location: Location,
    day: date,
    *,
    now: datetime,
    report: NightReport,
    with_rows: bool = False,
    judged_on: date | None = None,
    candidates: Sequence[tuple[int, int]] | None = None,
    is_wanted: Callable[[int], bool] | None = None,
) -> bool:
    """Everything the day makes due there. `is_wanted` is asked with the count after each chunk; False stops the run.

    Who is overdue is judged by `now`, also when an older day is caught up, unless `judged_on` asks for another day.
    Returns whether it came to its end.
    """
    found = night_candidates(location, day) if candidates is None else candidates
    owners = {subscription_id: customer_id for customer_id, subscription_id in found}
    for part in night_chunks(found, CHUNK):
        _or_halves(part, owners, day, now=now, report=report, with_rows=with_rows, judged_on=judged_on)
        if is_wanted is not None and not is_wanted(len(part)):
            return False
    # also of those without a running service: money and debt must not stand side by side for ever
    both = Customer.objects.filter(location=location, merged_into=None, balance__gt=0, debt__gt=0)
    balance_apply(both.values_list("pk", flat=True), now=now)
    fees = late_fees_issue(location.pk, today=day, now=now)
    report.add("late_fees", len(fees))
    if with_rows:
        rows = Invoice.objects.filter(pk__in=fees).order_by("pk").values_list("subscription_id", "total")
        report.rows += [NightRow(pk, "late_fee", total) for pk, total in rows if pk]
    return True


def _or_halves(
    ids: Sequence[int],
    owners: dict[int, int],
    day: date,
    *,
    now: datetime,
    report: NightReport,
    with_rows: bool,
    judged_on: date | None,
) -> None:
    """One service that cannot be done must not keep its location from being billed: halves, down to its customer."""
    try:
        chunk_do(ids, day, now=now, report=report, with_rows=with_rows, judged_on=judged_on)
    except DomainError as error:
        customers = sorted({owners[pk] for pk in ids})
        if len(customers) == 1:
            logger.warning("services %s were left out of the night: %s", list(ids), error.code)
            report.add("refused", len(ids))
            report.refused += [(pk, str(error.message)) for pk in ids]
            return
        middle = customers[len(customers) // 2]
        for half in ([pk for pk in ids if owners[pk] < middle], [pk for pk in ids if owners[pk] >= middle]):
            _or_halves(half, owners, day, now=now, report=report, with_rows=with_rows, judged_on=judged_on)


@transaction.atomic
def chunk_do(
    ids: Sequence[int],
    day: date,
    *,
    now: datetime,
    report: NightReport,
    with_rows: bool = False,
    judged_on: date | None = None,
) -> None:
    """The steps of one chunk. Bills come before plan changes: the price of a period is decided by its first day."""
    services_lock(ids)
    last_event, last_bill = _last(SubscriptionEvent), _last(Invoice)
    for row in Subscription.objects.filter(pk__in=ids, status=SubscriptionStatus.PAUSED, resume_on__lte=day):
        subscription_resume(row, actor=None, now=now, day=day)
    bills_write(bills_due(_billable(ids, day), day), now=now)
    running = Subscription.objects.filter(pk__in=ids, status__in=RUNNING)
    due = PlanChange.objects.filter(subscription__in=running, effective_on__lte=day)
    plan_changes_apply(list(changes_possible(due)), now=now)
    balance_apply(set(running.values_list("customer_id", flat=True)), now=now)
    services_reconsider(ids, now=now, day=judged_on)
    _account_for(ids, last_event, last_bill, report, with_rows)


def _last(model: type[SubscriptionEvent] | type[Invoice]) -> int:
    return model._default_manager.order_by("-pk").values_list("pk", flat=True).first() or 0


def _billable(ids: Sequence[int], day: date) -> list[Subscription]:
    """Those that may be billed by that day. Few plans serve many: they are read once, and secrets not at all."""
    ahead = day + timedelta(days=int(setting(LEAD_DAYS)))
    prepaid = Q(billing_mode=BillingMode.PREPAID, billed_until__lte=ahead)
    postpaid = Q(billing_mode=BillingMode.POSTPAID, billed_until__lt=day)
    rows = Subscription.objects.filter(prepaid | postpaid, pk__in=ids, status__in=RUNNING).defer("password")
    found = list(rows.order_by("pk"))
    plans = Plan.objects.in_bulk({row.plan_id for row in found})
    for row in found:
        row.plan = plans[row.plan_id]
    return found


def _account_for(ids: Sequence[int], last_event: int, last_bill: int, report: NightReport, with_rows: bool) -> None:
    """Nobody else writes for these services while they are locked: what is newer is ours."""
    bills = Invoice.objects.filter(subscription__in=ids, pk__gt=last_bill, kind=InvoiceKind.INVOICE).order_by("pk")
    bills = bills.exclude(status=InvoiceStatus.DRAFT)
    fresh = list(bills.values_list("subscription_id", "total", "period_start", "period_end"))
    events = SubscriptionEvent.objects.filter(subscription__in=ids, pk__gt=last_event, kind__in=COUNTED).order_by("pk")
    moves = list(events.values_list("subscription_id", "kind"))
    report.add("bills", len(fresh))
    report.billed += sum((row[1] for row in fresh), Decimal(0))
    for _pk, kind in moves:
        report.add(COUNTED[kind], 1)
    if with_rows:
        report.rows += [NightRow(pk, "bill", total, start, end) for pk, total, start, end in fresh]
        report.rows += [NightRow(pk, COUNTED[kind]) for pk, kind in moves]
