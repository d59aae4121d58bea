"""What a plan is and why a line is on a bill, in words, wherever it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.choices import InvoiceKind, InvoiceStatus, LineKind, ValidityFrom
from billing.models import Invoice, InvoiceLine, Plan
from core.formats import data_size, duration, money, number
from core.words import Tone, Words


def plan_offer(row: Plan) -> str:
    """`Paket Harian · IDR 5,000 · 1 day from first login`."""
    return f"{row.name} · {money(row.price_sell)} · {plan_terms(row)}"


def plan_terms(row: Plan) -> str:
    """`1 day from first login · 2 GB · 2 devices`."""
    parts = []
    if row.duration_seconds:
        start = _("from sale") if row.validity_from == ValidityFrom.SALE else _("from first login")
        parts.append(f"{duration(row.duration_seconds)} {start}")
    if row.uptime_limit_seconds:
        parts.append(_("%(time)s online") % {"time": duration(row.uptime_limit_seconds)})
    if row.data_limit_bytes:
        parts.append(data_size(row.data_limit_bytes))
    if row.shared_users > 1:
        parts.append(_("%(n)s devices") % {"n": number(row.shared_users)})
    return " · ".join(parts) or _("no end")


# --- bills ----------------------------------------------------------------------------------------------------------


def invoice_words(row: Invoice, today: date) -> Words:
    """Where a bill stands, for staff."""
    if row.kind == InvoiceKind.CREDIT_NOTE:
        return Words(Tone.QUIET, "undo", _("Credit note"))
    if row.status == InvoiceStatus.DRAFT:
        return Words(Tone.QUIET, "edit", _("Draft"))
    if row.status == InvoiceStatus.VOID:
        return Words(Tone.QUIET, "block", _("Void"))
    if row.status == InvoiceStatus.PAID:
        return Words(Tone.GOOD, "check_circle", _("Settled"))
    if row.due_on is not None and row.due_on < today:
        n = (today - row.due_on).days
        late = ngettext("Open, %(n)d day late", "Open, %(n)d days late", n) % {"n": n}
        return Words(Tone.BAD, "error", late)
    return Words(Tone.WAITING, "schedule", _("Partly settled") if row.settled_amount else _("Open"))


DEBT_BEFORE = "debt_before"

# --- lines of bills -------------------------------------------------------------------------------------------------
#
# `details` of a line, by kind. Days are ISO; "to" is the first day after; amounts and percents are text.
#   subscription  plan, from, to, months, price        (price of one month)
#   proration     plan, from, to, days, of, price      (of: days of that month)
#   addon         name, from, to; when it is not the whole span also days, price; addon: which one (no word of it)
#   charge        name, on
#   discount      coupon (its code) or months (paid ahead); percent unless it is an amount; carried: the number of the
#                 bill it came from with its days. Or the number of a bill as `credited` (people credited so much of
#                 these days) or `rounding` (of its tax); or elsewhere: the first day not paid in another system
#   late_fee      number, due_on; percent when it is one
#   plan_credit   plan, to_plan, from, to, days
#   credit        of a service: reason (paused, ended), plan, from, to, days
#                 on a credit note: number, kind, text, details of the line it mirrors; why: see `why_words`
#   manual        its text, until the person was erased; or said: debt_before (owed before this house knew him)


def line_words(line: InvoiceLine) -> str:
    """Why this line is on the bill, in the reader's language; what a person wrote is shown as written."""
    return line.text or words_of_details(line.kind, line.details)


def words_of_details(kind: str, details: Mapping[str, Any]) -> str:
    """The sentence of a line without a text. Old lines whose details lack something fall back to the name of their kind."""
    try:
        return SENTENCES[LineKind(kind)](details)
    except (KeyError, ValueError, TypeError):
        return str(LineKind(kind).label) if kind in LineKind.values else kind


def carried_words(debt: Decimal, balance: Decimal) -> list[str]:
    """A line each under an open bill, for its customer: older debt, and money we hold; none for what is nothing."""
    lines = [_("Bills from before that are still to pay: %(amount)s.") % {"amount": money(debt)}] if debt else []
    return lines + ([_("Your balance with us: %(amount)s.") % {"amount": money(balance)}] if balance else [])


def note_words(note: str, details: Mapping[str, Any] | None) -> str:
    """What stands under a bill: why a credit note was made, by `details` of its first line, and what a person wrote."""
    why = why_words(details or {})
    return " ".join(f"{why}. {note}".split()) if why and note else why or note


def why_words(details: Mapping[str, Any]) -> str:
    """Why days came back, in the reader's language; "" where a person wrote the credit note, or where it is an old one.

    `why` holds why (paused, ended, plan_change, addons_paused, addons_ended, addon_ended), from, to, days and of.
    """
    why = details.get("why")
    if not isinstance(why, Mapping):
        return ""
    try:
        values = {"days": _days(why), "n": int(why.get("days", 0)), "of": int(why.get("of", 0))}
        values["name"] = str(details.get("details", {}).get("name", ""))
        return _WHY[why["why"]](values)
    except (KeyError, ValueError, TypeError):
        return ""


_WHY: dict[str, Callable[[dict[str, Any]], str]] = {
    "paused": lambda values: ngettext(
        "Paused %(days)s: %(n)d of %(of)d days credited", "Paused %(days)s: %(n)d of %(of)d days credited", values["n"]
    ) % values,
    "ended": lambda values: ngettext(
        "Ended, not used %(days)s: %(n)d of %(of)d days credited",
        "Ended, not used %(days)s: %(n)d of %(of)d days credited", values["n"],
    ) % values,
    "plan_change": lambda values: ngettext(
        "Plan changed, not used %(days)s: %(n)d of %(of)d days credited",
        "Plan changed, not used %(days)s: %(n)d of %(of)d days credited", values["n"],
    ) % values,
    "addons_paused": lambda values: _("Add-ons, paused %(days)s") % values,
    "addons_ended": lambda values: _("Add-ons, ended, not used %(days)s") % values,
    "addon_ended": lambda values: _("%(name)s, ended, not used %(days)s") % values,
}  # fmt: skip


def days_words(start: date, end: date) -> str:
    """`22 Nov – 21 Dec 2026` for the days from `start` up to the day before `end`."""
    last = end - timedelta(days=1)
    if last <= start:
        return date_format(start, "j M Y")
    if (last.year, last.month) == (start.year, start.month):
        return f"{start.day} – {date_format(last, 'j M Y')}"
    first = date_format(start, "j M" if last.year == start.year else "j M Y")
    return f"{first} – {date_format(last, 'j M Y')}"


def percent_words(percent: Decimal | str) -> str:
    """`11 %`, `2.5 %`, in Indonesian `2,5 %`."""
    value = Decimal(percent).normalize()
    decimals = max(0, -int(value.as_tuple().exponent))
    return f"{number(value, decimals)} %"


def _days(details: Mapping[str, Any]) -> str:
    return days_words(date.fromisoformat(details["from"]), date.fromisoformat(details["to"]))


def _subscription(details: Mapping[str, Any]) -> str:
    months = int(details.get("months", 1))
    named = {"plan": details["plan"], "days": _days(details), "n": months}
    if months > 1:
        return ngettext("%(plan)s, %(n)d month, %(days)s", "%(plan)s, %(n)d months, %(days)s", months) % named
    return _("%(plan)s, %(days)s") % named


def _proration(details: Mapping[str, Any]) -> str:
    n = int(details["days"])
    sentence = ngettext(
        "%(plan)s, %(days)s: %(n)d of %(of)d days at %(price)s",
        "%(plan)s, %(days)s: %(n)d of %(of)d days at %(price)s",
        n,
    )
    return sentence % {
        "plan": details["plan"], "days": _days(details), "n": n, "of": int(details["of"]),
        "price": money(Decimal(details["price"])),
    }  # fmt: skip


def _addon(details: Mapping[str, Any]) -> str:
    named = {"plan": details["name"], "days": _days(details)}
    if "days" not in details:
        return _("%(plan)s, %(days)s") % named
    n, price = int(details["days"]), money(Decimal(details["price"]))
    sentence = ngettext(
        "%(plan)s, %(days)s: %(n)d day at %(price)s a month", "%(plan)s, %(days)s: %(n)d days at %(price)s a month", n
    )
    return sentence % (named | {"n": n, "price": price})


def _charge(details: Mapping[str, Any]) -> str:
    return str(details["name"])


def _discount(details: Mapping[str, Any]) -> str:
    off = percent_words(details["percent"]) if "percent" in details else ""
    if "coupon" in details:
        named = {"code": details["coupon"], "off": off}
        return _("Coupon %(code)s: %(off)s off") % named if off else _("Coupon %(code)s") % named
    if "credited" in details:
        return _("Credited for these days on %(number)s") % {"number": details["credited"]}
    if "rounding" in details:
        return _("Rounding of %(number)s") % {"number": details["rounding"]}
    if "elsewhere" in details:
        until = date.fromisoformat(details["elsewhere"]) - timedelta(days=1)
        return _("Paid in another system until %(day)s") % {"day": date_format(until, "j M Y")}
    n = int(details["months"])
    sentence = ngettext("Paid %(n)d month ahead: %(off)s off", "Paid %(n)d months ahead: %(off)s off", n)
    return sentence % {"n": n, "off": off}


def _late_fee(details: Mapping[str, Any]) -> str:
    due = date_format(date.fromisoformat(details["due_on"]), "j M Y")
    if "percent" in details:
        sentence = _("Late fee of %(percent)s for %(number)s, which was due on %(due)s")
        return sentence % {"percent": percent_words(details["percent"]), "number": details["number"], "due": due}
    return _("Late fee for %(number)s, which was due on %(due)s") % {"number": details["number"], "due": due}


def _plan_credit(details: Mapping[str, Any]) -> str:
    n = int(details["days"])
    sentence = ngettext(
        "%(plan)s, changed to %(to)s: %(n)d day paid but not used, %(days)s",
        "%(plan)s, changed to %(to)s: %(n)d days paid but not used, %(days)s",
        n,
    )
    return sentence % {"plan": details["plan"], "to": details["to_plan"], "n": n, "days": _days(details)}


def _credit(details: Mapping[str, Any]) -> str:
    if "number" in details:
        what = details.get("text") or words_of_details(details["kind"], details["details"])
        return _("Credit for %(number)s: %(what)s") % {"number": details["number"], "what": what}
    n = int(details["days"])
    if details["reason"] == "paused":
        sentence = ngettext(
            "%(plan)s, paused: %(n)d day not used, %(days)s", "%(plan)s, paused: %(n)d days not used, %(days)s", n
        )
    else:
        sentence = ngettext(
            "%(plan)s, ended: %(n)d day not used, %(days)s", "%(plan)s, ended: %(n)d days not used, %(days)s", n
        )
    return sentence % {"plan": details["plan"], "n": n, "days": _days(details)}


def _manual(details: Mapping[str, Any]) -> str:
    if details.get("said") == DEBT_BEFORE:
        return _("Debt from before")
    return str(details.get("text") or _("no longer kept"))


SENTENCES: dict[LineKind, Callable[[Mapping[str, Any]], str]] = {
    LineKind.SUBSCRIPTION: _subscription,
    LineKind.PRORATION: _proration,
    LineKind.ADDON: _addon,
    LineKind.CHARGE: _charge,
    LineKind.DISCOUNT: _discount,
    LineKind.LATE_FEE: _late_fee,
    LineKind.PLAN_CREDIT: _plan_credit,
    LineKind.CREDIT: _credit,
    LineKind.MANUAL: _manual,
}
