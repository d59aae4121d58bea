"""Reads about people who hold our money, as far as the asking person may see them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from accounts.models import User
from billing.models import Adjustment, Agent, CashShift, Expense
from billing.services.drawers import drawer_amount, open_shift
from locations.selectors import locations_visible_to


def shifts_visible_to(user: User) -> QuerySet[CashShift]:
    """Everybody's for those who manage shifts, the own ones for others."""
    rows = CashShift.objects.all()
    return rows if user.has_perm("billing.manage_cashshift") else rows.filter(user_id=user.pk)


def agents_visible_to(user: User) -> QuerySet[Agent]:
    """All for staff who may see agents; himself for an agent."""
    rows = Agent.objects.all()
    return rows if user.has_perm("billing.view_agent") else rows.filter(user_id=user.pk)


def adjustments_visible_to(user: User) -> QuerySet[Adjustment]:
    """Of customers at this person's locations."""
    places = locations_visible_to(user)
    rows = Adjustment.objects.all()
    return rows.filter(customer__location__in=places.values("pk")) if places.query.where else rows


def expenses_visible_to(user: User) -> QuerySet[Expense]:
    places = locations_visible_to(user)
    rows = Expense.objects.all()
    return rows.filter(location__in=places.values("pk")) if places.query.where else rows


@dataclass(frozen=True)
class Drawer:
    """What lies in a person's drawer by the ledger, and his open or last shift."""

    amount: Decimal
    shift: CashShift | None
    counted: CashShift | None


def drawer_of(user: User) -> Drawer:
    """`counted` is a shift that is counted and not handed over yet."""
    counted = CashShift.objects.filter(user=user, status="counted").order_by("-id").first()
    return Drawer(drawer_amount(user.pk), open_shift(user), counted)
