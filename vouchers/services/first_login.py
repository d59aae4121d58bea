"""A guest logged in somewhere: his voucher becomes active and its validity starts, at all its locations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from core import clock
from core.db.copy import copy_rows
from locations.choices import Presence
from locations.services import accounts_set_validity
from vouchers.models import VoucherEvent
from vouchers.selectors import entries_named
from vouchers.services.use_selling import uses_charge

# Locks in id order before the UPDATE: two routers reporting the same guests would dead-lock otherwise.
# An earlier login observed later moves the end back by the same amount, so time a person added stays added.
# A voucher that counts from its sale but was used before anyone sold it counts from its first login.
# One in an agent's hands is sold by being used (`use_selling`): he gave it away, so his deposit pays for it.
ACTIVATE = """
WITH seen AS (
    SELECT a.name, a.tag, min(l.began_at) AS began_at
    FROM unnest(%(accounts)s::bigint[], %(moments)s::timestamptz[]) AS l(account_id, began_at)
    JOIN locations_accessaccount a ON a.id = l.account_id
    WHERE a.kind = 'hotspot'
    GROUP BY a.name, a.tag
), locked AS (
    SELECT v.id, v.used_at AS old_used_at, s.began_at, b.duration_seconds,
           b.validity_from = 'first_login' OR v.sold_at IS NULL
           OR coalesce(v.sold_at >= v.used_at, false) AS counts_from_login,
           v.status = 'new' AND v.agent_id IS NOT NULL AS is_sold_by_use
    FROM seen s
    JOIN vouchers_voucher v ON v.code = s.name
    JOIN vouchers_voucherbatch b ON b.id = v.batch_id AND s.tag = 'b' || b.id
    WHERE v.status IN ('new', 'sold', 'active') AND (v.used_at IS NULL OR v.used_at > s.began_at)
    ORDER BY v.id
    FOR UPDATE OF v
)
UPDATE vouchers_voucher v SET
    status = 'active',
    used_at = l.began_at,
    sold_at = CASE WHEN l.is_sold_by_use THEN l.began_at ELSE v.sold_at END,
    valid_until = CASE
        WHEN l.duration_seconds IS NULL OR NOT l.counts_from_login THEN v.valid_until
        WHEN l.old_used_at IS NULL THEN l.began_at + l.duration_seconds * interval '1 second'
        ELSE v.valid_until - (l.old_used_at - l.began_at)
    END
FROM locked l WHERE v.id = l.id
RETURNING v.id, v.code, v.batch_id, v.used_at, v.valid_until, l.old_used_at, l.is_sold_by_use
"""


class Activated(NamedTuple):
    voucher_id: int
    code: str
    batch_id: int
    used_at: datetime
    valid_until: datetime | None
    old_used_at: datetime | None
    is_sold_by_use: bool


@transaction.atomic
def vouchers_activate(logins: Sequence[tuple[int, datetime]], *, now: datetime | None = None) -> int:
    """Take in first logins (account id, moment the session began); the earliest wins. Returns how many changed.

    Set-based and idempotent. Expired and void vouchers are never touched. A new one in an agent's hands is charged to
    him. Locks vouchers, then their accounts, then agents: as selling does.
    """
    if not logins:
        return 0
    now = now or clock.now()
    rows = _activate(logins)
    _write_down(rows, now)
    _spread([row for row in rows if row.valid_until is not None])
    uses_charge([row.voucher_id for row in rows if row.is_sold_by_use])
    return len(rows)


def _activate(logins: Sequence[tuple[int, datetime]]) -> list[Activated]:
    parameters: dict[str, Any] = {"accounts": [pk for pk, _at in logins], "moments": [at for _pk, at in logins]}
    with connection.cursor() as cursor:
        cursor.execute(ACTIVATE, parameters)
        return [Activated(*row) for row in cursor.fetchall()]


def _write_down(rows: Sequence[Activated], now: datetime) -> None:
    """One history line each, at the moment of the login; `taken_in_at` is when we heard of it."""
    lines = ((row.voucher_id, _kind(row), row.used_at, json.dumps(_details(row, now))) for row in rows)
    copy_rows(VoucherEvent, ("voucher_id", "kind", "at", "details"), lines)


def _kind(row: Activated) -> str:
    return "login_corrected" if row.old_used_at else "activated"


def _details(row: Activated, now: datetime) -> dict[str, str | None]:
    return {
        "used_at": row.used_at.isoformat(),
        "before": row.old_used_at.isoformat() if row.old_used_at else None,
        "valid_until": row.valid_until.isoformat() if row.valid_until else None,
        "taken_in_at": now.isoformat(),
    }


def _spread(rows: Sequence[Activated]) -> None:
    """The same end on every router the voucher is good at."""
    ends = {row.code: row.valid_until for row in rows if row.valid_until is not None}
    accounts = entries_named({row.code: row.batch_id for row in rows}).filter(presence=Presence.PRESENT).order_by("pk")
    changes = [(pk, ends[name]) for pk, name in accounts.values_list("pk", "name")]
    if changes:
        accounts_set_validity(changes)
