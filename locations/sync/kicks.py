"""Ending single sessions that a person pointed at: looked up, ended, looked up again. Nothing is believed unread."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from locations.choices import Kind, SessionEnd
from locations.models import RouterSession, SessionKick
from locations.routeros.client import RouterClient
from locations.sync.batch import remove_rows
from locations.sync.menus import MENUS
from locations.sync.outcome import sessions_ended_record
from locations.sync.sessions import record_of, records_write

AT_ONCE = 500
WATCHED = timedelta(minutes=10)  # so long a new session of the same device is told as "came back"


def kicks_due(location_id: int, tried: Collection[int] = ()) -> list[SessionKick]:
    rows = SessionKick.objects.filter(location_id=location_id, ended_at=None).exclude(pk__in=tried)
    return list(rows.order_by("pk")[:AT_ONCE])


@dataclass
class KickWork:
    """What became of kicks: those whose session is not on the router any more, and which of them had a cookie."""

    gone: list[SessionKick] = field(default_factory=list)
    cookies: set[int] = field(default_factory=set)


def kicks_send(client: RouterClient, kicks: Sequence[SessionKick], work: KickWork) -> None:
    """Cookies first, or the device is back before they are gone. `work` grows as answers come."""
    for kind in (Kind.HOTSPOT, Kind.PPP):
        mine = [kick for kick in kicks if kick.kind == kind]
        if not mine:
            continue
        menu = MENUS[kind]
        if menu.cookies:
            _cookies_remove(client, menu.cookies, mine, work)
        remove_rows(client, menu.active, sorted(_ids(client, menu.active, menu.active_name, mine)))
        left = _ids(client, menu.active, menu.active_name, mine)
        work.gone += [kick for kick in mine if kick.router_id not in left]


def _ids(client: RouterClient, path: str, key: str, kicks: Sequence[SessionKick]) -> set[str]:
    """The wanted sessions that are there. An id alone is not enough: after a restart it may be somebody else's."""
    wanted = {(kick.router_id, kick.name) for kick in kicks}
    return {row[".id"] for row in client.print(path, (".id", key)) if (row.get(".id"), row.get(key)) in wanted}


def _cookies_remove(client: RouterClient, path: str, kicks: Sequence[SessionKick], work: KickWork) -> None:
    """The device's cookies; all of the user's where the device is not known."""
    devices = {(kick.name, kick.mac_address.upper()): kick.pk for kick in kicks}
    doomed = []
    for row in client.print(path, (".id", "user", "mac-address")):
        user = row.get("user", "")
        kick_id = devices.get((user, row.get("mac-address", "").upper())) or devices.get((user, ""))
        if kick_id is not None:
            doomed.append(row[".id"])
            work.cookies.add(kick_id)
    remove_rows(client, path, doomed)


def kicks_record(location_id: int, work: KickWork, now: datetime) -> None:
    """The router confirmed: the sessions become history with the reason. In the caller's transaction."""
    SessionKick.objects.filter(pk__in=work.cookies).update(had_cookie=True)
    SessionKick.objects.filter(pk__in=[kick.pk for kick in work.gone]).update(ended_at=now)
    ids = {(kick.kind, kick.router_id, kick.name) for kick in work.gone}
    rows = RouterSession.objects.filter(location_id=location_id, router_id__in=[kick.router_id for kick in work.gone])
    live = [row for row in rows if (row.kind, row.router_id, row.name) in ids]
    records_write([record_of(row, max(now, row.seen_at), SessionEnd.KICKED) for row in live])
    RouterSession.objects.filter(pk__in=[row.pk for row in live]).delete()
    still_on = set(RouterSession.objects.filter(location_id=location_id).values_list("kind", "name"))
    sessions_ended_record(location_id, sorted({(row.kind, row.name) for row in live} - still_on), now)


def comebacks_record(location_id: int, new: Sequence[dict[str, Any]], at: datetime) -> None:
    """Who was thrown out and is there again: new sessions of the same login and device within ten minutes."""
    if not new:
        return
    recent = SessionKick.objects.filter(location_id=location_id, ended_at__gt=at - WATCHED, came_back_at=None)
    for kick in recent.filter(Q(name__in=[seen["name"] for seen in new])):
        for seen in new:
            is_device = not kick.mac_address or kick.mac_address == seen["mac"]
            if (seen["kind"], seen["name"]) == (kick.kind, kick.name) and is_device and seen["id"] != kick.router_id:
                began = at - timedelta(seconds=seen["uptime"])
                kick.came_back_at = max(began, kick.ended_at or began)
                kick.save(update_fields=["came_back_at"])
                break
