"""The services of a customer with all that the checks of `dashboard.offline` look at: a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Count, F, QuerySet

from billing.choices import InvoiceKind, InvoiceStatus, PromiseStatus
from billing.models import Invoice, PlanLocation, Promise, Subscription, SubscriptionEvent
from dashboard.offline import Line
from dashboard.selectors.scope import Family
from locations.models import TODO, AccessAccount, RouterSession

MAX_SERVICES = 50


def lines_of(family: Family) -> list[Line]:
    """Running services first, then the newest."""
    rows = list(
        family.services()
        .select_related("plan", "location__state", "account__profile")
        .defer("password", "account__password", "location__password")
        .order_by(F("ended_on").desc(nulls_first=True), "-id")[:MAX_SERVICES]
    )
    return _lines(rows, family)


def _lines(rows: Sequence[Subscription], family: Family) -> list[Line]:
    ids = [row.pk for row in rows]
    sessions = _sessions([row.account_id for row in rows if row.account_id])
    unpaid = {bill.subscription_id: bill for bill in _unpaid(ids)}
    promises = {
        p.subscription_id: p for p in Promise.objects.filter(subscription_id__in=ids, status=PromiseStatus.OPEN)
    }
    published = _publications(rows)
    since = {event.subscription_id: event for event in _since(ids)}
    waiting = _waiting({row.location_id for row in rows})
    return [
        Line(
            subscription=row,
            now=family.now,
            account=row.account,
            state=getattr(row.location, "state", None),
            sessions=sessions[row.account_id or 0],
            unpaid=unpaid.get(row.pk),
            promise=promises.get(row.pk),
            publication=published.get((row.plan_id, row.location_id)),
            since=since.get(row.pk),
            waiting=waiting.get(row.location_id, 0),
        )
        for row in rows
    ]


def _sessions(account_ids: Sequence[int]) -> dict[int, list[RouterSession]]:
    found: dict[int, list[RouterSession]] = defaultdict(list)
    for session in RouterSession.objects.filter(account_id__in=account_ids).order_by("-uptime_seconds", "pk"):
        found[session.account_id or 0].append(session)
    return found


def _unpaid(ids: Sequence[int]) -> QuerySet[Invoice]:
    """The oldest open bill of each service."""
    rows = Invoice.objects.filter(subscription_id__in=ids, status=InvoiceStatus.OPEN, kind=InvoiceKind.INVOICE)
    return rows.order_by("subscription_id", "due_on", "id").distinct("subscription_id")


def _publications(rows: Sequence[Subscription]) -> dict[tuple[int, int], PlanLocation]:
    plans, places = {row.plan_id for row in rows}, {row.location_id for row in rows}
    found = PlanLocation.objects.filter(plan_id__in=plans, location_id__in=places)
    return {(row.plan_id, row.location_id): row for row in found}


def _since(ids: Sequence[int]) -> QuerySet[SubscriptionEvent]:
    """What brought each service into the status it has."""
    rows = SubscriptionEvent.objects.filter(subscription_id__in=ids, to_status=F("subscription__status"))
    return rows.exclude(from_status=F("to_status")).order_by("subscription_id", "-id").distinct("subscription_id")


def _waiting(location_ids: set[int]) -> dict[int, int]:
    """Changes that wait, by router; served by the partial index of unsynced rows."""
    rows = AccessAccount.objects.filter(TODO, location_id__in=location_ids).order_by()
    return dict(rows.values_list("location_id").annotate(Count("pk")))
