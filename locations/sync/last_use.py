"""What a hotspot login had used when it left a router: read on its way out, so that no second since the last poll is lost.

Its entry's counter is read with the look that finds the entry, its running sessions with the look that finds them to be
ended: no sentence more than a removal needs. An entry that was gone before (the answer to its removal was lost) took its
counter with it; of a session that ran on since, what it grew by is still counted, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from locations.choices import Kind
from locations.models import AccessAccount, RouterSession
from locations.routeros.client import Row
from locations.routeros.values import whole
from locations.sync.kinds import seconds_of
from locations.sync.usage import Growth, Mark, growth, usage_add

COUNTERS = ("uptime", "bytes-in", "bytes-out")


@dataclass(frozen=True)
class Counters:
    """Seconds and bytes as a router prints them; `sent` are the customer's part of `bytes`."""

    seconds: int = 0
    bytes: int = 0
    sent: int = 0

    @classmethod
    def of(cls, row: Row) -> Counters:
        sent = whole(row.get("bytes-in", ""))
        return cls(seconds_of(row.get("uptime", "")), sent + whole(row.get("bytes-out", "")), sent)

    def __add__(self, other: Counters) -> Counters:
        return Counters(self.seconds + other.seconds, self.bytes + other.bytes, self.sent + other.sent)

    def since(self, known: Counters) -> Counters:
        return Counters(
            max(0, self.seconds - known.seconds), max(0, self.bytes - known.bytes), max(0, self.sent - known.sent)
        )


NOTHING = Counters()


@dataclass(frozen=True)
class LastUse:
    """Of one account: the counter of its entry (None: it was gone already) and its sessions that we ended, by `.id`."""

    account_id: int
    entry: Counters | None
    sessions: Mapping[str, Counters]

    @property
    def has_used(self) -> bool:
        return bool(self.sessions) or self.entry not in (None, NOTHING)


def known_sessions(account_ids: Iterable[int]) -> dict[tuple[int, str], RouterSession]:
    """Sessions of these accounts as the last poll read them, by account and `.id`."""
    rows = RouterSession.objects.filter(account_id__in=account_ids, kind=Kind.HOTSPOT)
    return {(row.account_id or 0, row.router_id): row for row in rows}


def last_use_into(account: AccessAccount, use: LastUse, known: Mapping[tuple[int, str], RouterSession]) -> None:
    """Move the account's counters, in memory. They only grow: what was seen before is never taken back."""
    total = Counters(account.epoch_uptime_seconds, account.epoch_bytes, account.epoch_bytes_in)
    if use.entry is None:
        for router_id, shown in use.sessions.items():
            total += shown.since(_as_known(known.get((account.pk, router_id))))
    else:
        total = sum(use.sessions.values(), use.entry)
    account.epoch_uptime_seconds = max(account.epoch_uptime_seconds, total.seconds)
    account.epoch_bytes = max(account.epoch_bytes, total.bytes)
    account.epoch_bytes_in = max(account.epoch_bytes_in, total.sent)


def _as_known(row: RouterSession | None) -> Counters:
    return NOTHING if row is None else Counters(row.uptime_seconds, row.bytes, row.bytes_in)


def last_use_record(location_id: int, uses: Sequence[LastUse], at: datetime) -> None:
    """Store it with the day's use and the sessions it is about. In the transaction that records the removal, before it."""
    if not uses:
        return
    of = {use.account_id: use for use in uses}
    accounts = list(AccessAccount.objects.filter(pk__in=of).order_by("pk").select_for_update(of=("self",)))
    known = known_sessions(of)
    grown: list[Growth | None] = []
    for account in accounts:
        before, sent = Mark.of(account), account.epoch_bytes_in
        last_use_into(account, of[account.pk], known)
        grown.append(growth(account, before, account.epoch_bytes_in - sent, at))
    counters = ["epoch_uptime_seconds", "epoch_bytes", "epoch_bytes_in"]
    AccessAccount.objects.bulk_update(accounts, counters, batch_size=1000)
    usage_add(location_id, [row for row in grown if row is not None], at)
    _sessions_write(of, known, at)


def _sessions_write(of: Mapping[int, LastUse], known: Mapping[tuple[int, str], RouterSession], at: datetime) -> None:
    """What they showed last; the next poll finds them gone and writes them into the history with that."""
    changed = []
    for (account_id, router_id), row in known.items():
        shown = of[account_id].sessions.get(router_id)
        if shown is None:
            continue
        row.uptime_seconds, row.bytes, row.bytes_in = shown.seconds, shown.bytes, shown.sent
        row.bytes_out, row.seen_at = shown.bytes - shown.sent, max(at, row.seen_at)
        changed.append(row)
    written = ["uptime_seconds", "bytes", "bytes_in", "bytes_out", "seen_at"]
    RouterSession.objects.bulk_update(changed, written, batch_size=1000)
