"""Compare everything wanted with everything there: after a restart, a reset, a take-over, and every six hours.

Missing entries are made wanted again with their remaining time (never marked expired), different ones are sent
again, entries with our tag that we do not know are listed and left alone (DESIGN 3.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from locations.choices import Hold, Kind, Presence
from locations.models import AccessAccount, RouterProfile, RouterSession, RouterState
from locations.routeros.client import RouterClient, Row
from locations.routeros.values import comment_of, duration_seconds, is_ours, is_true, whole
from locations.sync.menus import MENUS
from locations.sync.outcome import NOT_OURS

EVERY = timedelta(hours=6)
CHUNK = 5000
LISTED_NAMES = 50
READABLE = ".id,name,profile,comment,disabled,limit-uptime,limit-bytes-total,mac-address,uptime,bytes-in,bytes-out"
PPP_READABLE = ".id,name,profile,comment,disabled"


@dataclass
class Drift:
    """What a comparison found. Counts, and the first names of each."""

    missing: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    others: int = 0  # entries that are none of our accounts, extra ones included

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"others": self.others, "foreign": self.others - len(self.extra)}
        for key in ("missing", "different", "extra", "conflicts"):
            names: list[str] = getattr(self, key)
            found[key] = len(names)
            found[f"{key}_names"] = names[:LISTED_NAMES]
        return found


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
    entries = {kind: client.print(menu.users, _properties(kind).split(",")) for kind, menu in MENUS.items()}
    profiles = {kind: client.print(menu.profiles) for kind, menu in MENUS.items()}
    profile_changes = _compare_profiles(location_id, profiles)
    changes = _compare_accounts(location_id, entries, installation_tag, drift)
    _write_accounts(changes)
    _write_state(location_id, profile_changes, drift, now)
    return drift


def _properties(kind: str) -> str:
    return READABLE if kind == Kind.HOTSPOT else PPP_READABLE


def _compare_accounts(
    location_id: int, entries: dict[Any, list[Row]], installation_tag: str, drift: Drift
) -> list[Change]:
    there = {(str(kind), row["name"]): row for kind, rows in entries.items() for row in rows if "name" in row}
    changes: list[Change] = []
    ours = 0
    for account in _accounts(location_id):
        row = there.pop((account.kind, account.name), None)
        if row is not None and is_ours(row.get("comment", ""), installation_tag):
            ours += 1
        change = _compare(account, row, installation_tag, drift)
        if change is not None:
            changes.append(change)
    for (_kind, name), row in there.items():
        if is_ours(row.get("comment", ""), installation_tag):
            drift.extra.append(name)
    drift.others = sum(len(rows) for rows in entries.values()) - ours
    return changes


def _accounts(location_id: int) -> Iterable[AccessAccount]:
    rows = AccessAccount.objects.filter(location_id=location_id).select_related("profile").defer("password")
    return rows.order_by("pk").iterator(chunk_size=CHUNK)


def _compare(account: AccessAccount, row: Row | None, installation_tag: str, drift: Drift) -> Change | None:
    if account.applied_revision == 0 or account.presence == Presence.ABSENT:
        return None  # not sent yet, or on its way out: the writer looks itself
    if row is None:
        drift.missing.append(account.name)
        return Change(account.pk, "", account.epoch_uptime_seconds, account.epoch_bytes, 0, 0, resend=True)
    if not is_ours(row.get("comment", ""), installation_tag):
        drift.conflicts.append(account.name)
        return Change(account.pk, "", 0, 0, account.epoch_uptime_seconds, account.epoch_bytes, True, Hold.CONFLICT)
    uptime = _seconds(row.get("uptime", ""))
    size = whole(row.get("bytes-in", "")) + whole(row.get("bytes-out", ""))
    lost_seconds, lost_bytes = account.epoch_uptime_seconds - uptime, account.epoch_bytes - size
    live = account.kind == Kind.PPP or (lost_seconds <= 0 and lost_bytes <= 0)
    is_reset = not live and uptime == 0 and size == 0
    differs = account.is_synced and bool(_differences(account, row, installation_tag))
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


def _differences(account: AccessAccount, row: Row, installation_tag: str) -> list[str]:
    """Readable properties that are not as we sent them. Passwords are not compared: the user may not read them."""
    found = []
    if row.get("profile", "") != account.profile.name:
        found.append("profile")
    if row.get("comment", "") != comment_of(installation_tag, account.tag):
        found.append("comment")
    if is_true(row.get("disabled", "false")) != account.is_disabled:
        found.append("disabled")
    if account.kind == Kind.HOTSPOT:
        if _seconds(row.get("limit-uptime", "")) != (account.sent_limit_seconds or 0):
            found.append("limit-uptime")
        if row.get("mac-address", "").upper() not in {account.mac_address.upper(), "00:00:00:00:00:00"}:
            found.append("mac-address")
        if account.limit_bytes is not None and not whole(row.get("limit-bytes-total", "")):
            found.append("limit-bytes-total")
    return found


def _seconds(value: str) -> int:
    try:
        return duration_seconds(value) if value else 0
    except ValueError:
        return 0


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
        location_id=location_id, presence=Presence.PRESENT, applied_revision__gt=0
    ):
        row = there.get((profile.kind, profile.name))
        if row is None:
            changes.append((profile.pk, "", True))
        elif row.get(".id") != profile.router_id or row.get("rate-limit", "") != profile.rate_limit:
            changes.append((profile.pk, row.get(".id", ""), row.get("rate-limit", "") != profile.rate_limit))
    return changes


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
