"""What a location's writer should do next: bounded reads of the rows that are their own outbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from locations.choices import EntryKind, Hold, Presence, Priority
from locations.models import TODO, AccessAccount, RouterEntry, RouterProfile
from locations.sync.entry_menus import ENTRY_MENUS
from locations.sync.menus import SiblingUse

BATCH_ROWS = 500
ENTRY_ROWS = 200
PROFILE_ROWS = 100
UNSENT = ("created_at", "changed_at", "applied_at", "first_login_at", "last_seen_at")
# moved here, and the old router has not yet confirmed that it is gone there
AWAITING = Q(presence=Presence.PRESENT) & Q(
    pk__in=AccessAccount.objects.filter(moved_to__isnull=False, is_move_awaited=True, presence=Presence.ABSENT).values(
        "moved_to_id"
    )
)
_PLANNER = ("enable_seqscan", "enable_bitmapscan", "enable_sort", "max_parallel_workers_per_gather")


@contextmanager
def by_index() -> Iterator[None]:
    """Walk the index of waiting rows, whatever PostgreSQL believes about their number.

    It guesses `revision <> applied_revision` to be true for no row or for nearly all. With a million accounts it then
    sorts the whole table for every batch of 500 (450 ms), or reads it whole to learn that nothing waits (430 ms).
    """
    is_nested = connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("".join(f"SET LOCAL {name} = 0; " for name in _PLANNER))
        yield
        if is_nested:  # a caller's transaction goes on with its own plans
            cursor.execute("".join(f"SET LOCAL {name} = DEFAULT; " for name in _PLANNER))


def profiles_due(location_id: int, limit: int = PROFILE_ROWS) -> list[RouterProfile]:
    """Wanted profile changes. Removals only once no account here uses the profile: the router would refuse."""
    rows = RouterProfile.objects.filter(TODO, location_id=location_id).order_by("priority", "id")
    due = rows[: min(limit, PROFILE_ROWS)]
    return [p for p in due if p.presence == Presence.PRESENT or not AccessAccount.objects.filter(profile=p).exists()]


def entries_due(location_id: int, limit: int = ENTRY_ROWS, *, least_urgent: int = Priority.BULK) -> list[RouterEntry]:
    """Wanted changes of nameless rows; a rule that changed brings all rules of its menu, because their order counts."""
    rows = RouterEntry.objects.filter(TODO, location_id=location_id, priority__lte=least_urgent)
    due = list(rows.order_by("priority", "id")[: min(limit, ENTRY_ROWS)])
    rules = {entry.kind for entry in due if ENTRY_MENUS[EntryKind(entry.kind)].is_rule}
    if not rules:
        return due
    others = [entry for entry in due if entry.kind not in rules]
    return others + list(RouterEntry.objects.filter(location_id=location_id, kind__in=rules, hold="").order_by("place"))


def accounts_due(
    location_id: int, limit: int = BATCH_ROWS, *, least_urgent: int = Priority.BULK
) -> list[AccessAccount]:
    """The next accounts to send, paid activations and removals first; none that is less urgent than `least_urgent`.

    Accounts whose profile the router does not have yet wait for it: the router would refuse every one of them.
    """
    rows = _sendable(location_id).filter(priority__lte=least_urgent)
    with by_index():
        # one profile object for all its accounts, and no dates that nobody sends: half of the time of this read
        rows = rows.prefetch_related("profile__isolation_profile").defer(*UNSENT)
        return list(rows.order_by("priority", "id")[:limit])


def _sendable(location_id: int) -> QuerySet[AccessAccount]:
    unready = list(
        RouterProfile.objects.filter(location_id=location_id, applied_revision=0).values_list("pk", flat=True)
    )
    rows = AccessAccount.objects.filter(TODO, location_id=location_id).exclude(AWAITING)
    if not unready:
        return rows
    waiting = Q(profile_id__in=unready)
    instead = list(
        RouterProfile.objects.filter(location_id=location_id, isolation_profile__in=unready).values_list(
            "pk", flat=True
        )
    )
    if instead:  # the isolated have another profile, which must be there first too
        waiting |= Q(profile_id__in=instead, is_isolated=True)
    return rows.exclude(waiting & Q(presence=Presence.PRESENT))


def has_work(location_id: int) -> bool:
    """Something could be sent now. Accounts of a profile the router refused do not count: they wait for a person."""
    with by_index():
        others = (model.objects.filter(TODO, location_id=location_id) for model in (RouterProfile, RouterEntry))
        return _sendable(location_id).exists() or any(rows.exists() for rows in others)


def has_paid_work(location_id: int) -> bool:
    """Somebody paid and waits: back-off is kept short for him."""
    paid = AccessAccount.objects.filter(TODO, location_id=location_id, priority=Priority.PAID, hold=Hold.NONE)
    return paid.exclude(AWAITING).exists()


_SIBLINGS = """
SELECT mine.id, sum(other.past_uptime_seconds + other.epoch_uptime_seconds)::bigint,
       sum(other.past_bytes + other.epoch_bytes)::bigint
FROM locations_accessaccount mine JOIN locations_accessaccount other
  ON other.name = mine.name AND other.kind = mine.kind AND other.id <> mine.id
  AND (other.moved_to_id = mine.id OR (mine.tag <> 'a' AND other.tag || '' = mine.tag))
WHERE mine.id = ANY(%s) GROUP BY mine.id
"""


def sibling_use(accounts: Sequence[AccessAccount]) -> dict[int, SiblingUse]:
    """What roaming accounts used at their other locations."""
    ids = [a.pk for a in accounts if a.limit_uptime_seconds is not None or a.limit_bytes is not None]
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_SIBLINGS, [ids])
        return {pk: SiblingUse(seconds, size) for pk, seconds, size in cursor.fetchall()}
