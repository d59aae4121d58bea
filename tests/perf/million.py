"""A database with a million vouchers, nearly all on one location, 10,000 on another, among a hundred locations."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from core import clock
from locations.models import Location
from tests.perf.world import execute, make_batch, make_location, make_plan, one, vacuum
from vouchers.models import MAX_QUANTITY

NAME, USUAL = "Codes", "Usual"
USUAL_SHARE = 0.01
OTHERS = 98
OBSERVATIONS = 200_000  # a hundred routers make more in one day
STATES = """
UPDATE vouchers_voucher SET status = s.status,
  sold_at = CASE WHEN s.status <> 'new' THEN %(began)s::timestamptz END,
  used_at = CASE WHEN s.status IN ('active', 'expired') THEN %(began)s::timestamptz END,
  ended_at = CASE WHEN s.status = 'expired' THEN %(now)s::timestamptz END,
  valid_until = CASE s.status WHEN 'active' THEN %(until)s::timestamptz WHEN 'expired' THEN %(began)s::timestamptz END
FROM (SELECT id AS voucher_id, CASE WHEN id %% 20 < 8 THEN 'expired' WHEN id %% 20 < 9 THEN 'active'
      WHEN id %% 20 < 12 THEN 'sold' ELSE 'new' END AS status FROM vouchers_voucher) s
WHERE id = s.voucher_id AND s.status <> 'new'
"""
CONFIRM = """
UPDATE locations_accessaccount SET revision = 1 + id %% 4, applied_revision = 1 + id %% 4,
  router_id = '*' || to_hex(id), applied_name = name,
  applied_at = now(), sent_limit_seconds = limit_uptime_seconds
"""
OBSERVE = """
INSERT INTO locations_observation (location_id, observed_at, payload, processed_at, attempts)
SELECT (SELECT min(id) FROM locations_location) + n %% %s, now() - n * interval '400 ms', '{}', now(), 0
FROM generate_series(1, %s) n
"""
TABLES = ("vouchers_voucher", "locations_accessaccount", "locations_observation", "locations_location")


def fill(rows: int) -> tuple[Location, Location]:
    """As many vouchers as wanted, as generation leaves them; those of the part before are kept.

    Returns the location that has nearly all of them, and one as large as real ones get.
    """
    largest = Location.objects.filter(name=NAME).first() or make_location(NAME, is_active=False)
    usual = make_location(USUAL, is_active=False)
    largest.is_active = usual.is_active = True  # for orders only
    missing = rows - int(one("SELECT count(*) FROM vouchers_voucher") or 0)
    plan = make_plan("Lists", [largest, usual])
    while missing > 0:
        missing -= make_batch(plan, largest, min(missing, MAX_QUANTITY)).quantity
    make_batch(plan, usual, int(rows * USUAL_SHARE))
    for number in range(OTHERS):
        make_location(f"Other {number:03}")
    execute(OBSERVE, OTHERS, OBSERVATIONS)
    execute("UPDATE locations_routerprofile SET applied_revision = revision")  # else the writer lets accounts wait
    Location.objects.update(is_active=True)  # the sweep looks at active ones,
    execute("UPDATE locations_routerstate SET polled_at = now() + interval '1 hour'")  # and only at work, not at polls
    vacuum(*TABLES)
    return largest, usual


def spread() -> None:
    """The steady state: vouchers in all states, every account confirmed by its router."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(STATES, {"now": now, "began": now - timedelta(days=1), "until": now + timedelta(days=1)})
    execute(CONFIRM)
    vacuum(*TABLES)


def deep_id(depth: int) -> int:
    """The id after which the page begins that lies this many rows below the newest."""
    found = one("SELECT id FROM vouchers_voucher ORDER BY id DESC OFFSET %s LIMIT 1", depth)
    return int(found or one("SELECT min(id) + 60 FROM vouchers_voucher"))
