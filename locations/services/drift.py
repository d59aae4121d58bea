"""Comparing a router with our wishes when a person asks, and repairing what he ticked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.errors import DomainError
from core.staff_events import StaffActed
from locations.choices import DriftCategory, DriftSubject, Hold, Presence, Priority
from locations.models import AccessAccount, DriftRow, Location, RouterEntry, RouterProfile, RouterState
from locations.services.accounts import conflict_adopt
from locations.services.kicks import kick_locations
from locations.sync.scope import compare_want

MOST_AT_ONCE = 5000
BY_ITSELF = (DriftCategory.MISSING, DriftCategory.DIFFERENT)  # "repair all" never removes and never takes over
SUBJECTS: tuple[tuple[str, type[RouterProfile] | type[AccessAccount] | type[RouterEntry]], ...] = (
    (DriftSubject.PROFILE, RouterProfile), (DriftSubject.ACCOUNT, AccessAccount), (DriftSubject.ENTRY, RouterEntry),
)  # fmt: skip


@transaction.atomic
def location_compare(
    location: Location, *, now: datetime, repairs: bool = False, actor: User | None, ip: str | None = None
) -> None:
    """Compare everything at this router now; with `repairs` also put right what differs, whatever its setting says."""
    _want_all(location.pk, now)
    if repairs:
        RouterState.objects.filter(pk=location.pk).update(is_repair_due=True)
        _release(_drifted(location.pk))
    details = {"location": location.pk, "repairs": repairs}
    events.emit(StaffActed(actor.pk if actor else None, "location.compared", details, ip))
    kick_locations([location.pk], is_forced=True)


def _want_all(location_id: int, now: datetime) -> None:
    RouterState.objects.filter(pk=location_id).update(reconcile_due_at=now, retry_at=None)


@transaction.atomic
def accounts_compare(
    accounts: Iterable[AccessAccount], *, now: datetime, actor: User | None, ip: str | None = None
) -> int:
    """Compare these logins alone, at their routers. Returns how many routers are asked."""
    return _compare([(row.location_id, (DriftSubject.ACCOUNT.value, row.pk)) for row in accounts], now, actor, ip)


@transaction.atomic
def profiles_compare(
    profiles: Iterable[RouterProfile], *, now: datetime, actor: User | None, ip: str | None = None
) -> int:
    """Compare these profiles and the logins that have them: one plan at its places. Returns how many routers are asked."""
    return _compare([(row.location_id, (DriftSubject.PROFILE.value, row.pk)) for row in profiles], now, actor, ip)


def _compare(wanted: Sequence[tuple[int, tuple[str, int]]], now: datetime, actor: User | None, ip: str | None) -> int:
    places = sorted({location_id for location_id, _pair in wanted})
    for location_id in places:
        pairs = [pair for place, pair in wanted if place == location_id]
        if not compare_want(location_id, pairs):
            _want_all(location_id, now)
        details = {"location": location_id, "wanted": [list(pair) for pair in pairs][:50]}
        events.emit(StaffActed(actor.pk if actor else None, "location.compared", details, ip))
    kick_locations(places, is_forced=True)
    return len(places)


@dataclass(frozen=True)
class Repaired:
    """What a repair asked for. `sent` are wishes already on their way or now released."""

    sent: int = 0
    removed: int = 0
    adopted: int = 0

    @property
    def total(self) -> int:
        return self.sent + self.removed + self.adopted


@transaction.atomic
def drift_repair(
    location: Location, *, row_ids: Collection[int] | None, now: datetime, actor: User | None, ip: str | None = None
) -> Repaired:
    """Put right what was ticked: send again, remove what nobody wants, take over what has our name.

    `row_ids` None: everything missing or different; removing and taking over are only done one tick at a time.
    The router's own entries are never touched. Raises DomainError when a ticked row is not there any more.
    """
    rows = DriftRow.objects.filter(location=location, removed_at=None).order_by("pk")
    if row_ids is None:
        sent = _release(_drifted(location.pk))
        done = Repaired(sent=sent)
    else:
        ids = sorted(set(row_ids))
        if not ids or len(ids) > MOST_AT_ONCE:
            raise DomainError("drift.nothing", _("Tick what should be repaired."))
        found = list(rows.filter(pk__in=ids).select_for_update())
        if len(found) != len(ids):
            text = _("The router was compared again meanwhile. Look at the new list; nothing was changed.")
            raise DomainError("drift.outdated", text, status=409)
        done = _repair(found, now, actor, ip)
    details = {"location": location.pk, "sent": done.sent, "removed": done.removed, "adopted": done.adopted}
    events.emit(StaffActed(actor.pk if actor else None, "location.repaired", details, ip))
    kick_locations([location.pk], is_forced=True)
    return done


def _repair(rows: Sequence[DriftRow], now: datetime, actor: User | None, ip: str | None) -> Repaired:
    lost = [(row.subject, row.row_id) for row in rows if row.category in BY_ITSELF and row.row_id]
    conflicts = [row.row_id for row in rows if row.category == DriftCategory.CONFLICT and row.row_id]
    extras = [row.pk for row in rows if row.category == DriftCategory.EXTRA]
    _release({subject: [pk for kind, pk in lost if kind == subject] for subject, _model in SUBJECTS})
    removed = DriftRow.objects.filter(pk__in=extras).update(repair_at=now, router_words="")
    held = AccessAccount.objects.filter(pk__in=conflicts, hold=Hold.CONFLICT, presence=Presence.PRESENT).order_by("pk")
    adopted = 0
    for account in held.select_for_update(of=("self",)):
        conflict_adopt(account, actor=actor, ip=ip)
        adopted += 1
    return Repaired(len(lost), removed, adopted)


def _drifted(location_id: int) -> dict[str, list[int]]:
    held = {"location_id": location_id, "hold": Hold.DRIFT}
    return {s: list(model.objects.filter(**held).values_list("pk", flat=True)) for s, model in SUBJECTS}


def _release(ids: dict[str, list[int]]) -> int:
    """Let the writer send rows that were held because of drift. In the order of locks."""
    released = 0
    for subject, model in SUBJECTS:
        wanted = sorted(ids.get(subject, []))
        for start in range(0, len(wanted), MOST_AT_ONCE):
            part = model.objects.filter(pk__in=wanted[start : start + MOST_AT_ONCE], hold=Hold.DRIFT).order_by("pk")
            locked = list(part.select_for_update(of=("self",)).values_list("pk", flat=True))
            rows = model.objects.filter(pk__in=locked)
            released += rows.update(hold=Hold.NONE, router_words="", priority=Priority.CHANGE)
    return released
