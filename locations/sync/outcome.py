"""What became of each row the writer sent, and how that is recorded: one bulk statement, conditional on the revision sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from core import events
from core.kick import kick
from locations.choices import Hold, Presence
from locations.events import AccountsRemoved
from locations.models import AccessAccount, ProfileRollout, RouterEntry, RouterProfile, RouterSession

NOT_OURS = "an entry with this name is on the router and was not made by this system"


@dataclass(frozen=True)
class Applied:
    """The router confirmed `revision`; the entry is `router_id` there, called `name`."""

    row_id: int
    revision: int
    router_id: str
    name: str
    sent_limit: int | None = None


@dataclass(frozen=True)
class Gone:
    """The router confirmed that no entry of ours with this name is left."""

    row_id: int
    revision: int


@dataclass(frozen=True)
class Held:
    """Not tried again before a person acted: refused in the router's own words, or somebody else's entry."""

    row_id: int
    revision: int
    hold: str
    words: str


Outcome = Applied | Gone | Held
Model = type[AccessAccount] | type[RouterProfile] | type[RouterEntry]

_APPLIED = """
UPDATE {table} r SET applied_revision = v.revision, applied_at = %s, router_id = v.router_id, applied_name = v.name,
  hold = '', router_words = ''{more}
FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::bigint[]) AS v(id, revision, router_id, name, sent_limit)
WHERE r.id = v.id AND r.revision >= v.revision AND r.applied_revision <= v.revision AND r.presence = 'present'
"""
_ACCOUNT_MORE = (
    ", sent_limit_seconds = v.sent_limit, is_kick_due = r.is_kick_due AND r.revision <> v.revision, is_adopted = false,"
    " is_comment_due = r.is_comment_due AND r.revision <> v.revision"
)
_ENTRY_MORE = ", is_adopted = false"
_HELD = """
UPDATE {table} r SET hold = v.hold, router_words = v.words
FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[]) AS v(id, revision, hold, words)
WHERE r.id = v.id AND r.revision = v.revision
"""
_GONE = """
DELETE FROM {table} r USING unnest(%s::bigint[], %s::int[]) AS v(id, revision)
WHERE r.id = v.id AND r.revision = v.revision AND r.presence = 'absent'
RETURNING r.id, r.location_id, r.kind, r.name, r.tag{used}
"""
# What a moved or roaming account used on this router keeps counting: it goes to one of its other rows.
# `tag || ''` keeps the planner off the index of tags, where one tag may have 100,000 rows.
_CARRY = """
UPDATE locations_accessaccount a SET past_uptime_seconds = a.past_uptime_seconds + v.uptime,
  past_bytes = a.past_bytes + v.bytes
FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[]) AS v(kind, name, tag, uptime, bytes)
WHERE v.tag <> 'a' AND a.id = (
  SELECT min(o.id) FROM locations_accessaccount o
  WHERE o.kind = v.kind AND o.name = v.name AND o.tag || '' = v.tag AND o.presence = 'present')
"""
# … of a move, to the account that takes its place; its limit is sent again when that was opened before
_MOVED = """
UPDATE locations_accessaccount a SET past_uptime_seconds = a.past_uptime_seconds + v.uptime,
  past_bytes = a.past_bytes + v.bytes,
  revision = a.revision + CASE WHEN a.limit_uptime_seconds IS NULL AND a.limit_bytes IS NULL THEN 0 ELSE 1 END
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS v(id, uptime, bytes)
WHERE a.id = v.id AND a.presence = 'present' RETURNING a.id, a.location_id
"""
_USED = ", r.past_uptime_seconds + r.epoch_uptime_seconds, r.past_bytes + r.epoch_bytes, r.moved_to_id"
_STALE = """
UPDATE {table} r SET router_id = '', applied_revision = 0
FROM unnest(%s::bigint[]) AS v(id) WHERE r.id = v.id AND r.presence = 'present'
"""


@transaction.atomic
def outcomes_record(model: Model, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write down what the router said. A row that changed meanwhile keeps its newer wish and is sent again."""
    applied = [o for o in outcomes if isinstance(o, Applied)]
    gone = [o for o in outcomes if isinstance(o, Gone)]
    held = [o for o in outcomes if isinstance(o, Held)]
    table = model._meta.db_table
    if gone:  # first: who points at these rows lets go of them, and his locks come before those of other accounts
        _record_gone(model, gone)
    with connection.cursor() as cursor:
        if applied:
            more = {AccessAccount: _ACCOUNT_MORE, RouterEntry: _ENTRY_MORE}.get(model, "")
            cursor.execute(
                _APPLIED.format(table=table, more=more),
                [
                    now, [o.row_id for o in applied], [o.revision for o in applied], [o.router_id for o in applied],
                    [o.name for o in applied], [o.sent_limit for o in applied],
                ],
            )  # fmt: skip
        if held:
            cursor.execute(
                _HELD.format(table=table),
                [
                    [o.row_id for o in held], [o.revision for o in held], [o.hold for o in held],
                    [o.words[:500] for o in held],
                ],
            )  # fmt: skip


def _record_gone(model: Model, gone: list[Gone]) -> None:
    table = model._meta.db_table
    ids = [o.row_id for o in gone]
    if model is AccessAccount:
        RouterSession.objects.filter(account_id__in=ids).update(account=None)
    elif model is RouterProfile:
        leaving = RouterProfile.objects.filter(pk__in=ids, presence=Presence.ABSENT).values("pk")
        ProfileRollout.objects.filter(profile__in=leaving).delete()
        RouterProfile.objects.filter(isolation_profile__in=leaving).update(isolation_profile=None)
    with connection.cursor() as cursor:
        used = _USED if model is AccessAccount else ""
        cursor.execute(_GONE.format(table=table, used=used), [ids, [o.revision for o in gone]])
        rows = cursor.fetchall()
        if rows and model is AccessAccount:
            events.emit(AccountsRemoved([row[0] for row in rows], [tuple(row[1:5]) for row in rows]))
        # wanted back while the removal was under way: it is gone there, so it must be added anew
        cursor.execute(_STALE.format(table=table), [ids])
        taken = _carry_moves(cursor, [row for row in rows if model is AccessAccount and row[7]])
        carried = [row[2:7] for row in rows if any(row[5:7]) and row[7] not in taken]
        if carried:
            cursor.execute(_CARRY, [list(column) for column in zip(*carried, strict=True)])


def _carry_moves(cursor: Any, rows: Sequence[tuple[Any, ...]]) -> set[int]:
    """Used amounts of accounts that moved go to their successors, which may be opened now; returns which are there."""
    if not rows:
        return set()
    sums: dict[int, list[int]] = {}
    for row in rows:
        used = sums.setdefault(row[7], [0, 0])
        used[0], used[1] = used[0] + row[5], used[1] + row[6]
    ordered = sorted(sums.items())
    cursor.execute(_MOVED, [[pk for pk, _u in ordered], [u[0] for _pk, u in ordered], [u[1] for _pk, u in ordered]])
    found = cursor.fetchall()
    for location_id in sorted({location_id for _pk, location_id in found}):
        kick("locations.tasks.location_sync", location_id, 1, queue="routers")
    return {pk for pk, _location_id in found}


_ENDED = """
UPDATE locations_accessaccount a SET last_session_ended_at = %s, last_session_end = 'kicked'
FROM unnest(%s::text[], %s::text[]) AS v(kind, name) WHERE a.location_id = %s AND a.kind = v.kind AND a.name = v.name
"""


def sessions_ended_record(location_id: int, ended: Sequence[tuple[str, str]], now: datetime) -> None:
    """Write down whose sessions we ended; the next poll sees them gone and must not call it the customer's doing."""
    if not ended:
        return
    pairs = sorted(set(ended))
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, [now, [str(kind) for kind, _n in pairs], [name for _k, name in pairs], location_id])


def conflict(row: AccessAccount | RouterProfile | RouterEntry, words: str) -> Held:
    return Held(row.pk, row.revision, Hold.CONFLICT, words)


def refused(row: AccessAccount | RouterProfile | RouterEntry, words: str) -> Held:
    return Held(row.pk, row.revision, Hold.REFUSED, words)
