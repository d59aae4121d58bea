"""A voucher valid at several locations is one account: its device count holds over all of them (within one poll)."""

from __future__ import annotations

from django.db import connection

_EXTRA = """
WITH here AS (
  SELECT DISTINCT a.name, a.kind, a.tag FROM locations_routersession s
  JOIN locations_accessaccount a ON a.id = s.account_id WHERE s.location_id = %s AND a.tag <> 'a'),
live AS (
  SELECT s.id, s.account_id, p.shared_users,
         row_number() OVER (PARTITION BY a.name, a.kind, a.tag ORDER BY s.started_at, s.id) AS position,
         count(*) OVER (PARTITION BY a.name, a.kind, a.tag) AS total,
         count(*) OVER (PARTITION BY s.account_id) AS at_one_place
  FROM here JOIN locations_accessaccount a USING (name, kind, tag)
  JOIN locations_routersession s ON s.account_id = a.id
  JOIN locations_routerprofile p ON p.id = a.profile_id)
SELECT DISTINCT account_id FROM live WHERE position > shared_users AND total > at_one_place
"""
_KICK = """
UPDATE locations_accessaccount SET is_kick_due = true, revision = revision + 1, priority = 1
WHERE id IN (SELECT id FROM locations_accessaccount WHERE id = ANY(%s) AND NOT is_kick_due ORDER BY id FOR UPDATE)
RETURNING location_id
"""


def extra_sessions_end(location_id: int) -> list[int]:
    """Ask for the end of the newest sessions above the device count, of accounts also online elsewhere.

    One router enforces `shared-users` itself; only sessions spread over routers are ours to count. Returns the
    locations that have something to do now.
    """
    with connection.cursor() as cursor:
        cursor.execute(_EXTRA, [location_id])
        accounts = [row[0] for row in cursor.fetchall()]
        if not accounts:
            return []
        cursor.execute(_KICK, [accounts])
        return sorted({row[0] for row in cursor.fetchall()})
