"""Who is online at the locations of one person, with whose it is and what was asked of it: a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from billing.models import Subscription
from billing.selectors import subscriptions_visible_to
from core.formats import ago, moment_short
from core.words import Tone, Words
from customers.selectors import customers_search
from dashboard import links
from locations.choices import Kind, Reach
from locations.models import Location, RouterSession, RouterState, SessionKick
from locations.selectors import locations_visible_to
from locations.selectors_sessions import (
    kicks_recent,
    kicks_visible_to,
    sessions_found,
    sessions_visible_to,
)

PAGE = 50
PEOPLE = 200  # customers a search may bring sessions of
COUNTED = 100_000


@dataclass(frozen=True)
class Owner:
    name: str
    url: str
    plan: str


@dataclass(frozen=True)
class Row:
    session: RouterSession
    words: Words
    owner: Owner | None
    plan: str
    account_url: str
    can_end: bool


@dataclass(frozen=True)
class KickRow:
    kick: SessionKick
    words: Words
    place: str
    note: str


@dataclass(frozen=True)
class SessionsPage:
    rows: Sequence[Row]
    kicks: Sequence[KickRow]
    places: Sequence[Location]
    total: int
    older: int | None
    offline: Sequence[str]


@dataclass(frozen=True)
class Asked:
    """What the page was asked for; `before` is the key of an older page."""

    query: str = ""
    kind: str = ""
    location: int = 0
    before: int = 0


def sessions_asked(user: User, asked: Asked) -> QuerySet[RouterSession]:
    """The sessions this person may see and looks for."""
    rows = sessions_visible_to(user)
    if asked.kind in Kind.values:
        rows = rows.filter(kind=asked.kind)
    if asked.location:
        rows = rows.filter(location_id=asked.location)
    return sessions_found(rows, asked.query, _accounts_of(user, asked.query))


def _accounts_of(user: User, query: str) -> list[int]:
    """Accounts of the customers the words find; nobody's for people who may not see customers."""
    if len(query) < 2 or not (user.has_perm("customers.view_customer") and user.has_perm("billing.view_subscription")):
        return []
    people = list(customers_search(user, query).order_by("-pk").values_list("pk", flat=True)[:PEOPLE])
    services = subscriptions_visible_to(user).filter(customer_id__in=people, account__isnull=False)
    return [pk for pk in services.values_list("account_id", flat=True) if pk is not None]


def sessions_page(user: User, asked: Asked, now: datetime) -> SessionsPage:
    places = list(locations_visible_to(user).order_by("name"))
    found = sessions_asked(user, asked)
    total = found.order_by()[:COUNTED].count()
    shown = found.filter(pk__lt=asked.before) if asked.before else found
    sessions = list(shown.select_related("account__profile").defer("account__password").order_by("-pk")[: PAGE + 1])
    owners = _owners(user, [s.account_id for s in sessions[:PAGE] if s.account_id])
    kicks = list(kicks_recent(kicks_visible_to(user), now)[:PAGE])
    by_id = {place.pk: place for place in places}
    open_kicks = {(k.location_id, k.kind, k.router_id): k for k in kicks if k.ended_at is None}
    rows = []
    for session in sessions[:PAGE]:
        session.location = by_id[session.location_id]
        kick = open_kicks.get((session.location_id, session.kind, session.router_id))
        rows.append(_row(session, owners.get(session.account_id or 0), kick, now))
    return SessionsPage(
        rows=rows,
        kicks=[_kick_row(kick, by_id[kick.location_id], now) for kick in kicks],
        places=places,
        total=total,
        older=sessions[PAGE - 1].pk if len(sessions) > PAGE else None,
        offline=[place.name for place in places if place.is_active and _reach(place) != Reach.ONLINE],
    )


def _reach(place: Location) -> str:
    state: RouterState | None = getattr(place, "state", None)
    return state.reach if state is not None else Reach.UNKNOWN


def _owners(user: User, account_ids: Sequence[int]) -> dict[int, Owner]:
    if not user.has_perm("billing.view_subscription"):
        return {}
    services = subscriptions_visible_to(user).filter(account_id__in=account_ids).select_related("customer", "plan")
    may_open = user.has_perm("customers.view_customer")
    return {row.account_id or 0: _owner(row, may_open=may_open) for row in services.defer("password")}


def _owner(row: Subscription, *, may_open: bool) -> Owner:
    url = links.customer_page(row.customer_id) if may_open else ""
    return Owner(row.customer.name if may_open else "", url, row.plan.name)


def _row(session: RouterSession, owner: Owner | None, kick: SessionKick | None, now: datetime) -> Row:
    account = session.account
    plan = owner.plan if owner is not None else account.profile.name if account is not None else ""
    url = links.account_page(account.pk) if account is not None else ""
    return Row(session, _words(session, kick, now), owner, plan, url, session.kind != Kind.STATIC and kick is None)


def _words(session: RouterSession, kick: SessionKick | None, now: datetime) -> Words:
    """Only what the last poll saw is said to be so; the moment it was seen stands with it."""
    seen = ago(session.seen_at, now)
    if _reach(session.location) != Reach.ONLINE:
        text = _("Router not reachable; last seen %(ago)s") % {"ago": seen}
        return Words(Tone.WAITING, "cloud_off", text)
    if kick is not None:
        return Words(Tone.WAITING, "schedule", _("End asked for %(ago)s") % {"ago": ago(kick.asked_at, now)})
    return Words(Tone.GOOD, "check_circle", _("Online, seen %(ago)s") % {"ago": seen})


def _kick_row(kick: SessionKick, place: Location, now: datetime) -> KickRow:
    note = _("A cookie would have let it in again without a password; it was removed.") if kick.had_cookie else ""
    return KickRow(kick, _kick_words(kick, place, now), place.name, note)


def _kick_words(kick: SessionKick, place: Location, now: datetime) -> Words:
    if kick.ended_at is None:
        values = {"ago": ago(kick.asked_at, now), "place": place.name}
        if _reach(place) != Reach.ONLINE:
            text = _("Asked for %(ago)s; waits until router “%(place)s” can be reached")
        else:
            text = _("Asked for %(ago)s, waiting for router “%(place)s”")
        return Words(Tone.WAITING, "schedule", text % values)
    if kick.came_back_at is not None:
        at = moment_short(kick.came_back_at, place.timezone, now)
        return Words(Tone.BAD, "undo", _("Ended, and came back at %(at)s: logged in again") % {"at": at})
    at = moment_short(kick.ended_at, place.timezone, now)
    return Words(Tone.GOOD, "check_circle", _("Ended at %(at)s, confirmed by the router") % {"at": at})
