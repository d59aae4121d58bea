"""A guest logged in somewhere: his voucher becomes active and its validity starts, at all its locations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction

from core import clock
from locations.choices import Kind, Presence
from locations.models import AccessAccount
from locations.services import accounts_set_validity
from vouchers.models import VoucherEvent

# Locks in id order before the UPDATE: two routers reporting the same guests would dead-lock otherwise.
# An earlier login observed later moves the end back by the same amount, so time a person added stays added.
# A voucher that counts from its sale but was used before anyone sold it counts from its first login.
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
           OR coalesce(v.sold_at > v.used_at, false) AS counts_from_login
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
    valid_until = CASE
        WHEN l.duration_seconds IS NULL OR NOT l.counts_from_login THEN v.valid_until
        WHEN l.old_used_at IS NULL THEN l.began_at + l.duration_seconds * interval '1 second'
        ELSE v.valid_until - (l.old_used_at - l.began_at)
    END
FROM locked l WHERE v.id = l.id
RETURNING v.id, v.code, v.batch_id, v.used_at, v.valid_until, l.old_used_at
"""


class Activated(NamedTuple):
    voucher_id: int
    code: str
    batch_id: int
    used_at: datetime
    valid_until: datetime | None
    old_used_at: datetime | None


@transaction.atomic
def vouchers_activate(logins: Sequence[tuple[int, datetime]], *, now: datetime | None = None) -> int:
    """Take in first logins (account id, moment the session began); the earliest wins. Returns how many changed.

    Set-based and idempotent. Expired and void vouchers are never touched.
    """
    if not logins:
        return 0
    now = now or clock.now()
    rows = _activate(logins)
    VoucherEvent.objects.bulk_create(_event(row, now) for row in rows)
    _spread([row for row in rows if row.valid_until is not None])
    return len(rows)


def _activate(logins: Sequence[tuple[int, datetime]]) -> list[Activated]:
    parameters = {"accounts": [pk for pk, _at in logins], "moments": [at for _pk, at in logins]}
    with connection.cursor() as cursor:
        cursor.execute(ACTIVATE, parameters)
        return [Activated(*row) for row in cursor.fetchall()]


def _event(row: Activated, now: datetime) -> VoucherEvent:
    details = {
        "used_at": row.used_at.isoformat(),
        "valid_until": row.valid_until.isoformat() if row.valid_until else None,
        "taken_in_at": now.isoformat(),
    }
    if row.old_used_at:
        details["before"] = row.old_used_at.isoformat()
    kind = "first_login_corrected" if row.old_used_at else "activated"
    return VoucherEvent(voucher_id=row.voucher_id, kind=kind, at=row.used_at, details=details)


def _spread(rows: list[Activated]) -> None:
    """The same end on every router the voucher is good at."""
    ends = {(row.code, f"b{row.batch_id}"): row.valid_until for row in rows if row.valid_until is not None}
    accounts = AccessAccount.objects.filter(
        kind=Kind.HOTSPOT, presence=Presence.PRESENT, name__in=[code for code, _tag in ends],
        tag__in={tag for _code, tag in ends},
    ).order_by("pk")  # fmt: skip
    changes = [
        (pk, ends[(name, tag)]) for pk, name, tag in accounts.values_list("pk", "name", "tag") if (name, tag) in ends
    ]
    if changes:
        accounts_set_validity(changes)
