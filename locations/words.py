"""Rows of routers in words (UI.md, "The words for truth"): what we want and what the router confirmed, never one alone.

Pure functions: they read what they are given and ask no database.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core import clock
from core.formats import ago, duration, moment, moment_short, number
from core.words import Tone, Words
from locations.choices import (
    NOT_REACHED,
    Hold,
    Kind,
    PaceReason,
    Presence,
    Reach,
    ReplacementStatus,
    RolloutMethod,
    RolloutStatus,
    SessionEnd,
)

if TYPE_CHECKING:
    from locations.models import RouterState


@dataclass(frozen=True)
class Fact:
    """What the words need to know about one desired row and the router it is for."""

    location_name: str
    is_present: bool
    is_synced: bool
    applied_at: datetime | None
    hold: str
    router_words: str
    reach: str
    reach_since: datetime | None
    waiting: int = 1
    zone: str | None = None
    is_disabled: bool = False
    is_isolated: bool = False
    name: str = ""
    is_applied_before: bool = True
    waits_for: str = ""  # the router that must let it go first


def row_words(fact: Fact, now: datetime | None = None) -> Words:
    """The one line that says where this row stands."""
    now = now or clock.now()
    if fact.hold == Hold.REFUSED:
        return _refused(fact)
    if fact.hold == Hold.CONFLICT:
        text = _("The router has its own “%(name)s”, not made by us. Take it over or choose another name.")
        return Words(Tone.BAD, "help", text % {"name": fact.name})
    if fact.hold == Hold.DRIFT:
        text = _("Changed on the router, not repaired yet. Decide on the drift page of “%(name)s”.")
        return Words(Tone.BAD, "sync_problem", text % {"name": fact.location_name})
    if fact.is_synced and fact.is_present:
        return _on_router(fact, now)
    if fact.is_synced:
        return Words(Tone.QUIET, "check", _("Gone from the router"))
    if fact.waits_for and fact.is_present:
        text = _("Opened when router “%(name)s” has let it go") % {"name": fact.waits_for}
        return Words(Tone.WAITING, "schedule", text)
    if fact.reach in NOT_REACHED:
        return unreachable_words(fact.reach, fact.reach_since, fact.waiting, fact.zone, now)
    if not fact.is_present:
        text = _("Waiting for router “%(name)s” to remove it") % {"name": fact.location_name}
        return Words(Tone.WAITING, "schedule", text)
    if fact.is_isolated:
        text = _("Waiting for router “%(name)s” to isolate it") % {"name": fact.location_name}
        return Words(Tone.WAITING, "schedule", text)
    return Words(Tone.WAITING, "schedule", _("Waiting for router “%(name)s”") % {"name": fact.location_name})


def _on_router(fact: Fact, now: datetime) -> Words:
    if fact.applied_at is None:
        return Words(Tone.GOOD, "check_circle", _("On router"))
    when = {"ago": ago(fact.applied_at, now)}
    title = moment(fact.applied_at, fact.zone)
    if fact.is_disabled:
        return Words(Tone.QUIET, "block", _("Switched off on the router, checked %(ago)s") % when, title)
    if fact.is_isolated:
        return Words(Tone.BAD, "block", _("Isolated on the router, checked %(ago)s") % when, title)
    return Words(Tone.GOOD, "check_circle", _("On router, checked %(ago)s") % when, title)


def _refused(fact: Fact) -> Words:
    text = _("Router says: “%(words)s” — %(advice)s")
    return Words(Tone.BAD, "error", text % {"words": fact.router_words, "advice": advice_for(fact.router_words)})


def unreachable_words(
    reach: str, since: datetime | None, waiting: int, zone: str | None = None, now: datetime | None = None
) -> Words:
    """`Router offline since 14.05; 12 changes wait`, and its kin."""
    when = {"since": moment_short(since, zone, now) if since else "?"}
    title = moment(since, zone) if since else ""
    if reach == Reach.REFUSED:
        return Words(Tone.BAD, "lock", _("Router refuses our login since %(since)s") % when + _wait(waiting), title)
    if reach == Reach.WRONG_ROUTER:
        text = _("Another router answers at this address; nothing is written to it")
        return Words(Tone.BAD, "swap_horiz", text + _wait(waiting), title)
    if reach == Reach.CERTIFICATE:
        text = _("Certificate of the router not confirmed since %(since)s; nothing is sent to it") % when
        return Words(Tone.BAD, "lock", text + _wait(waiting), title)
    return Words(Tone.BAD, "cloud_off", _("Router offline since %(since)s") % when + _wait(waiting), title)


def _wait(waiting: int) -> str:
    if not waiting:
        return ""
    return ngettext("; %(n)d change waits", "; %(n)d changes wait", waiting) % {"n": waiting}


def reach_words(
    reach: str, since: datetime | None, seen_at: datetime | None, *, waiting: int = 0, zone: str | None = None,
    now: datetime | None = None,
) -> Words:  # fmt: skip
    """A router as a whole."""
    now = now or clock.now()
    if reach == Reach.ONLINE:
        if seen_at is None:
            return Words(Tone.GOOD, "check_circle", _("Online"))
        text = _("Online, seen %(ago)s") % {"ago": ago(seen_at, now)}
        return Words(Tone.GOOD, "check_circle", text, moment(seen_at, zone))
    if reach in NOT_REACHED:
        return unreachable_words(reach, since, waiting, zone, now)
    return Words(Tone.QUIET, "schedule", _("Not contacted yet"))


def fact_of(row: object, *, location: object, state: object | None, waiting: int = 1, waits_for: str = "") -> Fact:
    """The fact behind a desired row (`AccessAccount`, `RouterProfile`) with its location and router state."""
    return Fact(
        location_name=location.name,  # type: ignore[attr-defined]
        is_present=row.presence == Presence.PRESENT,  # type: ignore[attr-defined]
        is_synced=row.is_synced,  # type: ignore[attr-defined]
        applied_at=row.applied_at,  # type: ignore[attr-defined]
        hold=row.hold,  # type: ignore[attr-defined]
        router_words=row.router_words,  # type: ignore[attr-defined]
        reach=getattr(state, "reach", Reach.UNKNOWN),
        reach_since=getattr(state, "reach_since", None),
        waiting=waiting,
        zone=location.timezone,  # type: ignore[attr-defined]
        is_disabled=getattr(row, "is_disabled", False),
        is_isolated=getattr(row, "is_isolated", False),
        name=row.name,  # type: ignore[attr-defined]
        waits_for=waits_for,
    )


# What to do about a router's own words; the first pattern that occurs in them wins (research/routeros.md 1.6: match parts)
_ADVICE: tuple[tuple[str, object], ...] = (
    (
        r"not enough permissions",
        gettext_lazy("give our router user the policies read, write, api and test, then retry."),
    ),
    (
        r"already have|already exists|name exists",
        gettext_lazy("rename one of the two, or take the router's entry over."),
    ),
    (
        r"match any value of profile",
        gettext_lazy("the profile is missing on the router; publish the plan again, then retry."),
    ),
    (
        r"match any value of (address-)?pool",
        gettext_lazy("create this address pool on the router, or take it out of the plan."),
    ),
    (r"match any value of server", gettext_lazy("the hotspot server is missing on the router; set it up, then retry.")),
    (r"no such item", gettext_lazy("somebody removed it on the router; retry puts it back.")),
    (
        r"unknown parameter",
        gettext_lazy("this RouterOS version does not know the option; update the router, then retry."),
    ),
    (
        r"invalid value|value of .* invalid|expected|out of range",
        gettext_lazy("correct this value in the plan or account, then retry."),
    ),
    (r"missing value", gettext_lazy("fill in the missing value, then retry.")),
    (r"contents too long|too long", gettext_lazy("shorten the value, then retry.")),
    (r"disk|no space|storage", gettext_lazy("the router's storage is full; make room on it, then retry.")),
    (
        r"licen[cs]e|limit reached|too many",
        gettext_lazy("the router's licence or memory is at its limit; remove entries or upgrade, then retry."),
    ),
    (r"dynamic|default|built-?in", gettext_lazy("RouterOS protects this entry; choose another name.")),
    (r"timed? ?out|interrupted|busy", gettext_lazy("the router was busy; retry.")),
)


def advice_for(router_words: str) -> str:
    """What a person can do about the router's message."""
    for pattern, advice in _ADVICE:
        if re.search(pattern, router_words, re.IGNORECASE):
            return str(advice)
    return _("look at the router, then retry.")


def kind_icon(kind: str) -> str:
    icon = {Kind.HOTSPOT: "wifi", Kind.PPP: "cable", Kind.STATIC: "router"}
    return icon.get(Kind(kind), "list")


def session_end_words(at: datetime, why: str, zone: str | None = None, now: datetime | None = None) -> Words:
    """When and why the last session ended, as far as seen."""
    when = {"ago": ago(at, now or clock.now())}
    title = moment(at, zone)
    if why == SessionEnd.KICKED:
        return Words(Tone.QUIET, "logout", _("Session ended by us %(ago)s") % when, title)
    if why == SessionEnd.RESTART:
        return Words(Tone.QUIET, "refresh", _("Session lost when the router restarted, %(ago)s") % when, title)
    return Words(
        Tone.QUIET, "logout", _("Session ended %(ago)s, on the customer's side or by the router") % when, title
    )


def rollout_words(
    method: str, status: str, *, is_confirmed: bool, total: int, on_old: int, eta_seconds: int | None
) -> Words:
    """A speed change in one line: confirmed or not, how many still have the old speed, and how the rest get it."""
    if not is_confirmed:
        return Words(Tone.WAITING, "schedule", _("Waiting for the router to confirm the new speed"))
    if not on_old:
        return Words(Tone.GOOD, "check_circle", _("Everybody online has the new speed"))
    counts = {"n": number(on_old), "total": number(total)}
    if method == RolloutMethod.LIVE:
        return Words(Tone.WAITING, "schedule", _("%(n)s of %(total)s queues wait for the new speed") % counts)
    text = _("%(n)s of %(total)s sessions still on the old speed") % counts
    if method == RolloutMethod.KICK and status == RolloutStatus.RUNNING:
        return Words(Tone.WAITING, "schedule", text, _("about %(time)s left") % {"time": duration(eta_seconds or 0)})
    return Words(Tone.WAITING, "schedule", text, _("They get it with their next login"))


def pace_words(state: RouterState, now: datetime | None = None) -> str:
    """How fast the last long push went, and what held it; empty when there was none."""
    if state.push_rate is None or state.push_at is None:
        return ""
    numbers = {
        "n": number(state.push_rate), "limit": number(state.push_limit or 0),
        "ago": ago(state.push_at, now or clock.now()),
    }  # fmt: skip
    texts = {
        PaceReason.SETTING: _("%(n)s a second %(ago)s; this location allows %(limit)s"),
        PaceReason.CPU: _("%(n)s a second %(ago)s; held to %(limit)s because the router's CPU was busy"),
        PaceReason.ANSWERS: _("%(n)s a second %(ago)s; the router did not answer faster"),
    }
    return texts.get(PaceReason(state.push_reason), _("%(n)s a second %(ago)s; nothing held it back")) % numbers


def replacement_words(status: str, *, confirmed: int, total: int, held: int) -> list[Words]:
    """The steps of a new router, each with where it stands: confirmed by a person, filled, compared, done."""
    counts = {"n": number(confirmed), "total": number(total)}
    steps = [Words(Tone.GOOD, "check_circle", _("1. The new router is confirmed"))]
    is_filled = status in {ReplacementStatus.VERIFYING, ReplacementStatus.DONE}
    text = _("2. %(n)s of %(total)s are on it") % counts
    steps.append(Words(Tone.GOOD if is_filled else Tone.WAITING, "check_circle" if is_filled else "schedule", text))
    if held:
        text = ngettext("%(n)d needs a decision", "%(n)d need a decision", held) % {"n": held}
        steps.append(Words(Tone.BAD, "error", text))
    match status:
        case ReplacementStatus.DONE:
            steps.append(Words(Tone.GOOD, "check_circle", _("3. Compared: the router has everything. Done.")))
        case ReplacementStatus.FAILED:
            text = _("3. The router does not keep what is written to it. Look at the drift page.")
            steps.append(Words(Tone.BAD, "error", text))
        case ReplacementStatus.VERIFYING:
            steps.append(Words(Tone.WAITING, "schedule", _("3. Being compared")))
        case ReplacementStatus.ABANDONED:
            steps.append(Words(Tone.QUIET, "block", _("Yet another router was accepted meanwhile")))
        case _:
            steps.append(Words(Tone.QUIET, "schedule", _("3. Compared when everything is on it")))
    return steps
