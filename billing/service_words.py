"""A service in words: its state, what was confirmed, what comes next and why it is held back. No database here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.choices import BillingMode, DiscountKind, FirstBill, PeriodMode, RunStatus, SubscriptionStatus, TaxMode
from billing.models import BillingRun, Subscription
from billing.services.money_preview import MoneyPreview
from billing.words import days_words, percent_words
from core.formats import money, number
from core.words import Tone, Words
from locations.models import RouterEntry
from locations.words import fact_of, row_words

_STATES: dict[str, tuple[Tone, str]] = {
    SubscriptionStatus.DRAFT: (Tone.QUIET, "edit"),
    SubscriptionStatus.ACTIVE: (Tone.GOOD, "check_circle"),
    SubscriptionStatus.GRACE: (Tone.WAITING, "schedule"),
    SubscriptionStatus.ISOLATED: (Tone.BAD, "block"),
    SubscriptionStatus.PAUSED: (Tone.WAITING, "timer_off"),
    SubscriptionStatus.ENDED: (Tone.QUIET, "cancel"),
}
_RUNS: dict[str, tuple[Tone, str]] = {
    RunStatus.QUEUED: (Tone.WAITING, "schedule"),
    RunStatus.RUNNING: (Tone.WAITING, "schedule"),
    RunStatus.DONE: (Tone.GOOD, "check_circle"),
    RunStatus.CANCELLED: (Tone.QUIET, "cancel"),
    RunStatus.FAILED: (Tone.BAD, "error"),
}
EVENTS: dict[str, Any] = {
    "created": gettext_lazy("Written down"),
    "activated": gettext_lazy("Started"),
    "changed": gettext_lazy("Terms changed"),
    "overdue": gettext_lazy("Overdue, still open"),
    "isolated": gettext_lazy("Isolated"),
    "reopened": gettext_lazy("Open again"),
    "settled": gettext_lazy("Nothing overdue any more"),
    "paused": gettext_lazy("Paused"),
    "resumed": gettext_lazy("Back from the pause"),
    "ended": gettext_lazy("Ended"),
    "plan_change_asked": gettext_lazy("Change of plan ordered"),
    "plan_change_cancelled": gettext_lazy("Change of plan cancelled"),
    "plan_changed": gettext_lazy("Plan changed"),
    "promised": gettext_lazy("Promise to pay"),
    "promise_kept": gettext_lazy("Promise to pay kept"),
    "promise_broken": gettext_lazy("Promise to pay not kept"),
    "promise_cancelled": gettext_lazy("Promise to pay cancelled"),
    "login_changed": gettext_lazy("Login changed"),
    "moved": gettext_lazy("Moved to another location"),
    "customer_merged": gettext_lazy("Came along when two customers were merged"),
    "customer_merge_undone": gettext_lazy("Went back when a merge was undone"),
    "billed_again": gettext_lazy("Billed again"),
    "paid_ahead": gettext_lazy("Months billed ahead"),
    "prepay_changed": gettext_lazy("Own discounts for months ahead"),
    "addon_added": gettext_lazy("Add-on added"),
    "addon_ended": gettext_lazy("Add-on ends"),
    "charge_added": gettext_lazy("One-off charge written"),
    "charge_billed": gettext_lazy("One-off charge billed"),
    "charge_cancelled": gettext_lazy("One-off charge dropped"),
    "coupon_used": gettext_lazy("Coupon entered"),
    "coupon_ended": gettext_lazy("Coupon taken away"),
}
# what the counts of a night or a mass step are called
COUNTS: dict[str, Any] = {
    "bills": gettext_lazy("Bills"),
    "billed": gettext_lazy("Sum of the bills"),
    "late_fees": gettext_lazy("Late fees"),
    "overdue": gettext_lazy("Overdue from now on, still open"),
    "isolated": gettext_lazy("Isolated"),
    "reopened": gettext_lazy("Open again"),
    "settled": gettext_lazy("Nothing overdue any more"),
    "resumed": gettext_lazy("Back from a pause"),
    "plan_changes": gettext_lazy("Plans changed"),
    "promises_broken": gettext_lazy("Promises not kept"),
    "promises_kept": gettext_lazy("Promises kept"),
    "refused": gettext_lazy("Not possible, left as they are"),
    "bill": gettext_lazy("Bill"),
    "late_fee": gettext_lazy("Late fee"),
}


def day_text(day: date | None) -> str:
    return date_format(day, "j M Y") if day else "–"


def status_words(status: str) -> Words:
    tone, icon = _STATES[status]
    return Words(tone, icon, str(SubscriptionStatus(status).label).capitalize())


def run_words(run: BillingRun) -> Words:
    tone, icon = _RUNS[run.status]
    return Words(tone, icon, str(RunStatus(run.status).label).capitalize(), run.error)


def login_words(row: Subscription) -> Words | None:
    """What the router confirmed of the login; None while there is no login."""
    account = row.account
    if account is None:
        return None
    return row_words(fact_of(account, location=row.location, state=getattr(row.location, "state", None)))


def address_text(row: Subscription, shut: RouterEntry | None) -> str:
    """The address, and once the service is over whether the router keeps it shut."""
    if not (row.static_address and shut):
        return row.static_address or ""
    state = getattr(row.location, "state", None)
    values = {"address": row.static_address, "state": row_words(fact_of(shut, location=row.location, state=state)).text}
    return _("%(address)s: stays shut on the router until somebody else gets it. %(state)s") % values


def wish_text(row: Subscription) -> str:
    """What we want on the router."""
    if row.status == SubscriptionStatus.ISOLATED:
        return _("should be held back")
    if row.status == SubscriptionStatus.PAUSED:
        return _("should be switched off")
    if row.status == SubscriptionStatus.ENDED:
        return _("should be gone")
    if row.status == SubscriptionStatus.DRAFT:
        return _("should not be there yet")
    return _("should be open")


@dataclass(frozen=True)
class Overdue:
    """The oldest overdue bill of a service, and what keeps it open."""

    due_on: date
    open_amount: Decimal
    bills: int
    promised_until: date | None


@dataclass(frozen=True)
class NextBill:
    """When the next bill is made, for which days, and what its lines come to; what each coupon takes off it.

    `is_before_tax`: tax comes on top of the amount.
    """

    day: date
    start: date
    end: date
    amount: Decimal
    coupons: dict[str, Decimal]
    is_before_tax: bool = False


def overdue_text(row: Subscription, overdue: Overdue | None, today: date) -> str:
    """Why a service is in grace or isolated, or that nothing is overdue, in one or two sentences."""
    if overdue is None:
        return _("Nothing is overdue.")
    values = {"amount": money(overdue.open_amount), "n": overdue.bills, "due": day_text(overdue.due_on)}
    first = ngettext(
        "%(amount)s of %(n)d bill is overdue, due since %(due)s.",
        "%(amount)s of %(n)d bills are overdue, the oldest due since %(due)s.", overdue.bills,
    ) % values  # fmt: skip
    until = overdue.due_on + timedelta(days=row.grace_days)
    if overdue.promised_until is not None and overdue.promised_until >= today:
        second = _("A promise to pay keeps it open until %(day)s.") % {"day": day_text(overdue.promised_until)}
    elif row.isolated_by_hand_on is not None:
        second = _("A person held it back on %(day)s.") % {"day": day_text(row.isolated_by_hand_on)}
    elif today <= until:
        second = _("It stays open until %(day)s.") % {"day": day_text(until)}
    else:
        second = _("Its days of grace ended on %(day)s.") % {"day": day_text(until)}
    return f"{first} {second}"


def terms_text(row: Subscription) -> str:
    """`Prepaid, monthly from the 22nd day, 3 days of grace`."""
    mode = _("Prepaid") if row.billing_mode == BillingMode.PREPAID else _("Postpaid")
    months = ngettext("every %(n)d month", "every %(n)d months", row.period_months) % {"n": row.period_months}
    if row.period_mode == PeriodMode.ROLLING:
        start = _("from its start day")
    elif row.fixed_day > 28:
        start = _("on the last day of the month")
    else:
        start = _("on day %(day)d of the month") % {"day": row.fixed_day}
    due = ngettext("%(n)d day to pay", "%(n)d days to pay", row.due_days) % {"n": row.due_days}
    grace = ngettext("%(n)d day of grace", "%(n)d days of grace", row.grace_days) % {"n": row.grace_days}
    parts = [mode, months, start, due, grace]
    if row.period_mode == PeriodMode.FIXED_DAY:
        parts.insert(3, str(FirstBill(row.first_bill).label))
    return " · ".join(parts)


def tax_text(row: Subscription) -> str:
    return str(TaxMode(row.tax_mode).label).capitalize()


def late_fee_text(row: Subscription) -> str:
    """`IDR 5,000, 7 days after the due date, once per bill`."""
    if not row.late_fee:
        return _("None")
    is_percent = row.late_fee_kind == DiscountKind.PERCENT
    values = {"fee": percent_words(row.late_fee) if is_percent else money(row.late_fee), "n": row.late_fee_days}
    return ngettext(
        "%(fee)s, %(n)d day after the due date, once per bill", "%(fee)s, %(n)d days after the due date, once per bill",
        row.late_fee_days,
    ) % values  # fmt: skip


def balance_use_text(row: Subscription) -> str:
    """Whether the customer's balance pays the bills of this service."""
    return _("Pays the bills by itself") if row.is_auto_renewed else _("Pays no bill by itself")


def next_bill_text(bill: NextBill) -> str:
    """`22 Dec 2026: IDR 150,000 for 22 Dec – 21 Jan 2027`."""
    text = (
        _("%(day)s: %(amount)s before tax for %(days)s")
        if bill.is_before_tax
        else _("%(day)s: %(amount)s for %(days)s")
    )
    return text % {"day": day_text(bill.day), "amount": money(bill.amount), "days": days_words(bill.start, bill.end)}


def prepay_words(table: Mapping[int, Decimal]) -> str:
    """`6 months: 5 % · 12 months: 20 %`."""
    texts = [
        ngettext("%(n)d month: %(off)s", "%(n)d months: %(off)s", months) % {"n": months, "off": percent_words(percent)}
        for months, percent in table.items()
    ]
    return " · ".join(texts)


def preview_points(found: MoneyPreview) -> list[str]:
    """What a step would do to the money, one sentence each, to the rupiah."""
    points = []
    if found.credited:
        points.append(_("%(amount)s of what is billed is credited.") % {"amount": money(found.credited)})
    for bill in found.bills:
        lines = "; ".join(f"{words}: {money(amount)}" for words, amount in bill.lines)
        values = {"amount": money(bill.total), "day": day_text(bill.due_on), "lines": lines}
        points.append(_("A bill of %(amount)s, to pay by %(day)s. %(lines)s") % values)
    if not points:
        points.append(_("Nothing is credited and nothing is billed."))
    values = {
        "debt": money(found.debt), "debt_before": money(found.debt_before),
        "balance": money(found.balance), "balance_before": money(found.balance_before),
    }  # fmt: skip
    text = _(
        "The customer then owes %(debt)s (now %(debt_before)s) and has %(balance)s in the balance (now %(balance_before)s)."
    )
    return [*points, text % values]


def counts_rows(outcome: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The counts of a run, in the order of `COUNTS`, in words."""
    rows = []
    for key, label in COUNTS.items():
        value = outcome.get(key)
        if value:
            rows.append((str(label), money(Decimal(str(value))) if key == "billed" else number(int(value))))
    return rows
