"""A router that does not answer: back off per location, say so after two failures, never drop anything."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.db import transaction

from core import events
from core.staff_events import StaffActed
from locations.choices import NOT_REACHED, Reach
from locations.events import LocationDown, RouterCertificateChanged
from locations.models import RouterState
from locations.routeros.errors import CertificateChanged, CertificateUnconfirmed, LoginRefused, RouterError
from locations.sync.health import sample_add
from locations.sync.identity import WrongRouter
from locations.sync.queue import has_paid_work
from locations.sync.reboots import is_rebooting

LONGEST_SECONDS = 600
LONGEST_WHEN_PAID_SECONDS = 30
FAILURES_TO_BE_DOWN = 2
SLOW_AFTER_FAILURES = 3

_random = random.SystemRandom()


def retry_seconds(failures: int, *, is_paid_waiting: bool) -> float:
    """2, 4, 8 … 600 s with jitter; at most 30 s while somebody who paid waits, so that he is online soon after it returns."""
    longest = LONGEST_WHEN_PAID_SECONDS if is_paid_waiting else LONGEST_SECONDS
    return min(2.0 ** min(failures, 10), longest) * _random.uniform(0.75, 1.0)


@transaction.atomic
def failure_record(location_id: int, error: RouterError, now: datetime) -> None:
    """Count the failure and set the next try. `error.words` are the router's or the socket's, never a command."""
    state = RouterState.objects.select_for_update().get(location_id=location_id)
    state.failures += 1
    state.last_error = f"{error.problem}: {error.words}"[:500]
    state.retry_at = now + timedelta(seconds=retry_seconds(state.failures, is_paid_waiting=has_paid_work(location_id)))
    before = state.reach
    is_news = False
    state.reach = _reach_after(state, error)
    if isinstance(error, WrongRouter):
        state.other_serial = error.serial
    if isinstance(error, CertificateUnconfirmed):
        _certificate_stop(state, error)
    if state.reach != before:
        state.reach_since = now
    sample_add(location_id, now, failed=1, error=state.last_error)
    is_down = _is_down(state)
    if is_down and state.down_told_at is None and not is_rebooting(location_id):
        state.down_told_at, is_news = now, True
    state.save(
        update_fields=[
            "failures", "last_error", "retry_at", "reach", "reach_since", "other_serial", "other_fingerprint",
            "down_told_at",
        ]
    )  # fmt: skip
    if is_news:
        events.emit(LocationDown([location_id]))


def _certificate_stop(state: RouterState, error: CertificateUnconfirmed) -> None:
    """All work for the location stops (`location_run`); a changed certificate is told and written down once."""
    is_news = isinstance(error, CertificateChanged) and state.other_fingerprint != error.fingerprint
    state.other_fingerprint = error.fingerprint
    if is_news:
        details = {"location": state.location_id, "seen": state.other_fingerprint}
        events.emit(StaffActed(None, "location.certificate_changed", details, None))
        events.emit(RouterCertificateChanged([state.location_id]))


def _reach_after(state: RouterState, error: RouterError) -> str:
    if isinstance(error, WrongRouter):
        return Reach.WRONG_ROUTER
    if isinstance(error, CertificateUnconfirmed):
        return Reach.CERTIFICATE
    if isinstance(error, LoginRefused):
        return Reach.REFUSED
    if state.failures >= FAILURES_TO_BE_DOWN:
        return Reach.OFFLINE
    return state.reach


def _is_down(state: RouterState) -> bool:
    """Another router or an unconfirmed certificate stops all tries, so the first is told; of a new router it is none."""
    if state.reach in {Reach.WRONG_ROUTER, Reach.CERTIFICATE}:
        return state.reach == Reach.WRONG_ROUTER or state.seen_at is not None
    return state.failures >= FAILURES_TO_BE_DOWN and state.reach in NOT_REACHED
