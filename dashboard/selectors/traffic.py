"""Top talkers, and traffic drawn as bars: numbers come with their sentence and table, the picture is only the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy

from accounts.models import User
from core.charts import Bar, bars
from core.formats import data_size, moment_short, number
from dashboard import links
from locations.choices import Kind
from locations.models import AccessAccount, InterfaceTraffic, Location, SessionRecord
from locations.selectors import locations_visible_to
from locations.selectors_sessions import (
    DayUse,
    Login,
    Talker,
    days_of,
    interface_history,
    interfaces_of,
    records_of,
    top_talkers,
)

TITLES: dict[str, Any] = {
    "now": gettext_lazy("Now"),
    "today": gettext_lazy("Today"),
    "week": gettext_lazy("7 days"),
    "month": gettext_lazy("This month"),
}
RATE_UNITS = ("bit/s", "kbit/s", "Mbit/s", "Gbit/s")
RECORDS_SHOWN = 10


def rate_text(bits: int | None) -> str:
    """`4.2 Mbit/s`, in steps of a thousand as providers sell it; "–" when it is not known."""
    if bits is None:
        return "–"
    value, unit = Decimal(bits), 0
    while value >= 1000 and unit < len(RATE_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    tenths = round(value, 1)
    decimals = 0 if value >= 10 or tenths == tenths.to_integral_value() else 1
    return f"{number(tenths, decimals)} {RATE_UNITS[unit]}"


@dataclass(frozen=True)
class TalkerRow:
    talker: Talker
    kind: str
    url: str
    amount: str
    sent: str
    received: str
    percent: int


@dataclass(frozen=True)
class TalkersPage:
    rows: Sequence[TalkerRow]
    places: Sequence[Location]
    period: str
    location: int
    titles: dict[str, Any]


def talkers_page(user: User, period: str, location: int, now: datetime) -> TalkersPage:
    """A place that is not this person's shows nobody."""
    places = list(locations_visible_to(user).order_by("name"))
    chosen = [place for place in places if not location or place.pk == location]
    period = period if period in TITLES else "now"
    found = top_talkers(chosen, period, now)
    accounts = AccessAccount.objects.filter(
        location__in={t.location_id for t in found}, name__in={t.name for t in found}
    ).values_list("location_id", "kind", "name", "pk")
    ids = {(place, kind, name): pk for place, kind, name, pk in accounts}
    text = rate_text if period == "now" else data_size
    most = max((t.amount for t in found), default=0)
    rows = []
    for talker in found:
        pk = ids.get((talker.location_id, talker.kind, talker.name))
        rows.append(
            TalkerRow(
                talker, str(Kind(talker.kind).label), links.account_page(pk) if pk else "", text(talker.amount),
                text(talker.sent), text(talker.received), round(100 * talker.amount / most),
            )
        )  # fmt: skip
    return TalkersPage(rows, places, period, location, TITLES)


@dataclass(frozen=True)
class TrafficPage:
    """`received` and `sent` are columns of one chosen interface, `peaks` their highest quarter in bits per second."""

    place: Location
    interfaces: Sequence[InterfaceTraffic]
    chosen: str
    received: Sequence[Bar]
    sent: Sequence[Bar]
    peaks: tuple[int, int]


def traffic_page(user: User, location: int, chosen: str, now: datetime) -> TrafficPage | None:
    """None when this person has no such location. The busiest interface is shown when none of that name is there."""
    place = locations_visible_to(user).filter(pk=location).first()
    if place is None:
        return None
    found = interfaces_of(place)
    names = [row.name for row in found]
    chosen = chosen if chosen in names else next(iter(names), "")
    quarters = interface_history(place, chosen, now)
    labels = [moment_short(quarter.at, place.timezone, now) for quarter in quarters]
    received, sent = [q.received for q in quarters], [q.sent for q in quarters]
    columns = [
        bars([(f"{label}: {rate_text(value)}", value) for label, value in zip(labels, values, strict=True)])
        for values in (received, sent)
    ]
    return TrafficPage(place, found, chosen, columns[0], columns[1], (max(received), max(sent)))


@dataclass(frozen=True)
class Use:
    """What a customer's logins used in the last 30 days, and their last sessions."""

    bars: Sequence[Bar]
    days: Sequence[DayUse]  # newest first, those with use
    total: DayUse
    records: Sequence[SessionRecord]


def use_of(logins: Sequence[Login], today: date) -> Use:
    days = days_of(logins, today)
    total = DayUse(
        today, sum(d.bytes_in for d in days), sum(d.bytes_out for d in days), sum(d.seconds for d in days)
    )  # fmt: skip
    columns = bars([(f"{use.day.isoformat()}: {data_size(use.bytes)}", use.bytes) for use in days])
    used = [use for use in reversed(days) if use.bytes or use.seconds]
    return Use(columns, used, total, records_of(logins, RECORDS_SHOWN))
