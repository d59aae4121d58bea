"""Checks about sessions: is the customer online now, and when was he last?"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.choices import PlanType
from core.formats import ago, duration
from dashboard.offline.finding import Finding, Verdict
from dashboard.offline.line import Line
from locations.choices import Reach, SessionEnd
from locations.models import AccessAccount


def online_now(line: Line) -> Finding | None:
    """Sessions of a router that does not answer are a memory, not a fact."""
    live = line.live_sessions
    if not live or line.reach != Reach.ONLINE:
        return None
    first = max(live, key=lambda session: session.uptime_seconds)
    seconds = first.uptime_seconds + max(0, int((line.now - first.seen_at).total_seconds()))
    values = {"time": duration(seconds), "address": first.address or "?", "n": len(live)}
    sentence = ngettext(
        "Online for %(time)s with address %(address)s.",
        "Online with %(n)d devices, the longest for %(time)s with address %(address)s.",
        len(live),
    )
    advice = _("If nothing loads there, look at the customer's own router and Wi-Fi.")
    return Finding("online", Verdict.ONLINE, sentence % values, advice)


def last_seen(line: Line) -> Finding | None:
    """What is left to say when nothing on our side keeps the line off."""
    account = line.account
    if account is None or online_now(line) is not None:
        return None
    if line.subscription.type == PlanType.STATIC:
        sentence = _("A static address has no login, so nobody can see whether it is in use.")
        return Finding("seen", Verdict.NOTE, sentence, _nothing_here())
    if account.last_seen_at is None:
        sentence = _("Has never been online with login “%(name)s”.") % {"name": account.name}
        return Finding("seen", Verdict.NOTE, sentence, _("Check user name and password in the customer's device."))
    return Finding("seen", Verdict.NOTE, _ending(line, account) or _seen(line, account.last_seen_at), _nothing_here())


def _seen(line: Line, at: datetime) -> str:
    values = {"moment": line.moment(at), "ago": ago(at, line.now)}
    return _("Not online; last seen %(moment)s (%(ago)s).") % values


def _ending(line: Line, account: AccessAccount) -> str:
    """What was observed about the end of the last session; "" when nothing was."""
    if account.last_session_ended_at is None or account.last_session_end == SessionEnd.NONE:
        return ""
    at = account.last_session_ended_at
    values = {
        "moment": line.moment(at), "ago": ago(at, line.now), "why": str(SessionEnd(account.last_session_end).label),
    }  # fmt: skip
    return _("Not online; the last session ended %(moment)s (%(ago)s): %(why)s.") % values


def _nothing_here() -> str:
    return _("Nothing on our side keeps it off: check power, cable and signal at the customer's, then the device.")
