"""Who is open and who is held back. One rule, and it alone decides (the engine and every payment ask it):

A service is overdue by its own oldest unpaid open bill. Due before today: grace. Today later than the due day plus the
days of grace: isolated, unless a promise to pay is open. Nothing overdue: active. A person may end the grace earlier.

The rule is evaluated on the rows as they are, under the customer's lock, so a payment and a night's run cannot disagree:
whoever comes second sees what the first one did. The router's wish is compared as well, not only the status: a wish that
was lost is wished again, never "already suspended, skipping".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from accounts.models import User
from billing.choices import PROMISE_MOVES, SUBSCRIPTION_MOVES, PromiseStatus, SubscriptionStatus
from billing.events import SubscriptionsIsolated, SubscriptionsReopened
from billing.models import Promise, Subscription
from billing.services.history import services_lock
from billing.services.roots import family_ids
from core.db.transition import transition_set
from core.events import emit
from locations.choices import Priority
from locations.services import accounts_isolate, accounts_reopen

CHUNK = 5_000
ACTIVE, GRACE, ISOLATED = SubscriptionStatus.ACTIVE, SubscriptionStatus.GRACE, SubscriptionStatus.ISOLATED

JUDGE = """
WITH given AS (
    SELECT s.id, s.status, s.account_id, s.grace_days, s.isolated_by_hand_on, s.billed_until, s.expiry_date,
           coalesce(%(day)s::date, (%(now)s::timestamptz AT TIME ZONE l.timezone)::date) AS today,
           a.is_isolated
    FROM billing_subscription s
    JOIN locations_location l ON l.id = s.location_id
    LEFT JOIN locations_accessaccount a ON a.id = s.account_id AND a.presence = 'present'
    WHERE s.id = ANY(%(ids)s) AND s.status IN ('active', 'grace', 'isolated', 'paused')
), known AS (
    SELECT g.*, due.due_on, promise.id AS promise_id, promise.until_on,
           coalesce(unpaid.starts_on, g.billed_until) - 1 AS paid_until
    FROM given g
    LEFT JOIN LATERAL (
        SELECT min(i.due_on) AS due_on FROM billing_invoice i
        WHERE i.subscription_id = g.id AND i.status = 'open' AND i.kind = 'invoice' AND i.due_on < g.today
    ) due ON true
    LEFT JOIN LATERAL (
        SELECT min(p.starts_on) AS starts_on FROM billing_invoice i
        JOIN billing_subscriptionperiod p ON p.invoice_id = i.id
        WHERE i.subscription_id = g.id AND i.status = 'open' AND p.subscription_id = g.id
    ) unpaid ON true
    LEFT JOIN billing_promise promise ON promise.subscription_id = g.id AND promise.status = 'open'
), judged AS (
    SELECT k.*, CASE
        WHEN status = 'paused' THEN 'paused'
        WHEN due_on IS NULL THEN 'active'
        WHEN until_on >= today THEN 'grace'
        WHEN isolated_by_hand_on IS NOT NULL OR today > due_on + grace_days THEN 'isolated'
        ELSE 'grace' END AS wanted
    FROM known k
)
SELECT id, status, wanted, account_id, due_on, today, promise_id,
       CASE WHEN promise_id IS NULL THEN '' WHEN due_on IS NULL THEN 'kept' WHEN until_on < today THEN 'broken' ELSE '' END,
       paid_until
FROM judged
WHERE wanted <> status OR coalesce(is_isolated, wanted = 'isolated') <> (wanted = 'isolated')
   OR expiry_date IS DISTINCT FROM paid_until
   OR promise_id IS NOT NULL AND (due_on IS NULL OR until_on < today)
   OR isolated_by_hand_on IS NOT NULL AND due_on IS NULL
ORDER BY id
"""

WRITE_DOWN = """
INSERT INTO billing_subscriptionevent (subscription_id, kind, from_status, to_status, at, actor_id, reason, details)
SELECT v.id, v.kind, v.from_status, v.to_status, %(now)s, %(actor)s, %(reason)s, v.details
FROM unnest(%(ids)s::bigint[], %(kinds)s::text[], %(before)s::text[], %(after)s::text[], %(details)s::jsonb[])
     AS v (id, kind, from_status, to_status, details)
"""


class Verdict(NamedTuple):
    """One service whose row does not say yet what the rule says. `promise` is what became of its promise, or ""."""

    id: int
    status: str
    wanted: str
    account_id: int | None
    due_on: date | None
    today: date
    promise_id: int | None
    promise: str
    paid_until: date | None

    @property
    def kind(self) -> str:
        """The name of its line in the history."""
        if self.wanted == ISOLATED:
            return "isolated"
        if self.status == ISOLATED:
            return "reopened"
        return "overdue" if self.wanted == GRACE else "settled"


def services_reconsider(
    subscription_ids: Iterable[int] | None = None,
    *,
    customer_ids: Iterable[int] | None = None,
    now: datetime,
    day: date | None = None,
    actor: User | None = None,
    reason: str = "",
) -> int:
    """Bring services in line with their bills and promises, and the routers' wishes with them; returns how many moved.

    Services are named by id or by customer (those merged into him included). `day` overrules today. Chunks of 5,000, a
    transaction each; asked again it finds nothing to do.
    """
    ids = set(subscription_ids or ())
    if customer_ids is not None:
        customers = family_ids(customer_ids)
        ids |= set(Subscription.objects.filter(customer_id__in=customers).values_list("pk", flat=True))
    ordered = sorted(ids)
    return sum(
        _reconsider(ordered[start : start + CHUNK], now=now, day=day, actor=actor, reason=reason)
        for start in range(0, len(ordered), CHUNK)
    )


@transaction.atomic
def _reconsider(ids: Sequence[int], *, now: datetime, day: date | None, actor: User | None, reason: str) -> int:
    if not judged(ids, now=now, day=day):
        return 0  # looked at without locks: most services are as they should be
    services_lock(ids)
    verdicts = judged(ids, now=now, day=day)
    moved = [verdict for verdict in verdicts if verdict.wanted != verdict.status]
    for status in (ACTIVE, GRACE, ISOLATED):
        chosen = [verdict.id for verdict in moved if verdict.wanted == status]
        if chosen:
            transition_set(Subscription.objects.filter(pk__in=chosen), to=status, allowed=SUBSCRIPTION_MOVES)
    _promises_end(verdicts, now)
    _dates_keep(verdicts)
    _write_down(moved, now=now, actor=actor, reason=reason)
    _routers_follow(verdicts)
    _tell(moved)
    return len(moved)


def judged(ids: Sequence[int], *, now: datetime, day: date | None = None) -> list[Verdict]:
    """The rule's answer for every one of these services whose rows do not say it yet."""
    with connection.cursor() as cursor:
        cursor.execute(JUDGE, {"ids": list(ids), "now": now, "day": day})
        return [Verdict(*row) for row in cursor.fetchall()]


def _promises_end(verdicts: Sequence[Verdict], now: datetime) -> None:
    by_outcome: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_outcome[verdict.promise].append(verdict)
    for outcome in (PromiseStatus.KEPT, PromiseStatus.BROKEN):
        ended = by_outcome[outcome]
        rows = Promise.objects.filter(pk__in=[verdict.promise_id for verdict in ended])
        transition_set(rows, to=outcome, allowed=PROMISE_MOVES, ended_at=now)
        _events([(verdict.id, f"promise_{outcome}", "", "", {}) for verdict in ended], now=now, actor=None, reason="")


def _dates_keep(verdicts: Sequence[Verdict]) -> None:
    """`expiry_date` is the day before the first unpaid period; a grace ended by hand is over when nothing is overdue."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE billing_subscription s SET expiry_date = v.paid_until, "
            "isolated_by_hand_on = CASE WHEN v.is_overdue THEN s.isolated_by_hand_on END "
            "FROM unnest(%s::bigint[], %s::date[], %s::boolean[]) AS v (id, paid_until, is_overdue) WHERE s.id = v.id",
            [
                [verdict.id for verdict in verdicts],
                [verdict.paid_until for verdict in verdicts],
                [verdict.due_on is not None for verdict in verdicts],
            ],
        )


def _write_down(moved: Sequence[Verdict], *, now: datetime, actor: User | None, reason: str) -> None:
    lines = [
        (verdict.id, verdict.kind, verdict.status, verdict.wanted,
         {"due_on": verdict.due_on.isoformat()} if verdict.due_on else {})
        for verdict in moved
    ]  # fmt: skip
    _events(lines, now=now, actor=actor, reason=reason)


def _events(
    lines: Sequence[tuple[int, str, str, str, dict[str, Any]]], *, now: datetime, actor: User | None, reason: str
) -> None:
    if not lines:
        return
    with connection.cursor() as cursor:
        cursor.execute(WRITE_DOWN, {
            "now": now, "actor": actor.pk if actor else None, "reason": reason,
            "ids": [line[0] for line in lines], "kinds": [line[1] for line in lines],
            "before": [line[2] for line in lines], "after": [line[3] for line in lines],
            "details": [Jsonb(line[4]) for line in lines],
        })  # fmt: skip


def _routers_follow(verdicts: Sequence[Verdict]) -> None:
    """Also for services whose status was right already: both calls change only accounts that are otherwise."""
    held = [verdict.account_id for verdict in verdicts if verdict.wanted == ISOLATED and verdict.account_id]
    free = [verdict.account_id for verdict in verdicts if verdict.wanted != ISOLATED and verdict.account_id]
    if held:
        accounts_isolate(held, priority=Priority.CHANGE)
    if free:
        accounts_reopen(free)


def _tell(moved: Sequence[Verdict]) -> None:
    isolated = [verdict.id for verdict in moved if verdict.wanted == ISOLATED]
    reopened = [verdict.id for verdict in moved if verdict.status == ISOLATED]
    if isolated:
        emit(SubscriptionsIsolated(isolated))
    if reopened:
        emit(SubscriptionsReopened(reopened))
