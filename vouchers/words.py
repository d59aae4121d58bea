"""Vouchers and batches in words (UI.md): the status and what the routers confirmed, together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.formats import duration, moment_short, money
from core.words import Tone, Words
from locations.choices import Hold
from locations.words import Fact, row_words
from vouchers.choices import BatchStatus, VoucherStatus
from vouchers.selectors import VoucherPlace, VoucherState

# one router counts its own devices at once; over several it takes a poll (30 to 39 s) and a sweep (15 s)
ROAMING_DELAY = gettext_lazy(
    "When more devices than the plan allows use one code at different locations at once, the newer session is ended "
    "within about a minute; later while a router is offline."
)


def place_words(place: VoucherPlace, code: str, zone: str | None = None, now: datetime | None = None) -> Words:
    """One location's line."""
    fact = Fact(
        location_name=place.location_name, is_present=place.is_wanted, is_synced=place.is_confirmed,
        applied_at=place.confirmed_at, hold=place.hold, router_words=place.router_words, reach=place.reach,
        reach_since=place.reach_since, zone=zone, name=code,
    )  # fmt: skip
    return row_words(fact, now)


def status_words(status: str, valid_until: datetime | None = None, zone: str | None = None) -> Words:
    """The status alone."""
    match status:
        case VoucherStatus.NEW:
            return Words(Tone.QUIET, "confirmation_number", _("New"))
        case VoucherStatus.SOLD:
            return Words(Tone.GOOD, "sell", _("Sold"))
        case VoucherStatus.ACTIVE:
            if valid_until is None:
                return Words(Tone.GOOD, "wifi", _("Active"))
            text = _("Active until %(end)s") % {"end": moment_short(valid_until, zone)}
            return Words(Tone.GOOD, "wifi", text)
        case VoucherStatus.EXPIRED:
            return Words(Tone.QUIET, "timer_off", _("Expired"))
    return Words(Tone.QUIET, "block", _("Void"))


def voucher_words(state: VoucherState, zone: str | None = None) -> Words:
    """Status, and where routers do not agree with it yet: `Expired, waiting for router "Pos 2"`."""
    words = status_words(state.status, state.valid_until, zone)
    if state.held:
        place = state.held[0]
        problems = {
            Hold.REFUSED: _("router “%(name)s” refused it"), Hold.CONFLICT: _("router “%(name)s” has its own"),
            Hold.DRIFT: _("it was changed on router “%(name)s”"),
        }  # fmt: skip
        problem = problems[Hold(place.hold)]
        return Words(Tone.BAD, "error", f"{words.text}, {problem % {'name': place.location_name}}")
    waiting = state.waiting
    if not waiting:
        return words
    if len(waiting) == 1:
        text = _("waiting for router “%(name)s”") % {"name": waiting[0].location_name}
    else:
        text = ngettext("waiting for %(n)d router", "waiting for %(n)d routers", len(waiting)) % {"n": len(waiting)}
    return Words(Tone.WAITING, "schedule", f"{words.text}, {text}")


def batch_words(status: str, *, waiting: int = 0, held: int = 0) -> Words:
    """A batch: being made, on its way to routers, or done."""
    match status:
        case BatchStatus.QUEUED:
            return Words(Tone.WAITING, "schedule", _("Waiting to start"))
        case BatchStatus.GENERATING:
            return Words(Tone.WAITING, "sync", _("Being made"))
        case BatchStatus.CANCELLED:
            return Words(Tone.QUIET, "cancel", _("Cancelled; no voucher of it exists"))
        case BatchStatus.FAILED:
            return Words(Tone.BAD, "error", _("Failed; no voucher of it exists"))
    if held:
        return Words(Tone.BAD, "error", _("Ready; routers refused some"))
    if waiting:
        return Words(Tone.WAITING, "schedule", _("Ready; routers are getting them"))
    return Words(Tone.GOOD, "check_circle", _("Ready"))


def event_text(kind: str, details: dict[str, Any], zone: str | None, places: dict[int, str]) -> str:
    """One line of a voucher's history."""
    match kind:
        case "created":
            return _("Made")
        case "sold":
            return _("Sold for %(amount)s") % {"amount": money(details["amount"])} if "amount" in details else _("Sold")
        case "sold_by_use":
            return _("Used before it was sold: %(amount)s taken off the agent's deposit") % {
                "amount": money(details["amount"]),
            }  # fmt: skip
        case "sale_undone":
            return _("Sale undone")
        case "activated" | "first_login":
            return _("First login: the time counts from now")
        case "expired":
            return _("Time is over; removed from the routers")
        case "voided":
            return _("Voided: %(reason)s") % {"reason": details.get("reason", "")}
        case "extended":
            seconds = details.get("seconds")
            return _("Extended by %(time)s") % {"time": duration(int(seconds))} if seconds else _("Extended")
        case "moved":
            names = [places.get(pk, str(pk)) for pk in details.get("after", [])]
            return _("Moved to %(places)s") % {"places": ", ".join(names)}
        case "issued":
            return _("Given to agent %(name)s") % {"name": details.get("name", "")}
        case "returned":
            return _("Taken back from agent %(name)s") % {"name": details.get("name", "")}
        case "revived":
            return _("Opened again")
    return kind.replace("_", " ").capitalize()
