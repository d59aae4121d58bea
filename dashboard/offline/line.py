"""Everything the checks may look at, read beforehand: they ask no database and no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from billing.choices import RUNNING
from billing.models import Invoice, PlanLocation, Promise, Subscription, SubscriptionEvent
from core import clock
from core.formats import local, moment, moment_short
from dashboard.words import day
from locations.choices import Reach
from locations.models import AccessAccount, Location, RouterSession, RouterState


@dataclass(frozen=True)
class Line:
    """One service with what money, router and sessions say about it.

    `unpaid` is its oldest open bill; `since` the event that brought it into its present status; `waiting` how many
    changes wait for its router.
    """

    subscription: Subscription
    now: datetime
    account: AccessAccount | None = None
    state: RouterState | None = None
    sessions: Sequence[RouterSession] = ()
    unpaid: Invoice | None = None
    promise: Promise | None = None
    publication: PlanLocation | None = None
    since: SubscriptionEvent | None = None
    waiting: int = 0

    @property
    def location(self) -> Location:
        return self.subscription.location

    @property
    def zone(self) -> str:
        return self.location.timezone

    @property
    def today(self) -> date:
        return clock.local_date(self.zone, self.now)

    @property
    def is_running(self) -> bool:
        """It should have a login on the router."""
        return self.subscription.status in RUNNING

    @property
    def reach(self) -> str:
        return self.state.reach if self.state else Reach.UNKNOWN

    @property
    def overdue(self) -> Invoice | None:
        """The unpaid bill, once its day has passed."""
        bill = self.unpaid
        return bill if bill is not None and bill.due_on is not None and bill.due_on < self.today else None

    @property
    def live_sessions(self) -> list[RouterSession]:
        """Sessions as last observed, without those we have ended since."""
        ended = self.account.last_session_ended_at if self.account else None
        if ended is None:
            return list(self.sessions)
        return [row for row in self.sessions if row.started_at > ended or row.seen_at > ended]

    def day(self, value: date) -> str:
        return day(value, self.today)

    def day_of(self, instant: datetime) -> str:
        return day(local(instant, self.zone).date(), self.today)

    def moment(self, instant: datetime) -> str:
        return moment(instant, self.zone)

    def moment_short(self, instant: datetime) -> str:
        return moment_short(instant, self.zone, self.now)
