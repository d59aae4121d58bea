"""Reads about plans, services and bills that span models or depend on who asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import F, Min, OuterRef, Q, QuerySet, Subquery, Sum

from accounts.models import User
from billing.choices import InvoiceKind, InvoiceStatus, LineKind
from billing.models import BillingRun, Invoice, InvoiceLine, Plan, PlanLocation, Subscription
from billing.words import note_words
from customers.selectors import family_of
from locations.models import Location
from locations.selectors import locations_visible_to


def plans_on_sale(user: User) -> QuerySet[Plan]:
    """Plans that are on sale at a location this person may see."""
    here = PlanLocation.objects.filter(location__in=locations_visible_to(user).values("pk"))
    return Plan.objects.filter(is_active=True, pk__in=here.values("plan_id"))


def locations_of_plan(plan: Plan) -> QuerySet[Location]:
    """Where the plan is published."""
    return Location.objects.filter(pk__in=PlanLocation.objects.filter(plan=plan).values("location_id"))


def publications(plan_id: int, location_ids: Iterable[int]) -> dict[int, PlanLocation]:
    """The plan's publications by location id, with their router profiles; locations without one are missing."""
    rows = PlanLocation.objects.filter(plan_id=plan_id, location_id__in=list(location_ids))
    return {row.location_id: row for row in rows.select_related("profile")}


def invoices_visible_to(user: User) -> QuerySet[Invoice]:
    """Bills of the locations this person may see; those of no location only for people who see all."""
    places = locations_visible_to(user)
    if not places.query.where:
        return Invoice.objects.all()
    return Invoice.objects.filter(location__in=list(places.values_list("pk", flat=True)))


def with_why(rows: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """With `first_details`, what `billing.words.note_words` explains a credit note by, in the same query."""
    lines = InvoiceLine.objects.filter(invoice=OuterRef("pk"), kind=LineKind.CREDIT).order_by("position")
    return rows.annotate(first_details=Subquery(lines.values("details")[:1]))


def note_of(row: Invoice) -> str:
    """Why, and what a person wrote, in the reader's language; asks for the first line unless `with_why` brought it."""
    if row.kind != InvoiceKind.CREDIT_NOTE:
        return row.note
    if hasattr(row, "first_details"):
        return note_words(row.note, row.first_details)
    line = row.lines.order_by("position").first()
    return note_words(row.note, line.details if line else None)


@dataclass(frozen=True)
class Carried:
    """What an open bill leaves to say: what older bills still ask, and money we hold."""

    debt: Decimal
    balance: Decimal


def carried_of(bill: Invoice) -> Carried:
    """Of the bill's customer and those merged with him; nothing beside a bill that asks for nothing any more."""
    if bill.kind != InvoiceKind.INVOICE or bill.status != InvoiceStatus.OPEN:
        return Carried(Decimal(0), Decimal(0))
    root = bill.customer.merged_into or bill.customer
    older = Q(opened_at__lt=bill.opened_at) | Q(opened_at=bill.opened_at, pk__lt=bill.pk)
    debts = Invoice.objects.filter(
        older, customer_id__in=family_of(root), status=InvoiceStatus.OPEN, kind=InvoiceKind.INVOICE
    )
    debt = debts.aggregate(left=Sum(F("total") - F("settled_amount")))["left"] or Decimal(0)
    return Carried(debt, root.balance)


def customers_of_username(text: str, limit: int) -> list[int]:
    """Ids of the customers with a service of this user name, newest service first."""
    rows = Subscription.objects.filter(username=text).order_by("-pk")
    return list(rows.values_list("customer_id", flat=True)[:limit])


def subscriptions_visible_to(user: User) -> QuerySet[Subscription]:
    """Every service for Super Admin and Admin; for an Operator those at his locations."""
    places = locations_visible_to(user)
    if not places.query.where:
        return Subscription.objects.all()
    return Subscription.objects.filter(location__in=list(places.values_list("pk", flat=True)))


def overdue_since(subscription: Subscription, today: date) -> date | None:
    """The due day of the oldest unpaid bill of this service that was due before today; None when nothing is overdue."""
    bills = Invoice.objects.filter(
        subscription=subscription, status=InvoiceStatus.OPEN, kind=InvoiceKind.INVOICE, due_on__lt=today
    )
    found: date | None = bills.aggregate(first=Min("due_on"))["first"]
    return found


def runs_visible_to(user: User) -> QuerySet[BillingRun]:
    """Runs of the locations this person may see, and those he ordered; all for people who see all."""
    places = locations_visible_to(user)
    if not places.query.where:
        return BillingRun.objects.all()
    return BillingRun.objects.filter(Q(location__in=places.values("pk")) | Q(created_by=user))
