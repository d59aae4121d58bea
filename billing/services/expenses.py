"""Money that goes out: posted when it is written, taken back by a reversing entry."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import EntryKind
from billing.ledger import chart
from billing.ledger.posting import Line, entry_post, entry_reverse
from billing.models import Expense, ExpenseCategory, JournalEntry
from billing.services.amounts import amount_positive
from billing.services.cash import key_checked
from billing.services.drawers import drawer_enter, drawer_lock, drawer_of_other_enter, in_drawer_check, shift_check
from billing.services.staff import staff_acted
from core.db.locks import lock_row
from core.errors import DomainError, TransitionError
from locations.models import Location

_PAID_FROM = re.compile(r"owner|cash:[1-9][0-9]{0,17}|bank:[a-z0-9_]{1,40}")


def expense_write(
    *,
    category: ExpenseCategory,
    amount: Decimal | int | str,
    spent_on: date,
    paid_from: str,
    now: datetime,
    actor: User,
    request_key: str,
    ip: str | None = None,
    location: Location | None = None,
    note: str = "",
) -> Expense:
    """Write an expense and its entry. `paid_from` is the owner, a bank account or the actor's own drawer.

    The same `request_key` is one expense. Raises DomainError for more than the drawer holds, another person's drawer,
    a day in the future, a category that is not in use.
    """
    try:
        with transaction.atomic():
            return _write(
                category, amount, spent_on, paid_from, now, actor, key_checked(request_key), ip, location, note
            )
    except IntegrityError:
        known = Expense.objects.filter(request_key=request_key).first()
        if known is None:
            raise
        return known


def _write(
    category: ExpenseCategory, amount: Decimal | int | str, spent_on: date, paid_from: str, now: datetime, actor: User,
    request_key: str, ip: str | None, location: Location | None, note: str,
) -> Expense:  # fmt: skip
    value = amount_positive(amount)
    inside = _source_lock(paid_from, actor)
    if known := Expense.objects.filter(request_key=request_key).first():
        return known
    if paid_from.startswith("cash:"):
        shift_check(actor)
    if not category.is_active:
        message = _("This category is not in use any more.")
        raise DomainError("expense.category", message, fields={"category": message})
    if spent_on > _latest_day(now):
        message = _("This day is not here yet.")
        raise DomainError("expense.future", message, fields={"spent_on": message})
    if inside is not None:
        in_drawer_check(value, inside)
    expense = Expense.objects.create(
        category=category, location=location, amount=value, spent_on=spent_on, paid_from=paid_from, note=note,
        created_by=actor, request_key=request_key,
    )  # fmt: skip
    entry_post(
        kind=EntryKind.EXPENSE, source=f"expense:{expense.pk}", occurred_at=_moment(spent_on, location, now), actor=actor,
        location_id=location.pk if location else None, reason=note,
        lines=[Line(chart.expense(category.code), value), Line(paid_from, -value)],
    )  # fmt: skip
    staff_acted(
        actor, "expense.written", ip, expense=expense.pk, amount=value, category=category.code, paid_from=paid_from
    )
    return expense


@transaction.atomic
def expense_reverse(expense: Expense, *, reason: str, now: datetime, actor: User, ip: str | None = None) -> Expense:
    """Take an expense back: the money is where it came from again. Once; raises TransitionError (`expense.reversed`).

    Cash goes into the drawer that paid: not while that is being counted, and, where the setting asks for shifts, not
    without one (`cash.no_shift`).
    """
    if not reason.strip():
        message = _("Write why.")
        raise DomainError("expense.reason", message, fields={"reason": message})
    _source_enter(expense.paid_from, actor)
    fresh = lock_row(Expense.objects.all(), expense.pk)
    if fresh.reversed_at is not None:
        raise TransitionError(_("This expense was taken back already."), code="expense.reversed")
    entry = JournalEntry.objects.get(source=f"expense:{fresh.pk}")
    entry_reverse(entry, occurred_at=now, actor=actor, reason=reason)
    Expense.objects.filter(pk=fresh.pk).update(reversed_at=now)
    staff_acted(actor, "expense.reversed", ip, expense=fresh.pk, amount=fresh.amount, reason=reason)
    fresh.refresh_from_db()
    return fresh


def _source_lock(paid_from: str, actor: User) -> Decimal | None:
    """What is in the drawer that pays; None for a bank or the owner, whose balance we do not limit."""
    if not _PAID_FROM.fullmatch(paid_from):
        message = _("Choose a drawer or a bank account.")
        raise DomainError("expense.paid_from", message, fields={"paid_from": message})
    if not paid_from.startswith("cash:"):
        return None
    if paid_from != chart.cash(actor.pk):
        message = _("Only from your own drawer.")
        raise DomainError("expense.paid_from", message, fields={"paid_from": message})
    return drawer_lock(actor.pk)


def _source_enter(paid_from: str, actor: User) -> None:
    owner = chart.cash_owner(paid_from)
    if owner == actor.pk:
        drawer_enter(actor)
    elif owner is not None:
        drawer_of_other_enter(User.objects.get(pk=owner))


def _latest_day(now: datetime) -> date:
    """Today in the zone that is furthest ahead: nobody's today is refused."""
    return now.astimezone(timezone(timedelta(hours=14))).date()


def _moment(spent_on: date, location: Location | None, now: datetime) -> datetime:
    """Reports count an expense on its own day, whenever it is written down."""
    zone = ZoneInfo(location.timezone) if location else get_default_timezone()
    return min(now, datetime.combine(spent_on, time(12), zone))
