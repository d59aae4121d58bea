"""Compare everything wanted with everything there: after a restart, a reset, a take-over, and every six hours.

Missing entries are made wanted again with their remaining time (never marked expired), different ones are sent
again, entries with our tag that we do not know are listed and left alone (DESIGN 3.1). Where a location wants to be
asked first, what drifted is held (`Hold.DRIFT`) until a person says "repair", and the screen says so meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, When

from locations.choices import DriftCategory, DriftSubject, Hold, Kind, Presence
from locations.models import AccessAccount, DriftRow, RouterSession, RouterState
from locations.routeros.client import RouterClient, Row
from locations.routeros.values import is_ours, whole
from locations.sync.anew import is_counted, sessions_count_from_nothing
from locations.sync.compare_entries import EntryRows, entries_compare
from locations.sync.compare_profiles import ProfileChange, profiles_compare, profiles_write
from locations.sync.drift import Drift, words_of
from locations.sync.kinds import KINDS, AccountKind, Place, is_entry_of, is_readable, place_of, seconds_of
from locations.sync.lease import LEASE_SECONDS
from locations.sync.menus import MENUS
from locations.sync.outcome import NOT_OURS
from locations.sync.poll import STATIC_QUEUES
from locations.sync.scope import Scope

EVERY = timedelta(hours=6)
CHUNK = 5000


@dataclass(frozen=True)
class Change:
    """What the comparison means for one account row: new counters, and whether it must be sent again.

    `hold` None leaves it as it is; "" ends it. A new drift hold counts only for the revision that was compared.
    """

    account_id: int
    revision: int
    router_id: str
    lost_seconds: int
    lost_bytes: int
    epoch_seconds: int
    epoch_bytes: int
    resend: bool
    hold: str | None = None
    words: str = ""


def reconcile(
    location_id: int,
    client: RouterClient,
    installation_tag: str,
    now: datetime,
    *,
    repairs: bool = True,
    scope: Scope | None = None,
) -> Drift:
    """Read the router, compare, write the difference down. Raises RouterUnreachable without changing anything.

    Without `repairs` what drifted is only held and listed. With a `scope` only its accounts and profiles are compared.
    """
    drift = Drift()
    kinds = [kind for kind in KINDS.values() if _is_used(location_id, kind, scope)]
    entries = {kind.kind: _read(client, kind, scope) for kind in kinds}
    profiles = {kind: client.print(menu.profiles) for kind, menu in MENUS.items() if menu.profiles}
    nameless = EntryRows.read(location_id, client, with_companions=Kind.STATIC in entries)
    place = place_of(location_id, installation_tag)
    profile_changes = profiles_compare(location_id, profiles, drift, repairs=repairs, scope=scope)
    names = {(str(kind), row.get("name", "")) for kind, rows in profiles.items() for row in rows}
    changes = _compare_accounts(location_id, entries, names, nameless, place, drift, repairs=repairs, scope=scope)
    if scope is None:
        entries_compare(location_id, nameless, place.tag, drift, repairs=repairs)
    _write_accounts(changes)
    _write_state(location_id, profile_changes, drift, now, repairs=repairs, scope=scope)
    return drift


def _is_used(location_id: int, kind: AccountKind, scope: Scope | None) -> bool:
    rows = AccessAccount.objects.filter(location_id=location_id, kind=kind.kind)
    if scope is not None:
        return rows.filter(scope.accounts).exists()
    return kind.kind != Kind.STATIC or rows.exists()


def _read(client: RouterClient, kind: AccountKind, scope: Scope | None) -> list[Row]:
    words, only = kind.readable.split(","), STATIC_QUEUES if kind.has_companions else ()
    names = scope.names(kind.kind) if scope is not None else None
    if names is None:
        return client.print(kind.menu.users, words, only)
    return [row for name in names for row in client.print(kind.menu.users, words, [f"name={name}"])]


def _compare_accounts(
    location_id: int,
    entries: dict[str, list[Row]],
    profile_names: set[tuple[str, str]],
    nameless: EntryRows,
    place: Place,
    drift: Drift,
    *,
    repairs: bool,
    scope: Scope | None,
) -> list[Change]:
    there = {(str(kind), row["name"]): row for kind, rows in entries.items() for row in rows if "name" in row}
    # decrypting the passwords of 100,000 accounts is only worth it where the router shows us its own
    has_passwords = any(is_readable(row.get("password", "")) for row in there.values())
    changes: list[Change] = []
    ours = 0
    for account in _accounts(location_id, scope, has_passwords=has_passwords):
        row = _row_of(account, there)
        if row is not None and is_entry_of(account, row, place.tag):
            ours += 1
        is_mine = repairs and not _is_scripts_doing(account, row, profile_names)
        change = _compare(account, row, nameless, place, drift, repairs=is_mine)
        if change is not None:
            changes.append(change)
    if scope is None:
        for (kind, name), row in there.items():
            is_extra = is_ours(row.get("comment", ""), place.tag)
            category = DriftCategory.EXTRA if is_extra else DriftCategory.FOREIGN
            drift.add(category, DriftSubject.ACCOUNT, kind, name)
        drift.others = sum(len(rows) for rows in entries.values()) - ours
    return changes


def _is_scripts_doing(account: AccessAccount, row: Row | None, profile_names: set[tuple[str, str]]) -> bool:
    """An entry that vanished while the router's own scripts look after it: they remove what is over. A person decides.

    Where its profile is gone too, the router was reset: its scripts went with it, and paid time must come back.
    """
    return row is None and account.kept_comment is not None and (account.kind, account.profile.name) in profile_names


def _row_of(account: AccessAccount, there: dict[tuple[str, str], Row]) -> Row | None:
    """The account's entry; after a rename that is not confirmed the router may have it under either name."""
    if account.applied_name and account.applied_name != account.name:
        old = there.pop((account.kind, account.applied_name), None)
        if old is not None:
            return old
    return there.pop((account.kind, account.name), None)


def _accounts(location_id: int, scope: Scope | None, *, has_passwords: bool) -> Iterable[AccessAccount]:
    rows = AccessAccount.objects.filter(location_id=location_id).select_related("profile__isolation_profile")
    rows = rows if scope is None else rows.filter(scope.accounts)
    return (rows if has_passwords else rows.defer("password")).order_by("pk").iterator(chunk_size=CHUNK)


def _compare(
    account: AccessAccount, row: Row | None, nameless: EntryRows, place: Place, drift: Drift, *, repairs: bool
) -> Change | None:
    kind = KINDS[account.kind]
    companions = kind.companions(account, place)
    nameless.known(companions)
    is_held = account.hold == Hold.DRIFT
    if (account.applied_revision == 0 and not is_held) or account.presence == Presence.ABSENT:
        return None  # not sent yet, or on its way out: the writer looks itself
    found = (DriftSubject.ACCOUNT, account.kind, account.name, account.pk)
    if row is None:
        drift.add(DriftCategory.MISSING, *found)
        counts = _lost_with_entry(account)
        return Change(account.pk, account.revision, "", *counts, True, *_hold(account, repairs, IS_MISSING))
    keep = (account.epoch_uptime_seconds, account.epoch_bytes)
    if not is_entry_of(account, row, place.tag):
        drift.add(DriftCategory.CONFLICT, *found)
        return Change(account.pk, account.revision, "", 0, 0, *keep, True, Hold.CONFLICT, NOT_OURS)
    uptime = seconds_of(row.get("uptime", ""))
    size = whole(row.get("bytes-in", "")) + whole(row.get("bytes-out", ""))
    lost_seconds, lost_bytes = account.epoch_uptime_seconds - uptime, account.epoch_bytes - size
    live = account.kind != Kind.HOTSPOT or (lost_seconds <= 0 and lost_bytes <= 0)
    is_reset = not live and uptime == 0 and size == 0
    words = []
    if account.is_synced or is_held:
        words = words_of(kind.differences(account, row, place), kind.shown(account, place), row)
        words += [[item.kind, "", ""] for item in companions if nameless.differ([item])]
    if words:
        drift.add(DriftCategory.DIFFERENT, *found, words=words)
    if is_reset and not _has_live_session(account):  # counted time was lost there: no question of taste
        lost = (max(0, lost_seconds), max(0, lost_bytes))
        return Change(account.pk, account.revision, row[".id"], *lost, uptime, size, True, _ended(account))
    if words:
        hold = _hold(account, repairs, IS_DIFFERENT)
        return Change(account.pk, account.revision, row[".id"], 0, 0, *keep, True, *hold)
    if row.get(".id", "") == account.router_id and not is_held:
        return None
    return Change(account.pk, account.revision, row[".id"], 0, 0, *keep, False, _ended(account))


def _lost_with_entry(account: AccessAccount) -> tuple[int, int, int, int]:
    """Seconds and bytes that belong to the past now, and what a session that still runs keeps counting."""
    live = [0, 0]
    if is_counted(account):
        for session in RouterSession.objects.filter(account_id=account.pk):
            live = [live[0] + session.uptime_seconds, live[1] + session.bytes]
    kept = min(account.epoch_uptime_seconds, live[0]), min(account.epoch_bytes, live[1])
    return account.epoch_uptime_seconds - kept[0], account.epoch_bytes - kept[1], *kept


IS_MISSING = "it is not on the router any more"
IS_DIFFERENT = "it was changed on the router"


def _hold(account: AccessAccount, repairs: bool, words: str) -> tuple[str | None, str]:
    if repairs or account.hold not in {Hold.NONE, Hold.DRIFT}:
        return _ended(account), ""
    return Hold.DRIFT, words


def _ended(account: AccessAccount) -> str | None:
    """A drift hold ends with the drift or its repair; what a person must decide for another reason stays."""
    return Hold.NONE if account.hold == Hold.DRIFT else None


def _has_live_session(account: AccessAccount) -> bool:
    """A first session that still runs: the row's counter is only written when it ends."""
    return RouterSession.objects.filter(account_id=account.pk).exists()


_CHANGE = """
UPDATE locations_accessaccount a SET router_id = v.router_id,
  past_uptime_seconds = a.past_uptime_seconds + v.lost_seconds, past_bytes = a.past_bytes + v.lost_bytes,
  epoch_uptime_seconds = v.epoch_seconds, epoch_bytes = v.epoch_bytes,
  applied_revision = CASE WHEN v.resend THEN 0 ELSE a.applied_revision END,
  hold = CASE WHEN v.is_held THEN v.hold ELSE a.hold END,
  router_words = CASE WHEN v.is_held THEN v.words ELSE a.router_words END
FROM (
  SELECT *, hold IS NOT NULL AND NOT (hold = 'drift' AND revision <> (
    SELECT n.revision FROM locations_accessaccount n WHERE n.id = u.id)) AS is_held
  FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bool[],
    %s::text[], %s::text[])
    AS u(id, revision, router_id, lost_seconds, lost_bytes, epoch_seconds, epoch_bytes, resend, hold, words)) v
WHERE a.id = v.id AND a.presence = 'present'
"""


def _write_accounts(changes: list[Change]) -> None:
    for start in range(0, len(changes), CHUNK):
        part = changes[start : start + CHUNK]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_CHANGE, [list(column) for column in zip(*map(astuple, part), strict=True)])
            sessions_count_from_nothing([change.account_id for change in part if not change.router_id])


@transaction.atomic
def _write_state(
    location_id: int,
    profile_changes: list[ProfileChange],
    drift: Drift,
    now: datetime,
    *,
    repairs: bool,
    scope: Scope | None,
) -> None:
    profiles_write(profile_changes)
    old = DriftRow.objects.filter(location_id=location_id)
    if scope is not None:
        scope.drift(old).delete()
        DriftRow.objects.bulk_create(drift.rows(location_id, now))
        return
    asked = {(r.subject, r.kind, r.name): r.repair_at for r in old.filter(repair_at__isnull=False, removed_at=None)}
    old.delete()
    rows = drift.rows(location_id, now)
    for row in rows:
        if row.category == DriftCategory.EXTRA:
            row.repair_at = asked.get((row.subject, row.kind, row.name))
    DriftRow.objects.bulk_create(rows, batch_size=1000)
    later = When(reconcile_due_at__gt=now, then=F("reconcile_due_at"))  # late writes may still arrive until then
    done: dict[str, Any] = {}
    if repairs:
        again = When(reconcile_due_at__gt=now, then=F("is_repair_due"))
        done = {"repaired_at": now, "is_repair_due": Case(again, default=False)}
    RouterState.objects.filter(location_id=location_id).update(
        drift=drift.as_json(), reconciled_at=now, reconcile_due_at=Case(later, default=None), **done
    )


def late_writes_expect(location_id: int, now: datetime) -> None:
    """A router fell silent with sentences of ours: it may still do them, when a newer wish was written meanwhile.

    All is compared and repaired once more when none of them can arrive any more.
    """
    due_at = now + timedelta(seconds=LEASE_SECONDS)
    RouterState.objects.filter(pk=location_id).update(reconcile_due_at=due_at, is_repair_due=True)
