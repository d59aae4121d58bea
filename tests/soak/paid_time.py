"""An independent memory of what guests bought, used and may still use, in seconds of simulated time.

It knows vouchers, logins, sessions and power cuts, nothing of the product. Sessions are looked at every second: what
somebody used is known to a second per session (`low` to `high`). `forgiven` is what a router forgot in a power cut or
reset before anyone could ask it: the only time that may be given away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SLICE = 1.0
"""Seconds between two looks at the sessions; a session that ended in between used less than that more."""


ROUNDING = 5.0
"""Seconds by which a counter may be lower after a restart without counting as loss (`observe.DROP_SLACK_SECONDS`)."""
REACHED = 60.0
"""Seconds since the last answer of a router after which nobody can be thrown out there."""


@dataclass
class Guest:
    """One sold voucher. `validity` counts from the first login, `online` is time online; either may be None."""

    code: str
    validity: int | None
    online: int | None
    first_login: float | None = None
    started_by: float | None = None  # the latest moment from which the seller may count the validity
    ended: float = 0.0  # seconds of sessions that are over, at least
    sessions: int = 0
    live: float = 0.0
    forgiven: float = 0.0
    overtime: float = 0.0
    is_gone: bool = False  # voided by a person: nothing is promised any more

    @property
    def low(self) -> float:
        return self.ended + self.live

    @property
    def high(self) -> float:
        return self.low + self.sessions * SLICE

    def has_time(self, now: float) -> bool:
        """Certainly paid for and not used: must be let in."""
        if self.validity is not None and self.first_login is not None and now >= self.first_login + self.validity:
            return False
        return self.online is None or self.high < self.online

    def is_over(self, now: float) -> bool:
        """Certainly used up, even with everything forgiven: must be out."""
        if self.is_gone:
            return True
        if self.validity is not None and self.started_by is not None and now >= self.started_by + self.validity:
            return True
        return self.online is not None and self.low - self.forgiven - self.sessions * SLICE >= self.online


@dataclass
class Running:
    """A session that goes on; of its seconds so many were read by the product."""

    guest: Guest
    seconds: float
    read: float = 0.0

    @property
    def unread(self) -> float:
        return self.seconds - self.read + SLICE


@dataclass
class PaidTime:
    """All guests, by code; per router the sessions that run, and what ended ones used that nobody has read there."""

    guests: dict[str, Guest] = field(default_factory=dict)
    running: dict[int, dict[str, Running]] = field(default_factory=dict)
    unread: dict[int, dict[str, float]] = field(default_factory=dict)
    told_at: dict[int, float] = field(default_factory=dict)

    def sell(self, code: str, validity: int | None, online: int | None) -> None:
        self.guests[code] = Guest(code, validity, online)

    def look(self, router: int, sessions: list[dict[str, Any]], now: float) -> None:
        """What runs on a router now; called every second."""
        before, after = self.running.get(router, {}), {}
        for session in sessions:
            guest = self.guests.get(session["user"])
            if guest is None:
                continue
            seconds = float(session["uptime"])
            run = before.get(session["id"])
            if run is None or run.guest is not guest or seconds < run.seconds:
                guest.sessions += 1
                guest.first_login = min(now - seconds, guest.first_login or now)
                run = Running(guest, 0.0)
            else:
                del before[session["id"]]
            guest.live += seconds - run.seconds
            run.seconds = seconds
            after[session["id"]] = run
            if guest.is_over(now) and now - self.told_at.get(router, now) <= REACHED:
                guest.overtime += SLICE
        for run in before.values():
            self._end(run)
            if run.seconds >= SLICE:  # less leaves no trace in a counter of seconds
                kept = self.unread.setdefault(router, {})
                kept[run.guest.code] = kept.get(run.guest.code, 0.0) + run.unread
        self.running[router] = after

    @staticmethod
    def _end(run: Running) -> None:
        run.guest.live -= run.seconds
        run.guest.ended += run.seconds

    def told(self, router: int, now: float, *, is_whole: bool) -> None:
        """The router was asked and answered: who is online now, and with `is_whole` every counter."""
        self.told_at[router] = now
        for run in self.running.get(router, {}).values():
            run.read = run.seconds
            self._counts(run.guest, now - run.seconds)
        if is_whole:
            for code in self.unread.pop(router, {}):
                self._counts(self.guests[code], now)

    @staticmethod
    def _counts(guest: Guest, since: float) -> None:
        guest.started_by = since if guest.started_by is None else min(guest.started_by, since)

    def power_cut(self, router: int) -> None:
        """Counters of sessions that are over stay on the router; what runs is lost as far as nobody had read it."""
        for run in self.running.pop(router, {}).values():
            run.guest.forgiven += run.unread + ROUNDING
            self._end(run)

    def reset(self, router: int) -> None:
        """The router knows nothing any more: also what ended sessions used is lost, where nobody had read it."""
        self.power_cut(router)
        for code, seconds in self.unread.pop(router, {}).items():
            self.guests[code].forgiven += seconds

    def taken_off(self, router: int, code: str) -> None:
        """A voucher went to another place; what its entry here counted since the last question is lost."""
        self.guests[code].forgiven += self.unread.get(router, {}).pop(code, 0.0)
