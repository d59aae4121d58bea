"""Lists and hot questions at a million vouchers with their accounts: times, plans, and that the answers are right."""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.test import Client

from core.api.pagination import KeysetPagination
from tests.perf.figures import Report, percentile, seconds
from tests.perf.hot import hot_questions
from tests.perf.million import deep_id, fill, spread
from tests.perf.plans import Plan, plans_of
from tests.perf.world import one, super_admin

REQUESTS = 60
WARM_UP = 5
LIMIT = 0.150
STEPS = 10_000
ADMIN, API = "/admin/vouchers/voucher/", "/api/v1/vouchers/"
ADMIN_PAGE, API_PAGE = 25, KeysetPagination.default_limit


@dataclass
class View:
    """One way to ask for rows. `url()` differs from call to call; `wrong(response)` says what is wrong with it."""

    name: str
    url: Callable[[], str]
    wrong: Callable[[str, Any], str]
    times: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def ask(self, client: Client, *, is_timed: bool) -> None:
        url = self.url()
        started, cpu = time.perf_counter(), time.process_time()
        response = client.get(url)
        taken, cpu = time.perf_counter() - started, time.process_time() - cpu
        if is_timed:
            self.times.append(taken)
            self.cpu.append(cpu)
        problem = f"status {response.status_code}" if response.status_code != 200 else self.wrong(url, response)
        if problem:
            self.problems.append(f"{self.name} {url}: {problem}")


def run(report: Report, scale: float) -> None:
    rows = max(1000, int(1_000_000 * scale))
    largest, usual = fill(rows)
    hot_questions(report, largest, usual, rows, "all waiting")
    spread()
    client = Client()
    client.force_login(super_admin())
    steps = max(1, int(STEPS * scale))
    for base in (ADMIN, API):
        views = _views(base, steps)
        for number in range(WARM_UP + REQUESTS):  # in turns, so that a noisy moment does not hit one of them only
            for view in views:
                view.ask(client, is_timed=number >= WARM_UP)
        for view in views:
            view_figure(report, view, views[0], rows, plans_of(partial(client.get, view.url())))
        report.verify(f"lists at {base}", [problem for view in views for problem in view.problems])
    hot_questions(report, largest, usual, rows, "all confirmed")


def _views(base: str, steps: int) -> list[View]:
    codes = _codes()
    is_api = base == API
    page = API_PAGE if is_api else ADMIN_PAGE
    edge = deep_id(steps * page)
    deep = _cursor(edge) if is_api else f"?before={edge}"
    exact, prefix = ("?code=", "?code_prefix=") if is_api else ("?q=", "?q=")
    status = "?status=sold" if is_api else "?status__exact=sold"

    def has_code(url: str, response: Any) -> str:
        code = url.rpartition("=")[2]
        return "" if response.content.decode().count(code) else f"{code} is not in the answer"

    def only_prefix(url: str, response: Any) -> str:
        start = url.rpartition("=")[2]
        wanted = one("SELECT count(*) FROM vouchers_voucher WHERE code LIKE %s", f"{start}%")
        found = sum(code.startswith(start) for code in _shown(response, is_api))
        return "" if found == len(_shown(response, is_api)) == min(wanted, page) else f"{found} of {wanted}"

    def right_page(url: str, response: Any) -> str:
        below = edge if "cursor" in url or "before" in url else 2**62
        wanted = _page_codes(below, page)
        return "" if _shown(response, is_api) == wanted else "not the rows that belong there"

    name = "API" if is_api else "admin"
    return [
        View(f"{name} list, first page", lambda: base, right_page),
        View(f"{name} list, exact code", lambda: f"{base}{exact}{random.choice(codes)}", has_code),
        View(f"{name} list, code prefix", lambda: f"{base}{prefix}{random.choice(codes)[:4]}", only_prefix),
        View(f"{name} list, {steps:,} keyset steps deep", lambda: f"{base}{deep}", right_page),
        View(f"{name} list, one status", lambda: f"{base}{status}", lambda _url, _response: ""),
    ]


def view_figure(report: Report, view: View, first: View, rows: int, plans: list[Plan]) -> None:
    p95, base = percentile(view.times, 0.95), percentile(first.times, 0.95)
    middle, cpu = percentile(view.times, 0.5), percentile(view.cpu, 0.5)
    scanned = sorted({table for plan in plans for table in plan.scanned})
    report.figure(
        f"{view.name}, p95", rows=rows, measured=f"{seconds(p95)} (p50 {seconds(middle)}, Python {seconds(cpu)})",
        reach="< 150 ms, within 2×, no seq scan", compared=f"unfiltered first page {seconds(base)}", ratio=p95 / base,
        is_reached=p95 < LIMIT and p95 <= 2 * base and not scanned,
    )  # fmt: skip
    for plan in plans:
        report.note(f"  plan, {plan.milliseconds:.1f} ms: {plan.text}")
    if scanned:
        report.note(f"  SEQUENTIAL SCAN over {', '.join(scanned)}")


def _codes() -> list[str]:
    """Codes from all over the table, drawn by id."""
    lowest, highest = one("SELECT min(id) FROM vouchers_voucher"), one("SELECT max(id) FROM vouchers_voucher")
    found = (
        one("SELECT code FROM vouchers_voucher WHERE id >= %s ORDER BY id LIMIT 1", random.randint(lowest, highest))
        for _number in range(300)
    )
    return [str(code) for code in found]


def _page_codes(below: int, size: int) -> list[str]:
    text = one(
        "SELECT string_agg(code, ',' ORDER BY id DESC) FROM"
        " (SELECT id, code FROM vouchers_voucher WHERE id < %s ORDER BY id DESC LIMIT %s) page",
        below, size,
    )  # fmt: skip
    return str(text).split(",")


def _shown(response: Any, is_api: bool) -> list[str]:
    if is_api:
        return [row["code"] for row in response.json()["results"]]
    return [row.code for row in response.context_data["cl"].result_list]


def _cursor(edge: int) -> str:
    """The link our own pages would have given at that depth."""
    return "?cursor=" + base64.urlsafe_b64encode(f"o{edge}".encode()).decode().rstrip("=")
