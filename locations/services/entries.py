"""Nameless entries that should be on a router, and the set of them that makes isolation work."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.db.locks import lock_row
from core.errors import DomainError
from core.staff_events import StaffActed
from locations.choices import ISOLATION_TAG, OFF_LIST, OFF_TAG, EntryKind, Hold, Kind, Presence, Priority
from locations.models import Location, RouterEntry, RouterProfile
from locations.services.kicks import kick_locations
from locations.sync.entry_menus import entry_name

_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


@transaction.atomic
def entry_put(
    *,
    location: Location,
    kind: str,
    words: Mapping[str, str],
    tag: str,
    place: int = 0,
    priority: int = Priority.CHANGE,
) -> RouterEntry:
    """Make an entry wanted as given. Its identity is what the router knows it by, or for a rule its `tag`, its role.

    Raises DomainError when a word that identifies it is missing, or a tag does not fit.
    """
    name = entry_name(kind, words, tag)
    if not name or len(tag) > 16:
        raise DomainError("entry.no_identity", _("This entry names nothing a router could tell apart."))
    wanted = {"words": dict(words), "place": place, "tag": tag, "presence": Presence.PRESENT}
    # locked when found: one on its way out goes when the writer hears that it is gone
    entry, is_new = RouterEntry.objects.select_for_update(of=("self",)).get_or_create(
        location=location, kind=kind, name=name, defaults={**wanted, "priority": priority}
    )
    if not is_new:
        _change(entry, priority, wanted)
    kick_locations([location.pk])
    return entry


@transaction.atomic
def entry_remove(entry: RouterEntry, *, priority: int = Priority.REMOVAL) -> None:
    """Want it off the router; the row goes when the router confirmed."""
    entry = lock_row(RouterEntry.objects.all(), entry.pk)
    _change(entry, priority, {"presence": Presence.ABSENT})
    kick_locations([entry.location_id])


@transaction.atomic
def entry_adopt(entry: RouterEntry, *, actor: User | None, ip: str | None = None) -> None:
    """Take over the router's own row: a person decided that it is this entry."""
    entry = lock_row(RouterEntry.objects.all(), entry.pk)
    if entry.hold != Hold.CONFLICT:
        raise DomainError("account.no_conflict", _("There is no conflict to decide here."), status=409)
    _change(entry, Priority.CHANGE, {"is_adopted": True})
    details = {"entry": entry.pk, "name": entry.name, "location": entry.location_id}
    events.emit(StaffActed(actor.pk if actor else None, "entry.adopted", details, ip))
    kick_locations([entry.location_id], is_forced=True)


def _change(entry: RouterEntry, priority: int, wanted: Mapping[str, object]) -> None:
    different = {key: value for key, value in wanted.items() if getattr(entry, key) != value}
    if not different:
        return
    for key, value in different.items():
        setattr(entry, key, value)
    entry.revision += 1
    entry.priority, entry.hold, entry.router_words = priority, Hold.NONE, ""
    entry.save(update_fields=[*different, "revision", "priority", "hold", "router_words", "changed_at"])


# --- the set that makes isolation work --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    kind: str
    words: dict[str, str] = field(default_factory=dict)
    tag: str = ISOLATION_TAG
    place: int = 0

    @property
    def key(self) -> tuple[str, str]:
        return (str(self.kind), entry_name(self.kind, self.words, self.tag))


@transaction.atomic
def location_isolation_put(location: Location) -> int:
    """Want the whole isolation set of this location, and nothing of an older one. Returns how many entries are wanted.

    Without an isolation page the operator's own rules decide what the address list means. What is switched off is
    ours alone to hold back: where there are static addresses, the rule that drops what `OFF_LIST` sends is wanted too.
    """
    wanted = {one.key: one for one in isolation_set(location, _has_profile(location, Kind.HOTSPOT))}
    if _has_profile(location, Kind.STATIC) or _has_shut(location):
        wanted |= {OFF_RULE.key: OFF_RULE}
    here = RouterEntry.objects.filter(location=location, tag__startswith=ISOLATION_TAG, presence=Presence.PRESENT)
    for entry in here:
        if (entry.kind, entry.name) not in wanted:
            entry_remove(entry)
    for one in wanted.values():
        entry_put(location=location, kind=one.kind, words=one.words, tag=one.tag, place=one.place)
    return len(wanted)


def isolation_sets_refresh() -> int:
    """Bring the sets of all locations that have one up to date; returns how many were looked at."""
    static = RouterProfile.objects.filter(kind=Kind.STATIC).values("location_id")
    shut = RouterEntry.objects.filter(tag__in=[OFF_TAG, OFF_RULE.tag]).values("location_id")
    has_set = Q(isolation_page_address__isnull=False) | Q(pk__in=static) | Q(pk__in=shut)
    locations = list(Location.objects.filter(has_set, is_active=True).order_by("pk"))
    for location in locations:
        location_isolation_put(location)
    return len(locations)


def _has_profile(location: Location, kind: str) -> bool:
    return RouterProfile.objects.filter(location=location, kind=kind, presence=Presence.PRESENT).exists()


def _has_shut(location: Location) -> bool:
    return RouterEntry.objects.filter(location=location, tag=OFF_TAG).exists()


# before the rules of the page: who is switched off reaches nothing, not even that
OFF_RULE = Wanted(
    EntryKind.FILTER, {"chain": "forward", "src-address-list": OFF_LIST, "action": "drop"}, f"{ISOLATION_TAG}-off", 0
)


def isolation_set(location: Location, has_hotspot: bool) -> list[Wanted]:
    """Who stands in the list may ask for names and reach the allowed hosts; his web pages lead to the page."""
    page = location.isolation_page_address
    if not page:
        return []
    blocked, allowed = location.isolation_list, f"{location.isolation_list}-ok"
    hosts = [page, *allowed_hosts(location)]
    entries = [Wanted(EntryKind.ADDRESS_LIST, {"list": allowed, "address": host}) for host in dict.fromkeys(hosts)]
    if has_hotspot:
        entries += [_walled(host) for host in dict.fromkeys(hosts)]
    return [*entries, *_rules(location, page, blocked, allowed)]


def _walled(host: str) -> Wanted:
    """Guests who are not logged in reach these too, to pay."""
    if is_address(host):
        return Wanted(EntryKind.WALLED_GARDEN_IP, {"action": "accept", "dst-address": host})
    return Wanted(EntryKind.WALLED_GARDEN, {"action": "allow", "dst-host": host})


def _rules(location: Location, page: str, blocked: str, allowed: str) -> list[Wanted]:
    forward = {"chain": "forward", "src-address-list": blocked}
    return [
        Wanted(
            EntryKind.NAT,
            {
                "chain": "dstnat", "src-address-list": blocked, "dst-address-list": f"!{allowed}", "protocol": "tcp",
                "dst-port": "80", "action": "dst-nat", "to-addresses": page,
                "to-ports": str(location.isolation_page_port),
            },
            "iso-page",
        ),
        Wanted(EntryKind.FILTER, {**forward, "dst-address-list": allowed, "action": "accept"}, "iso-allow", 1),
        Wanted(
            EntryKind.FILTER, {**forward, "protocol": "udp", "dst-port": "53", "action": "accept"}, "iso-names", 2
        ),
        Wanted(EntryKind.FILTER, {**forward, "action": "drop"}, "iso-drop", 3),
    ]  # fmt: skip


def allowed_hosts(location: Location) -> list[str]:
    """This server and the hosts of the location's setting, one a line. Names of this machine alone mean nothing there."""
    own = (urlsplit(settings.PUBLIC_URL).hostname or "").lower()
    named = [line.strip().lower() for line in location.isolation_allowed_hosts.splitlines()]
    return [host for host in dict.fromkeys([own, *named]) if host and host_problem(host) == ""]


def host_problem(host: str) -> str:
    """Why a router cannot be told to let this host through; empty when it can."""
    if is_address(host):
        return _("This address means the router or server itself.") if ipaddress.ip_address(host).is_loopback else ""
    return "" if _HOST.fullmatch(host) else _("“%(host)s” is not a host name or address.") % {"host": host}


def is_address(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
