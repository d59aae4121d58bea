"""Traffic as it is now, in words and as a drawing: of one interface of a router, or of one login."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from core.charts import areas
from core.errors import DomainError
from core.formats import local
from dashboard import links
from dashboard.selectors.traffic import rate_text
from locations.models import AccessAccount
from locations.selectors import accounts_visible_to, locations_visible_to
from locations.selectors_sessions import interfaces_of
from locations.services import Sample, Watch, account_watch, interface_watch, sentence_of

SHOWN_SECONDS = 180
HOLE_SECONDS = 12
ROWS_SHOWN = 12


@dataclass(frozen=True)
class WatchPage:
    """What is watched and what is known of it. `problem` is why nothing new was read; `now` and `top` are rates."""

    title: str
    subtitle: str
    back: str
    received: Sequence[str]
    sent: Sequence[str]
    sentence: str
    problem: str
    rows: Sequence[tuple[str, str, str]]
    choices: Sequence[tuple[str, bool]] = ()


def interface_page(user: User, location: int, chosen: str, now: datetime) -> WatchPage | None:
    """None when this person has no such location, or it has no such interface."""
    place = locations_visible_to(user).filter(pk=location).first()
    if place is None:
        return None
    names = [row.name for row in interfaces_of(place)]
    chosen = chosen or next(iter(names), "")
    if chosen not in names:
        return None
    watch, problem = _asked(lambda: interface_watch(place, chosen, now))
    return WatchPage(
        chosen, place.name, links.address("dashboard:traffic", place.pk, interface=chosen),
        choices=[(name, name == chosen) for name in names],
        **_drawn(watch, problem, place.timezone, now, gone=_("The router has no such interface now.")),
    )  # fmt: skip


def account_page(user: User, account: int, now: datetime) -> WatchPage | None:
    """None when this person has no such login."""
    row = accounts_visible_to(user).select_related("location").filter(pk=account).first()
    if row is None:
        return None
    login: AccessAccount = row
    watch, problem = _asked(lambda: account_watch(login, now))
    return WatchPage(
        login.name, f"{login.location.name} · {login.get_kind_display()}", links.account_page(login.pk),
        **_drawn(watch, problem, login.location.timezone, now, gone=_("Not online now: nothing goes through.")),
    )  # fmt: skip


def _asked(ask: Callable[[], Watch]) -> tuple[Watch, str]:
    try:
        watch = ask()
    except DomainError as error:
        return Watch([], None), str(error.message)
    return watch, sentence_of(watch.problem, watch.words) if watch.problem else ""


def _drawn(watch: Watch, problem: str, zone: str, now: datetime, *, gone: str) -> dict[str, Any]:
    begin = now.timestamp() - SHOWN_SECONDS
    samples = [sample for sample in watch.samples if sample.at >= begin]

    def shapes(value: Callable[[Sample], int]) -> list[str]:
        points = [((sample.at - begin) / SHOWN_SECONDS, value(sample)) for sample in samples]
        return areas(points, gap=HOLE_SECONDS / SHOWN_SECONDS)

    return {
        "received": shapes(lambda sample: sample.received), "sent": shapes(lambda sample: sample.sent),
        "sentence": _sentence(watch, samples, problem, gone), "problem": problem,
        "rows": [
            (f"{local(datetime.fromtimestamp(one.at, UTC), zone):%H.%M.%S}", rate_text(one.received), rate_text(one.sent))
            for one in reversed(samples[-ROWS_SHOWN:])
        ],
    }  # fmt: skip


def _sentence(watch: Watch, samples: Sequence[Sample], problem: str, gone: str) -> str:
    if problem:
        return _("Nothing new was read; what is shown is older.") if samples else ""
    if watch.is_there is False:
        return gone
    if watch.is_there is None:
        return _("Not read yet: it is read with the next reading, in a few seconds.")
    if not samples:
        return _("Read once. The speed is known with the second reading, in a few seconds.")
    last = samples[-1]
    values = {
        "down": rate_text(last.received), "up": rate_text(last.sent),
        "most_down": rate_text(max(one.received for one in samples)),
        "most_up": rate_text(max(one.sent for one in samples)),
    }  # fmt: skip
    return (
        _(
            "Now %(down)s received, %(up)s sent. Highest of the last 3 minutes: %(most_down)s received, %(most_up)s sent."
        )
        % values
    )
