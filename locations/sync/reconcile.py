"""Compare everything wanted with everything there: after a restart, a reset, a take-over, and every six hours.

Missing entries are made wanted again with their remaining time (never marked expired), different ones are sent
again, entries with our tag that we do not know are listed and left alone (DESIGN 3.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from locations.choices import Hold, Kind, Presence
from locations.models import AccessAccount, RouterProfile, RouterSession, RouterState
from locations.routeros.client import RouterClient, Row
from locations.routeros.values import is_ours, whole
from locations.sync.compare_entries import EntryRows, entries_compare
from locations.sync.drift import Drift
from locations.sync.kinds import KINDS, Place, place_of, seconds_of
from locations.sync.menus import MENUS
from locations.sync.outcome import NOT_OURS
from locations.sync.poll import STATIC_QUEUES

EVERY = timedelta(hours=6)
CHUNK = 5000


@dataclass(frozen=True)
class Change:
    """What the comparison means for one account row: new counters, and whether it must be sent again."""

    account_id: int
    router_id: str
    lost_seconds: int
    lost_bytes: int
    epoch_seconds: int
    epoch_bytes: int
    resend: bool
    hold: str = ""


def reconcile(location_id: int, client: RouterClient, installation_tag: str, now: datetime) -> Drift:
    """Read the router whole, compare, write the difference down. Raises RouterUnreachable without changing anything."""
    drift = Drift()
    used = [kind for kind in KINDS.values() if kind.kind != Kind.STATIC or _has_static(location_id)]
    entries = {
        kind.kind: client.print(kind.menu.users, kind.readable.split(","), STATIC_QUEUES if kind.has_companions else ())
        for kind in used
    }
    profiles = {kind: client.print(menu.profiles) for kind, menu in MENUS.items() if menu.profiles}
    nameless = EntryRows.read(location_id, client, with_companions=Kind.STATIC in entries)
    place = place_of(location_id, installation_tag)
    profile_changes = _compare_profiles(location_id, profiles)
    changes = _compare_accounts(location_id, entries, nameless, place, drift)
    entries_compare(location_id, nameless, place.tag, drift)
    _write_accounts(changes)
    _write_state(location_id, profile_changes, drift, now)
    return drift


def _has_static(location_id: int) -> bool:
    return AccessAccount.objects.filter(location_id=location_id, kind=Kind.STATIC).exists()


def _compare_accounts(
    location_id: int, entries: dict[str, list[Row]], nameless: EntryRows, place: Place, drift: Drift
) -> list[Change]:
    installation_tag = place.tag
    there = {(str(kind), row["name"]): row for kind, rows in entries.items() for row in rows if "name" in row}
    changes: list[Change] = []
    ours = 0
    for account in _accounts(location_id):
        row = _row_of(account, there)
        if row is not None and is_ours(row.get("comment", ""), installation_tag):
            ours += 1
        change = _compare(account, row, nameless, place, drift)
        if change is not None:
            changes.append(change)
    for (_kind, name), row in there.items():
        if is_ours(row.get("comment", ""), installation_tag):
            drift.extra.append(name)
    drift.others = sum(len(rows) for rows in entries.values()) - ours
    return changes


def _row_of(account: AccessAccount, there: dict[tuple[str, str], Row]) -> Row | None:
    """The account's entry; after a rename that is not confirmed the router may have it under either name."""
    if account.applied_name and account.applied_name != account.name:
        old = there.pop((account.kind, account.applied_name), None)
        if old is not None:
            return old
    return there.pop((account.kind, account.name), None)


def _accounts(location_id: int) -> Iterable[AccessAccount]:
    rows = AccessAccount.objects.filter(location_id=location_id).select_related("profile__isolation_profile")
    return rows.defer("password").order_by("pk").iterator(chunk_size=CHUNK)


def _compare(account: AccessAccount, row: Row | None, nameless: EntryRows, place: Place, drift: Drift) -> Change | None:
    kind = KINDS[account.kind]
    nameless.known(kind.companions(account, place))
    if account.applied_revision == 0 or account.presence == Presence.ABSENT:
        return None  # not sent yet, or on its way out: the writer looks itself
    if row is None:
        drift.missing.append(account.name)
        return Change(account.pk, "", account.epoch_uptime_seconds, account.epoch_bytes, 0, 0, resend=True)
    if not is_ours(row.get("comment", ""), place.tag):
        drift.conflicts.append(account.name)
        return Change(account.pk, "", 0, 0, account.epoch_uptime_seconds, account.epoch_bytes, True, Hold.CONFLICT)
    uptime = seconds_of(row.get("uptime", ""))
    size = whole(row.get("bytes-in", "")) + whole(row.get("bytes-out", ""))
    lost_seconds, lost_bytes = account.epoch_uptime_seconds - uptime, account.epoch_bytes - size
    live = account.kind != Kind.HOTSPOT or (lost_seconds <= 0 and lost_bytes <= 0)
    is_reset = not live and uptime == 0 and size == 0
    differs = account.is_synced and bool(
        kind.differences(account, row, place) or nameless.differ(kind.companions(account, place))
    )
    if differs:
        drift.different.append(account.name)
    if not differs and not is_reset and row.get(".id", "") == account.router_id:
        return None
    if is_reset and not _has_live_session(account):
        return Change(account.pk, row[".id"], max(0, lost_seconds), max(0, lost_bytes), uptime, size, resend=True)
    keep = (account.epoch_uptime_seconds, account.epoch_bytes)
    return Change(account.pk, row[".id"], 0, 0, *keep, resend=differs)


def _has_live_session(account: AccessAccount) -> bool:
    """A first session that still runs: the row's counter is only written when it ends."""
    return RouterSession.objects.filter(account_id=account.pk).exists()


_CHANGE = """
UPDATE locations_accessaccount a SET router_id = v.router_id,
  past_uptime_seconds = a.past_uptime_seconds + v.lost_seconds, past_bytes = a.past_bytes + v.lost_bytes,
  epoch_uptime_seconds = v.epoch_seconds, epoch_bytes = v.epoch_bytes,
  applied_revision = CASE WHEN v.resend THEN 0 ELSE a.applied_revision END,
  hold = CASE WHEN v.hold = '' THEN a.hold ELSE v.hold END,
  router_words = CASE WHEN v.hold = '' THEN a.router_words ELSE %s END
FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bool[], %s::text[])
  AS v(id, router_id, lost_seconds, lost_bytes, epoch_seconds, epoch_bytes, resend, hold)
WHERE a.id = v.id AND a.presence = 'present'
"""


def _write_accounts(changes: list[Change]) -> None:
    for start in range(0, len(changes), CHUNK):
        part = changes[start : start + CHUNK]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                _CHANGE,
                [
                    NOT_OURS, [c.account_id for c in part], [c.router_id for c in part],
                    [c.lost_seconds for c in part], [c.lost_bytes for c in part], [c.epoch_seconds for c in part],
                    [c.epoch_bytes for c in part], [c.resend for c in part], [c.hold for c in part],
                ],
            )  # fmt: skip


def _compare_profiles(location_id: int, entries: dict[Any, list[Row]]) -> list[tuple[int, str, bool]]:
    """(profile id, its `.id` there, must be sent again) for every profile the router no longer has as sent."""
    changes = []
    there = {(str(kind), row.get("name", "")): row for kind, rows in entries.items() for row in rows}
    for profile in RouterProfile.objects.filter(
        location_id=location_id, presence=Presence.PRESENT, applied_revision__gt=0, kind__in=list(entries)
    ):
        row = there.get((profile.kind, profile.name))
        if row is None:
            changes.append((profile.pk, "", True))
            continue
        differs = profile.is_synced and _profile_differs(profile, row)
        if row.get(".id") != profile.router_id or differs:
            changes.append((profile.pk, row.get(".id", ""), differs))
    return changes


def _profile_differs(profile: RouterProfile, row: Row) -> bool:
    """Speed, and for the isolated the address list by which the firewall knows them."""
    if row.get("rate-limit", "") != profile.rate_limit:
        return True
    return bool(profile.address_list) and row.get("address-list", "") != profile.address_list


@transaction.atomic
def _write_state(location_id: int, profile_changes: list[tuple[int, str, bool]], drift: Drift, now: datetime) -> None:
    for pk, router_id, resend in profile_changes:
        changes: dict[str, Any] = {"router_id": router_id}
        if resend:
            changes["applied_revision"] = 0
        RouterProfile.objects.filter(pk=pk).update(**changes)
    RouterState.objects.filter(location_id=location_id).update(
        drift=drift.as_json(), reconciled_at=now, reconcile_due_at=None
    )
