"""Live sessions from one observation to the next: which goes on, which is new, which ended. An ended one becomes history.

A session is the same one while its `.id`, its name and the router's own idea of when it began stay. The server's clock
decides nothing: whoever sets it does not end sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from locations.choices import Kind, SessionEnd
from locations.models import AccessAccount, Observation, RouterSession, RouterState, SessionRecord

Key = tuple[str, str]  # kind and `.id`
Accounts = Mapping[Key, AccessAccount]  # by kind and name
BEGAN_SLACK_SECONDS = 90  # identity and sessions of one poll may be asked that far apart
LONGEST_RATE_SECONDS = 180  # an average over more is not what he does now
STATIC_QUIET = timedelta(minutes=5)
UPDATED = (
    "name", "account", "mac_address", "address", "uptime_seconds", "bytes", "bytes_in", "bytes_out", "rate_in",
    "rate_out", "active_at", "base_uptime_seconds", "base_bytes", "base_bytes_in", "started_at", "seen_at",
)  # fmt: skip


@dataclass(frozen=True)
class Live:
    """Who was online at the last observation, and which of them still are."""

    before: Mapping[Key, RouterSession]
    going_on: Mapping[Key, RouterSession]


def live_sessions(observation: Observation, state: RouterState) -> Live:
    """`state` is still that of the observation before."""
    before = {(s.kind, s.router_id): s for s in RouterSession.objects.filter(location_id=observation.location_id)}
    payload = observation.payload
    went_on: dict[Key, RouterSession] = {}
    passed = -1 if state.uptime_seconds is None else payload["identity"]["uptime"] - state.uptime_seconds
    if passed >= 0:
        for seen in payload["sessions"]:
            row = before.get((seen["kind"], seen["id"]))
            if row is not None and _is_same(row, seen, passed, restarted=payload["restarted"]):
                went_on[row.kind, row.router_id] = row
        queues = {queue.get("id", ""): queue["name"] for queue in payload.get("queues", ())}
        for key, row in before.items():
            if row.kind == Kind.STATIC and queues.get(row.router_id) == row.name and not payload["restarted"]:
                went_on[key] = row
    return Live(before, went_on)


def _is_same(row: RouterSession, seen: Mapping[str, Any], passed: int, *, restarted: bool) -> bool:
    """`passed` seconds went by on the router: a session that goes on grew older by as much.

    Whether the router restarted is judged with the server's clock, which somebody may have set: when its uptime went
    on and a session aged by just as much without losing a byte, it did not.
    """
    grown = seen["uptime"] - row.uptime_seconds
    if row.name != seen["name"] or grown < 0 or abs(grown - passed) > BEGAN_SLACK_SECONDS:
        return False
    return not restarted or seen["bytes"] >= row.bytes


def sessions_replace(
    observation: Observation, accounts: Accounts, live: Live
) -> list[tuple[RouterSession, AccessAccount | None]]:
    """Take over who is online now and write down who is not any more; returns those, with their account if it is ours."""
    location_id, at = observation.location_id, observation.observed_at
    payload = observation.payload
    users = {u["name"]: u for u in payload["users"]}
    fresh: dict[Key, RouterSession] = {}
    for seen in payload["sessions"]:
        row = users.get(seen["name"]) if seen["kind"] == Kind.HOTSPOT else None
        session = _session(location_id, seen, live.going_on.get((seen["kind"], seen["id"])), row, at)
        session.account = accounts.get((session.kind, session.name))
        fresh[session.kind, session.router_id] = session
    for session in _static_sessions(location_id, payload.get("queues", ()), accounts, live, at):
        fresh[session.kind, session.router_id] = session
    ended = [row for key, row in live.before.items() if key not in fresh or key not in live.going_on]
    RouterSession.objects.filter(pk__in=[row.pk for row in ended]).delete()
    RouterSession.objects.bulk_create(
        fresh.values(), batch_size=2000, update_conflicts=True, update_fields=UPDATED,
        unique_fields=["location", "kind", "router_id"],
    )  # fmt: skip
    pairs = [(row, accounts.get((row.kind, row.name))) for row in ended]
    records_write((record_of(row, *_ending(row, account, payload, at)) for row, account in pairs))
    return pairs


def _session(
    location_id: int, seen: Mapping[str, Any], before: RouterSession | None, row: Any, at: datetime
) -> RouterSession:
    session = RouterSession(
        location_id=location_id, kind=seen["kind"], router_id=seen["id"], name=seen["name"], mac_address=seen["mac"],
        address=seen["address"], uptime_seconds=seen["uptime"], bytes=seen["bytes"], bytes_in=seen.get("in", 0),
        bytes_out=seen.get("out", 0), started_at=at - timedelta(seconds=seen["uptime"]), seen_at=at, active_at=at,
    )  # fmt: skip
    if before is not None:
        session.started_at = before.started_at
        session.base_uptime_seconds, session.base_bytes = before.base_uptime_seconds, before.base_bytes
        session.base_bytes_in = before.base_bytes_in
        _rates(session, before, seen["uptime"] - before.uptime_seconds)
    if row:
        session.base_uptime_seconds, session.base_bytes = row["uptime"], row["bytes"]
        session.base_bytes_in = row.get("in", 0)
    return session


def _rates(session: RouterSession, before: RouterSession, seconds: int) -> None:
    """Bits per second since the last observation, by the session's own clock; unknown over a gap or a counter reset."""
    up, down = session.bytes_in - before.bytes_in, session.bytes_out - before.bytes_out
    if seconds == 0 and up == down == 0:  # the same second twice
        session.rate_in, session.rate_out = before.rate_in, before.rate_out
    elif 0 < seconds <= LONGEST_RATE_SECONDS and up >= 0 and down >= 0:
        session.rate_in, session.rate_out = up * 8 // seconds, down * 8 // seconds
    if up == down == 0:
        session.active_at = before.active_at


def _static_sessions(
    location_id: int, queues: Iterable[Mapping[str, Any]], accounts: Accounts, live: Live, at: datetime
) -> Iterable[RouterSession]:
    """A static address is "online" from the poll its bytes grew until they stood still for five minutes."""
    for queue in queues:
        account = accounts.get((str(Kind.STATIC), queue["name"]))
        router_id = queue.get("id", "")
        if account is None or not router_id:
            continue
        before = live.going_on.get((str(Kind.STATIC), router_id))
        has_grown = queue["bytes"] != account.epoch_bytes
        last = at if has_grown or before is None else before.active_at
        if not has_grown and (before is None or last is None or at - last >= STATIC_QUIET):
            continue
        yield _static_session(location_id, queue, account, before, at, last)


def _static_session(
    location_id: int, queue: Mapping[str, Any], account: AccessAccount, before: RouterSession | None, at: datetime,
    active_at: datetime | None,
) -> RouterSession:  # fmt: skip
    """`base_*` are the queue's counters at its beginning; the address and device are those we gave."""
    started_at = before.started_at if before is not None else at
    session = RouterSession(
        location_id=location_id, kind=Kind.STATIC, router_id=queue["id"], name=account.name, account=account,
        mac_address=account.mac_address, address=account.static_address or "", started_at=started_at, seen_at=at,
        uptime_seconds=max(0, int((at - started_at).total_seconds())), active_at=active_at,
        base_bytes=account.epoch_bytes, base_bytes_in=account.epoch_bytes_in,
    )  # fmt: skip
    if before is not None:
        session.base_bytes, session.base_bytes_in = before.base_bytes, before.base_bytes_in
    if queue["bytes"] < session.base_bytes:  # the queue was made anew
        session.base_bytes = session.base_bytes_in = 0
    session.bytes_in = max(0, queue["in"] - session.base_bytes_in)
    session.bytes = max(session.bytes_in, queue["bytes"] - session.base_bytes)
    session.bytes_out = session.bytes - session.bytes_in
    if before is not None:
        _rates(session, before, int((at - before.seen_at).total_seconds()))
        session.active_at = active_at
    return session


def _ending(
    row: RouterSession, account: AccessAccount | None, payload: Mapping[str, Any], at: datetime
) -> tuple[datetime, str]:
    """When it was over, as far as seen, and why."""
    ended_at = max(at, row.seen_at)  # somebody may have set the clock back
    if payload["restarted"]:
        return ended_at, SessionEnd.RESTART
    if (
        account is not None
        and account.last_session_end == SessionEnd.KICKED
        and account.last_session_ended_at is not None
        and account.last_session_ended_at >= row.seen_at
    ):
        return min(ended_at, account.last_session_ended_at), SessionEnd.KICKED
    return ended_at, SessionEnd.QUIET if row.kind == Kind.STATIC else SessionEnd.ENDED


def record_of(row: RouterSession, ended_at: datetime, end: str) -> SessionRecord:
    return SessionRecord(
        location_id=row.location_id, kind=row.kind, name=row.name, router_id=row.router_id,
        mac_address=row.mac_address, address=row.address, started_at=row.started_at, seen_at=row.seen_at,
        ended_at=ended_at, uptime_seconds=row.uptime_seconds, bytes_in=row.bytes_in, bytes_out=row.bytes_out, end=end,
    )  # fmt: skip


def records_write(records: Iterable[SessionRecord]) -> None:
    """One row per session, ever: who comes second writes nothing."""
    SessionRecord.objects.bulk_create(records, batch_size=2000, ignore_conflicts=True)
