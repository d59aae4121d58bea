"""Take stored observations in: sessions, used amounts, first logins, state of the router. One short transaction each.

A subscriber that fails undoes the transaction and the observation is taken again later (DESIGN 3.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from core import events
from core.error_log import error_record
from locations.choices import Kind, Presence, Reach, SessionEnd
from locations.events import FirstLogin, LocationUp
from locations.models import AccessAccount, Observation, RouterSession, RouterState
from locations.sync.health import STATE_FIELDS, health_take
from locations.sync.identity import licence_limit
from locations.sync.interfaces import interfaces_take
from locations.sync.kicks import comebacks_record
from locations.sync.roaming import extra_sessions_end
from locations.sync.sessions import Live, live_sessions, sessions_replace
from locations.sync.usage import Growth, Mark, growth, ppp_growth, usage_add

MAX_ATTEMPTS = 50
DROP_SLACK_SECONDS = 5
LIMIT_DRIFT_SECONDS = 60
STEADY = timedelta(seconds=60)  # online that long before "it is back" is told: a flapping link is one outage


def observations_take(location_id: int) -> int:
    """Process what waits, oldest first; returns how many. An error is recorded and leaves the rest for the next run."""
    done = 0
    while True:
        try:
            with transaction.atomic():
                observation = (
                    Observation.objects.select_for_update(skip_locked=True)
                    .filter(location_id=location_id, processed_at=None, attempts__lt=MAX_ATTEMPTS)
                    .order_by("id")
                    .first()
                )
                if observation is None or _is_taken_elsewhere(observation):
                    return done
                _take(observation)
                done += 1
        except Exception as error:
            error_record(source="locations.observations_take", error=error)
            if observation is not None:
                Observation.objects.filter(pk=observation.pk).update(attempts=F("attempts") + 1)
            return done


def _is_taken_elsewhere(observation: Observation) -> bool:
    """An earlier one of this router waits: another worker has it in hand just now. One after the other, by number."""
    waiting = Observation.objects.filter(location_id=observation.location_id, processed_at=None)
    return waiting.filter(pk__lt=observation.pk, attempts__lt=MAX_ATTEMPTS).exists()


def _take(observation: Observation) -> None:
    """One that was taken in before, or is older than the last one that was, changes nothing."""
    payload, at = observation.payload, observation.observed_at
    state = RouterState.objects.get(location_id=observation.location_id)
    logins: list[tuple[int, datetime]] = []
    if observation.pk > state.taken_id:
        accounts = _accounts_of(observation.location_id, payload)
        live = live_sessions(observation, state)
        readings = _readings(observation, accounts, live)
        ended = sessions_replace(observation, accounts, live)
        new = [s for s in payload["sessions"] if (s["kind"], s["id"]) not in live.going_on]
        comebacks_record(observation.location_id, new, at)
        _ends_into(ended, at, restarted=payload["restarted"])
        grown = _queues_into(payload.get("queues", ()), accounts, at)
        logins = _account_usage(readings, grown, at, restarted=payload["restarted"])
        usage_add(observation.location_id, grown, at)
        interfaces_take(observation, state)
        _update_state(observation)
    observation.processed_at = at
    Observation.objects.filter(pk=observation.pk).update(processed_at=at)
    if logins:
        events.emit(FirstLogin(logins))
    extra_sessions_end(observation.location_id)


def _accounts_of(location_id: int, payload: dict[str, Any]) -> dict[tuple[str, str], AccessAccount]:
    names = {row["name"] for key in ("sessions", "users", "queues") for row in payload.get(key, ())}
    # those whose session is gone too: every account this observation may change is locked here, in one order
    names |= set(
        RouterSession.objects.filter(location_id=location_id, account__isnull=False).values_list("name", flat=True)
    )
    wanted = Q(name__in=names)
    if payload["restarted"]:  # every counter was read: who is not among them lost what we had seen
        wanted |= Q(kind=Kind.HOTSPOT) & (Q(epoch_uptime_seconds__gt=0) | Q(epoch_bytes__gt=0))
    rows = AccessAccount.objects.filter(wanted, location_id=location_id).defer("password")
    return {(row.kind, row.name): row for row in rows.order_by("pk").select_for_update(of=("self",))}


@dataclass
class Reading:
    """What the router shows for one account now: its row's counters plus its live sessions."""

    account: AccessAccount
    base_uptime: int
    base_bytes: int
    base_bytes_in: int = 0
    live_uptime: int = 0
    live_bytes: int = 0
    live_bytes_in: int = 0
    known_uptime: int = 0  # of live sessions that go on, as read the last time
    known_bytes: int = 0
    ppp: list[dict[str, Any]] = field(default_factory=list)
    going_on: Mapping[tuple[str, str], RouterSession] = field(default_factory=dict)
    began_at: datetime | None = None
    mac: str = ""
    has_new_session: bool = False
    is_row_read: bool = False


def _readings(observation: Observation, accounts: dict[tuple[str, str], AccessAccount], live: Live) -> list[Reading]:
    payload, at = observation.payload, observation.observed_at
    users = {(str(Kind.HOTSPOT), u["name"]): u for u in payload["users"]}
    bases = {
        (s.kind, s.name): (s.base_uptime_seconds, s.base_bytes, s.base_bytes_in)
        for s in live.before.values()
        if s.kind == Kind.HOTSPOT
    }
    readings: dict[tuple[str, str], Reading] = {}
    online = {(s["kind"], s["name"]) for s in payload["sessions"]}
    for key, account in accounts.items():
        row = users.get(key)
        is_read = row is not None or (payload["restarted"] and _is_at_nothing(account))
        if key not in online and not is_read:
            continue
        base = (row["uptime"], row["bytes"], row.get("in", 0)) if row else bases.get(key, (0, 0, 0))
        base = (0, 0, 0) if is_read and row is None else base
        readings[key] = Reading(account, base[0], base[1], base[2], is_row_read=is_read, going_on=live.going_on)
        if row and row["uptime"]:
            readings[key].began_at = at - timedelta(seconds=row["uptime"])
    for session in payload["sessions"]:
        reading = readings.get((session["kind"], session["name"]))
        if reading is None:
            continue
        reading.live_uptime += session["uptime"]
        reading.live_bytes += session["bytes"]
        reading.live_bytes_in += session.get("in", 0)
        known = live.going_on.get((session["kind"], session["id"]))
        if known is not None:
            reading.known_uptime += known.uptime_seconds
            reading.known_bytes += known.bytes
        if session["kind"] == Kind.PPP:
            reading.ppp.append(session)
        began = at - timedelta(seconds=session["uptime"])
        if reading.began_at is None or began < reading.began_at:
            reading.began_at = began
        reading.mac = reading.mac or session["mac"]
        reading.has_new_session |= (session["kind"], session["id"]) not in live.going_on
    return list(readings.values())


def _is_at_nothing(account: AccessAccount) -> bool:
    """Of who is not in the list of counters that moved, read whole after a restart. Under a new name he may be in it.

    Taken in with the observation that saw the restart: the comparison after it may come when he is online again, and
    what that session uses would pass for what was lost.
    """
    return account.kind == Kind.HOTSPOT and account.applied_name in {"", account.name}


def _ends_into(ended: list[tuple[RouterSession, AccessAccount | None]], at: datetime, *, restarted: bool) -> None:
    """When and why sessions of logins ended, as far as seen: one that we ended is known already."""
    why = SessionEnd.RESTART if restarted else SessionEnd.ENDED
    ids = [
        account.pk
        for session, account in ended
        if account is not None
        and session.kind != Kind.STATIC
        and (account.last_session_ended_at is None or account.last_session_ended_at < session.seen_at)
    ]
    still_on = RouterSession.objects.filter(account__in=ids).values("account_id")
    AccessAccount.objects.filter(pk__in=ids).exclude(pk__in=still_on).update(
        last_session_ended_at=at, last_session_end=why
    )


def _queues_into(
    queues: Iterable[dict[str, Any]], accounts: dict[tuple[str, str], AccessAccount], at: datetime
) -> list[Growth]:
    """Static addresses: bytes that grew since the last reading mean that somebody was there. Returns by how much."""
    changed, grown = [], []
    for queue in queues:
        account = accounts.get((str(Kind.STATIC), queue["name"]))
        if account is None or queue["bytes"] == account.epoch_bytes:
            continue
        before, sent = Mark.of(account), queue.get("in", 0) - account.epoch_bytes_in
        if queue["bytes"] < account.epoch_bytes:  # the queue was made anew or its counter reset
            account.past_bytes += account.epoch_bytes
            sent = queue.get("in", 0)
        account.epoch_bytes, account.epoch_bytes_in, account.last_seen_at = queue["bytes"], queue.get("in", 0), at
        changed.append(account)
        grown.append(growth(account, before, sent, at))
    AccessAccount.objects.bulk_update(
        changed, ["past_bytes", "epoch_bytes", "epoch_bytes_in", "last_seen_at"], batch_size=1000
    )
    return [row for row in grown if row is not None]


def _account_usage(
    readings: list[Reading], grown: list[Growth], at: datetime, *, restarted: bool
) -> list[tuple[int, datetime]]:
    """Write used amounts and first logins; adds to `grown` what was used, returns the first logins found."""
    logins: list[tuple[int, datetime]] = []
    changed: list[AccessAccount] = []
    for reading in readings:
        account = reading.account
        before = Mark.of(account)
        sent = reading.base_bytes_in + reading.live_bytes_in - account.epoch_bytes_in
        if account.kind == Kind.PPP:
            needs_write, sent = False, _ppp_into(account, reading)
        else:
            needs_write = _usage_into(account, reading, restarted=restarted)
        used = growth(account, before, sent, at)
        grown += [used] if used is not None else []
        if reading.live_uptime or reading.has_new_session:
            account.last_seen_at = at
        began = reading.began_at
        if began is not None and _is_first(account, began):
            account.first_login_at = began
            logins.append((account.pk, began))
        if account.is_mac_locked and not account.mac_address and reading.mac:
            account.mac_address = reading.mac[:17]
            needs_write = True
        if reading.has_new_session and _limit_is_stale(account, at):
            needs_write = True
        if needs_write and account.presence == Presence.PRESENT:
            account.revision += 1
        changed.append(account)
    AccessAccount.objects.bulk_update(
        changed,
        ["first_login_at", "last_seen_at", "past_uptime_seconds", "past_bytes", "epoch_uptime_seconds", "epoch_bytes",
         "epoch_bytes_in", "mac_address", "revision"],
        batch_size=1000,
    )  # fmt: skip
    return logins


def _is_first(account: AccessAccount, began: datetime) -> bool:
    """No login known yet, or this one began earlier (the earliest wins; a few seconds are only rounding).

    After a reset the counters started anew and say nothing about the first login.
    """
    if account.first_login_at is None:
        return True
    return account.past_uptime_seconds == 0 and began < account.first_login_at - timedelta(seconds=5)


def _ppp_into(account: AccessAccount, reading: Reading) -> int:
    """Add what its PPP sessions grew by; returns the bytes the customer sent of it."""
    grown = ppp_growth(reading.ppp, reading.going_on)
    account.epoch_uptime_seconds += grown["uptime"]
    account.epoch_bytes += grown["bytes"]
    account.epoch_bytes_in += grown["in"]
    return grown["in"]


def _usage_into(account: AccessAccount, reading: Reading, *, restarted: bool) -> bool:
    """Move the counters; True when the router's limit must be sent again because counted time was lost there.

    After a restart the router's counter may be lower than what we saw: the difference is kept as an earlier
    epoch, so a power cut gives no free time; what sessions that began after it used is no replacement for what was
    lost. Without a restart a lower reading is a row not updated yet (routers write it at logout) and is ignored.
    """
    uptime = reading.base_uptime + reading.live_uptime
    size = reading.base_bytes + reading.live_bytes
    is_new_count = restarted and reading.is_row_read and account.kind == Kind.HOTSPOT
    lost_seconds = account.epoch_uptime_seconds - (
        reading.base_uptime + reading.known_uptime if is_new_count else uptime
    )
    lost_bytes = account.epoch_bytes - (reading.base_bytes + reading.known_bytes if is_new_count else size)
    sent = reading.base_bytes_in + reading.live_bytes_in
    is_growth = lost_seconds <= DROP_SLACK_SECONDS and lost_bytes <= 0
    if is_growth or not (restarted and reading.is_row_read):
        account.epoch_uptime_seconds = max(uptime, account.epoch_uptime_seconds)
        account.epoch_bytes = max(size, account.epoch_bytes)
        account.epoch_bytes_in = max(sent, account.epoch_bytes_in)
        return False
    account.past_uptime_seconds += max(0, lost_seconds)
    account.past_bytes += max(0, lost_bytes)
    account.epoch_uptime_seconds, account.epoch_bytes, account.epoch_bytes_in = uptime, size, sent
    return account.limit_uptime_seconds is not None or account.limit_bytes is not None


def _limit_is_stale(account: AccessAccount, at: datetime) -> bool:
    """The router would let this session run past the validity: time went by since the limit was computed."""
    if account.valid_until is None or account.sent_limit_seconds is None:
        return False
    left = max(0, int((account.valid_until - at).total_seconds()))
    return account.sent_limit_seconds - account.epoch_uptime_seconds > left + LIMIT_DRIFT_SECONDS


def _update_state(observation: Observation) -> None:
    payload, at = observation.payload, observation.observed_at
    identity = payload["identity"]
    state = RouterState.objects.select_for_update().get(location_id=observation.location_id)
    state.taken_id = observation.pk
    if state.reach != Reach.ONLINE and not state.other_fingerprint:
        state.reach, state.reach_since = Reach.ONLINE, at
    if state.entry_count is not None and state.drift and not payload["restarted"]:
        _notice_foreign_change(state, payload["entries"], at)
    state.identity, state.model, state.version = identity["identity"], identity["model"], identity["version"]
    state.serial = state.serial or identity["serial"]
    state.uptime_seconds, state.cpu_load = identity["uptime"], identity["cpu"]
    state.free_memory, state.licence_limit = identity["memory"], licence_limit(identity["licence"])
    health_take(state, payload, at)
    state.entry_count = payload["entries"]
    state.last_error, state.failures, state.retry_at = "", 0, None
    state.seen_at = state.polled_at = at
    if payload["swept"]:
        state.usage_swept_at = at
    is_steady = state.reach_since is not None and at - state.reach_since >= STEADY
    is_news = state.down_told_at is not None and is_steady
    if is_news:
        state.down_told_at = None
    if payload["restarted"]:
        state.reconcile_due_at, state.is_repair_due = state.reconcile_due_at or at, True
    state.save(
        update_fields=[
            "reach", "reach_since", "identity", "model", "version", "serial", "uptime_seconds", "cpu_load",
            "free_memory", "licence_limit", "entry_count", "last_error", "failures", "retry_at", "seen_at",
            "polled_at", "usage_swept_at", "reconcile_due_at", "is_repair_due", "down_told_at", "taken_id",
            *STATE_FIELDS,
        ]
    )  # fmt: skip
    if is_news:
        events.emit(LocationUp([observation.location_id]))


def _notice_foreign_change(state: RouterState, entries: int, at: datetime) -> None:
    """Entries vanished or appeared that we did not write: look at everything soon."""
    ours = AccessAccount.objects.filter(location_id=state.location_id).exclude(router_id="").count()
    if entries != ours + int(state.drift.get("others", 0)) and state.reconcile_due_at is None:
        state.reconcile_due_at = at
