"""Taking over a router in words: where it is, and why a row became what it became."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.formats import moment, money, number
from core.words import Tone, Words
from imports.choices import RouterImportStatus, Verdict
from imports.models import RouterImport, RouterImportRow
from imports.services.routers.checking import adopted_count

REASONS = {
    "routers_own": gettext_lazy("the router's own"),
    "known": gettext_lazy("this login is known here already"),
    "other_installation": gettext_lazy("it belongs to another installation of this system"),
    "odd_name": gettext_lazy("its name has letters in an encoding we cannot write; rename it on the router"),
    "long_name": gettext_lazy("its name has more than %(most)s characters"),
    "long_password": gettext_lazy("its password has more than %(most)s characters"),
    "twice": gettext_lazy("the router has this name more than once; we tell logins apart by name"),
    "twin": gettext_lazy("it differs from “%(other)s” only in capital letters; rename one on the router"),
    "no_profile": gettext_lazy("its profile “%(profile)s” is not on the router"),
    "profile_problem": gettext_lazy("its profile “%(profile)s” cannot be taken over"),
    "left": gettext_lazy("you chose to leave it out"),
    "other_service": gettext_lazy("a login for %(service)s, not for PPPoE"),
    "odd_address": gettext_lazy("its remote address is no IPv4 address"),
    "odd_caller": gettext_lazy("its caller ID is no MAC address"),
    "no_password": gettext_lazy("the router does not show its password: our user there lacks the right “sensitive”"),
    "code_known": gettext_lazy("a voucher with this code exists already"),
    "over": gettext_lazy("its time was over at %(at)s"),
    "used_up": gettext_lazy("its online time is used up"),
    "voucher_new": gettext_lazy("a voucher nobody used yet"),
    "voucher_used": gettext_lazy("a voucher in use"),
    "voucher_until": gettext_lazy("a voucher in use, good until %(until)s"),
    "service": gettext_lazy("a service of %(person)s"),
    "service_off": gettext_lazy("a paused service of %(person)s: it is switched off on the router"),
    "service_blind": gettext_lazy(
        "a service of %(person)s; only the router knows its password, and it goes on working"
    ),
    "profile_long": gettext_lazy("a name or value in it is longer than we can keep"),
    "devices": gettext_lazy("it allows an unlimited number of devices; set a number on the router first"),
    "rate_limit": gettext_lazy("its speed “%(text)s” cannot be kept: %(why)s"),
    "plan_new": gettext_lazy("the new plan “%(plan)s”"),
    "plan_existing": gettext_lazy("the plan “%(plan)s”"),
    "profile_known": gettext_lazy("it belongs to the plan “%(plan)s” already"),
    "profile_other": gettext_lazy("it was made by this system"),
    "sale": gettext_lazy("%(at)s, %(price)s: kept as history"),
    "sale_known": gettext_lazy("kept already"),
    "sale_twice": gettext_lazy("the same row once more"),
    "sale_unreadable": gettext_lazy("its date or price cannot be read"),
    "sales_unwanted": gettext_lazy("you chose not to keep old sales"),
    "pool": gettext_lazy("%(ranges)s; plans name it, the router keeps it"),
    "watchdog": gettext_lazy(
        "it looks after users and goes on doing so; it finds nothing to do once the scripts are retired"
    ),
    "scheduler": gettext_lazy("the router's own"),
    "gone": gettext_lazy("it was gone from the router when this was applied"),
    "not_announced": gettext_lazy("it became possible only after the check; check again"),
    "kept_sold": gettext_lazy("it was sold since; it stays"),
    "kept_used": gettext_lazy("it was used since; it stays"),
    "kept_billed": gettext_lazy("it was billed since; it stays"),
    "kept_changed": gettext_lazy("it was changed since; it stays"),
    "kept_profile": gettext_lazy("something that stays still needs it"),
}
TONES = {
    Verdict.ADOPT: (Tone.GOOD, "check_circle"), Verdict.OURS: (Tone.QUIET, "check"),
    Verdict.STAYS: (Tone.QUIET, "check"), Verdict.SKIP: (Tone.QUIET, "block"), Verdict.PROBLEM: (Tone.BAD, "error"),
}  # fmt: skip


def reason_text(row: RouterImportRow, zone: str) -> str:
    """Why, in the reader's language."""
    details: dict[str, Any] = dict(row.details)
    for name in ("at", "until"):
        if details.get(name):
            details[name] = moment(datetime.fromisoformat(details[name]), zone)
    if "price" in details:
        details["price"] = money(Decimal(details["price"]))
    if row.reason.startswith("service"):
        details["person"] = _person(row, details)
    is_timed = row.reason == "voucher_used" and details.get("until")
    sentence = str(REASONS.get("voucher_until" if is_timed else row.reason, ""))
    try:
        return sentence % details
    except KeyError:  # what was written down before the words changed
        return sentence


def _person(row: RouterImportRow, details: Mapping[str, Any]) -> str:
    if details.get("number"):
        return _("customer %(number)s") % {"number": details["number"]}
    if details.get("person"):
        return _("the new customer %(name)s") % {"name": details["person"]}
    return _("its customer")


def verdict_words(row: RouterImportRow) -> Words:
    tone, icon = TONES[Verdict(row.verdict)]
    if row.reason.startswith("kept_"):
        tone, icon = Tone.WAITING, "help"
    return Words(tone, icon, str(Verdict(row.verdict).label))


def router_import_words(run: RouterImport) -> Words:
    """Where it is and what comes next."""
    values = {"done": number(run.done), "total": number(run.total)}
    count = adopted_count(run.counts)
    match run.status:
        case RouterImportStatus.QUEUED:
            return Words(Tone.WAITING, "hourglass_empty", _("Waits to be read"))
        case RouterImportStatus.CHECKING:
            return Words(Tone.WAITING, "sync", _("The router is being read"))
        case RouterImportStatus.CHECKED:
            text = ngettext("%(n)s row ready to be taken over", "%(n)s rows ready to be taken over", count)
            tone = (Tone.GOOD, "check_circle") if count else (Tone.WAITING, "help")
            return Words(*tone, text % {"n": number(count)})
        case RouterImportStatus.WAITING:
            return Words(Tone.WAITING, "hourglass_empty", _("Waits to be applied"))
        case RouterImportStatus.APPLYING:
            return Words(Tone.WAITING, "sync", _("Being applied: %(done)s of %(total)s") % values)
        case RouterImportStatus.APPLIED:
            text = ngettext("%(n)s row taken over", "%(n)s rows taken over", count)
            return Words(Tone.GOOD, "check_circle", text % {"n": number(count)})
        case RouterImportStatus.UNDO_WAITING:
            return Words(Tone.WAITING, "hourglass_empty", _("Waits to be undone"))
        case RouterImportStatus.UNDOING:
            return Words(Tone.WAITING, "sync", _("Being undone"))
        case RouterImportStatus.UNDONE:
            return Words(Tone.QUIET, "undo", _("Undone; the router has everything as before"))
        case RouterImportStatus.CANCELLED:
            return Words(Tone.QUIET, "block", _("Cancelled, nothing was changed"))
    return Words(Tone.BAD, "error", _("The router could not be read"))
