"""Customers at a million rows, each with a service: every way to find one, in the back office and over REST."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

from django.test import Client

from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync, user_create
from locations.models import Location
from locations.services import location_member_add
from tests.perf.figures import Report
from tests.perf.parts.lists import View, view_figure
from tests.perf.people import example, fill_people
from tests.perf.plans import plans_of
from tests.perf.world import super_admin

REQUESTS, WARM_UP = 20, 3
ADMIN, API = "/admin/customers/customer/", "/api/v1/customers/"


def run(report: Report, scale: float) -> None:
    rows = max(1000, int(1_000_000 * scale))
    place = fill_people(rows)
    roles_sync()
    people = {"": super_admin(), ", operator": _operator(place)}
    for base in (ADMIN, API):
        for who, user in people.items():
            client = Client()
            client.force_login(user)
            views = _views(base, who)
            for number in range(WARM_UP + REQUESTS):  # in turns, so that a noisy moment does not hit one of them only
                for view in views:
                    view.ask(client, is_timed=number >= WARM_UP)
            for view in views:
                view_figure(report, view, views[0], rows, plans_of(partial(client.get, view.url())))
            report.verify(f"customers at {base}{who}", [problem for view in views for problem in view.problems])


def _operator(place: Location) -> User:
    user = user_create(username="bench-operator", password="a-long-bench-password-1", role=Role.OPERATOR, actor=None)
    location_member_add(place, user)
    return user


def _views(base: str, who: str) -> list[View]:
    is_api = base == API
    name = "API" if is_api else "admin"
    search = "?search=" if is_api else "?q="

    def asked(what: str, text: Callable[[], str], wrong: Callable[[str, Any], str]) -> View:
        return View(f"{name} customers{who}, {what}", lambda: f"{base}{search}{text()}", wrong)

    def somebody(_url: str, response: Any) -> str:
        return "" if _count(response, is_api) else "nobody was found"

    def nobody(_url: str, response: Any) -> str:
        return "" if not _count(response, is_api) else "somebody was found"

    def whatever(_url: str, _response: Any) -> str:
        return ""

    found = whatever if who else somebody  # the row drawn may be at another place
    first = View(f"{name} customers{who}, first page", lambda: base, somebody)
    return [
        first,
        asked("rare word", lambda: example("split_part(name, ' ', 3)", random.random()), found),
        asked("frequent word", lambda: "budi", somebody),
        asked("beginning of a frequent word", lambda: "s", somebody),
        asked("two frequent words", lambda: "siti rahayu", somebody),
        asked("two frequent words that never meet", lambda: "budi zulkifli", nobody),
        asked("no such word", lambda: "xyzxyz budi", nobody),
        asked("phone in another spelling", lambda: example("'62 ' || substr(phone, 4)", random.random()), found),
        asked("beginning of a phone", lambda: "0810 0001", found),
        asked("number", lambda: example("number", random.random()), found),
        asked("e-mail address", lambda: example("email", random.random()), found),
        asked("user name", lambda: f"user{example('id', random.random())}", found),
        View(f"{name} customers{who}, owing", lambda: f"{base}{'?owing=true' if is_api else '?money=owing'}", somebody),
        View(f"{name} customers{who}, tag", lambda: f"{base}?tag=lunas", found),
        View(f"{name} customers{who}, not active", lambda: _closed(base, is_api), found),
    ]


def _closed(base: str, is_api: bool) -> str:
    return f"{base}{'?is_active=false' if is_api else '?state=closed'}"


def _count(response: Any, is_api: bool) -> int:
    if is_api:
        return len(response.json()["results"])
    return len(response.context_data["cl"].result_list)
