"""Entries that are made anew although their login had been counted: a new entry's counter begins at nothing.

The router ends paid time by comparing its own counter with the limit it was sent. When an entry came off and is made
again (moved away and back with the answer lost, taken off by hand, wanted back in the moment of its removal), what the
old counter showed must be taken off the new limit, or it is given away; and what a session that still runs used must
not be, or it is taken twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from locations.choices import Kind
from locations.models import AccessAccount, RouterSession
from locations.routeros.client import RouterClient, Row
from locations.routeros.values import whole
from locations.sync.kinds import seconds_of
from locations.sync.menus import MENUS


@dataclass(frozen=True)
class Anew:
    """An account whose counter on the router began at nothing; `seconds` and `bytes` belong to its past now."""

    account_id: int
    seconds: int
    bytes: int


def is_counted(account: AccessAccount) -> bool:
    """Its router has a counter that its limits are compared with, and it had counted something."""
    return account.kind == Kind.HOTSPOT and bool(account.epoch_uptime_seconds or account.epoch_bytes)


def starts_anew(client: RouterClient, account: AccessAccount, found: Row | None) -> Anew | None:
    """Move what the lost counter had shown to the account's past; `found` is its entry, None: it will be made now.

    None when nothing was lost. The account is changed in memory, so that its limits are computed from there; the
    caller stores the answer. Sessions that run keep counting: they are still told from what was lost.
    """
    if not is_counted(account) or (found is not None and not _is_at_nothing(found)):
        return None
    live = _live(client, account)
    if found is not None and live:
        return None  # a first session: its entry's counter is only written when it ends
    seconds = max(0, account.epoch_uptime_seconds - sum(seconds_of(row.get("uptime", "")) for row in live))
    size = max(0, account.epoch_bytes - sum(_bytes(row) for row in live))
    account.past_uptime_seconds += seconds
    account.past_bytes += size
    account.epoch_uptime_seconds -= seconds
    account.epoch_bytes -= size
    return Anew(account.pk, seconds, size)


def _is_at_nothing(entry: Row) -> bool:
    return seconds_of(entry.get("uptime", "")) == 0 and _bytes(entry) == 0


def _bytes(row: Row) -> int:
    return whole(row.get("bytes-in", "")) + whole(row.get("bytes-out", ""))


def _live(client: RouterClient, account: AccessAccount) -> list[Row]:
    menu = MENUS[account.kind]
    names = sorted({account.name, account.applied_name} - {""})
    queries = [f"{menu.active_name}={name}" for name in names] + ["#|"] * (len(names) - 1)
    return client.print(menu.active, ("uptime", "bytes-in", "bytes-out"), queries)


_ANEW = """
UPDATE locations_accessaccount a SET past_uptime_seconds = a.past_uptime_seconds + v.seconds,
  past_bytes = a.past_bytes + v.bytes, epoch_uptime_seconds = greatest(0, a.epoch_uptime_seconds - v.seconds),
  epoch_bytes = greatest(0, a.epoch_bytes - v.bytes),
  epoch_bytes_in = least(a.epoch_bytes_in, greatest(0, a.epoch_bytes - v.bytes))
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS v(id, seconds, bytes) WHERE a.id = v.id
"""


def anew_record(rows: Sequence[Anew]) -> None:
    """Store it, also for an account that is wanted otherwise by now: its entry was made all the same."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_ANEW, [[r.account_id for r in rows], [r.seconds for r in rows], [r.bytes for r in rows]])
    sessions_count_from_nothing([row.account_id for row in rows])


def sessions_count_from_nothing(account_ids: Sequence[int]) -> None:
    """What their entries' counters showed before the sessions that run is past."""
    RouterSession.objects.filter(account_id__in=account_ids).update(
        base_uptime_seconds=0, base_bytes=0, base_bytes_in=0
    )
