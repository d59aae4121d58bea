"""Reports, the journal and the ledger check at a million postings: times, plans, and that reports and rows agree."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from django.test import Client

from accounts.models import User
from billing.ledger.checking import ledger_check
from billing.reports.asking import Ask
from billing.reports.catalogue import REPORTS
from billing.reports.days import month_start
from billing.reports.table import Table
from core import clock
from core.formats import local
from tests.perf.figures import Report, percentile, seconds
from tests.perf.plans import plans_of
from tests.perf.world import one
from tests.perf.years import Years, drawer, fill

CALLS = 5
OF_A_MONTH, OF_A_YEAR, OF_ALL = 0.3, 3.0, 10.0
LIST_QUERIES = 0.1  # what a page of a list may cost in PostgreSQL, all questions together


def run(report: Report, scale: float) -> None:
    started = time.perf_counter()
    years = fill(max(5_000, int(1_000_000 * scale)))
    rows = int(one("SELECT count(*) FROM billing_posting") or 0)
    report.note(f"three years written in {seconds(time.perf_counter() - started)}: {_counts()}")
    _reports(report, years, rows)
    _lists(report, years, rows)
    _check(report, rows)


def _counts() -> str:
    tables = ("billing_posting", "billing_journalentry", "billing_invoice", "billing_allocation", "customers_customer")
    return ", ".join(f"{name.partition('_')[2]} {one(f'SELECT count(*) FROM {name}'):,}" for name in tables)  # noqa: S608  # names of ours


def _reports(report: Report, years: Years, rows: int) -> None:
    now = clock.now()
    today = local(now).date()
    month, last_month = month_start(today), month_start(month_start(today) - timedelta(days=1))
    year, all_of_it = (month - timedelta(days=334), today), (years.first_month.date(), today)
    wanted: list[tuple[str, str, User, tuple[date, date], float]] = [
        ("income", "day", years.boss, (last_month, month), OF_A_MONTH),
        ("income", "plan", years.boss, (last_month, month), OF_A_MONTH),
        ("income", "day", years.cashier, (last_month, month), OF_A_MONTH),
        ("income", "month", years.boss, year, OF_A_YEAR),
        ("income", "month", years.boss, all_of_it, OF_ALL),
        ("received", "method", years.boss, (last_month, month), OF_A_MONTH),
        ("received", "actor", years.boss, year, OF_A_YEAR),
        ("receivables", "", years.boss, (today, today), OF_A_MONTH),
        ("receivables", "", years.boss, (last_month, last_month), OF_A_YEAR),
        ("receivables", "", years.cashier, (today, today), OF_A_MONTH),
        ("shifts", "", years.boss, (last_month, today), OF_A_MONTH),
        ("expenses", "account", years.boss, (last_month, month), OF_A_MONTH),
        ("expenses", "account", years.boss, year, OF_A_YEAR),
        ("profit", "month", years.boss, year, OF_A_YEAR),
        ("tax", "month", years.boss, year, OF_A_YEAR),
        ("trial-balance", "", years.boss, (today, today), OF_ALL),
        ("trial-balance", "", years.boss, (last_month, last_month), OF_ALL),
    ]
    for name, by, user, span, limit in wanted:
        who = "operator" if user is years.cashier else "everything"
        title = f"report: {name}{f' by {by}' if by else ''}, {(span[1] - span[0]).days + 1} days, {who}"
        ask = Ask(*span, now, by)
        _measure(report, title, partial(REPORTS[name].run, ask, user), rows, limit)
        table = REPORTS[name].run(ask, user)
        report.verify(title, _problems(table, user))


def _problems(table: Table, user: User) -> list[str]:
    """The first, the last and the total of every column are the sums of the rows they link to."""
    problems = [] if table.is_right else [table.sentence]
    for row in [*table.rows[:1], *table.rows[-1:], table.totals]:
        for cell in row:
            if cell.rows is not None and cell.rows.total(user) * cell.sign != (cell.value or 0):
                problems.append(f"{cell.value} is not the sum of {cell.rows.params()}")
    return problems


def _lists(report: Report, years: Years, rows: int) -> None:
    old = years.first_month.date()
    customer = one("SELECT customer_id FROM billing_posting WHERE customer_id IS NOT NULL ORDER BY id LIMIT 1")
    journal, postings = "/admin/billing/journalentry/", "/admin/billing/posting/"
    addresses: dict[str, str] = {
        "journal, first page": journal,
        "journal, one old day": f"{journal}?from={old}&to={old}",
        "journal, one person": f"{journal}?actor={years.cashier.pk}",
        "journal, one kind that is rare": f"{journal}?kind=expense",
        "journal, one account": f"{journal}?account=expense:listrik",
        "postings, first page": postings,
        "postings, one old day": f"{postings}?from={old}&to={old}",
        "postings, behind an income of a day": f"{postings}?account=income&from={old}&to={old}&location={years.place.pk}",
        "postings, one customer": f"{postings}?account=receivable&customer={customer}",
    }
    for who, user in (("everything", years.boss), ("operator", years.cashier)):
        client = Client()
        client.force_login(user)
        for name, address in addresses.items():
            _measure(
                report, f"list: {name}, {who}", partial(_page, client, address), rows, LIST_QUERIES, in_database=True
            )
        # a running balance adds up everything before it: a drawer's 20,000 postings, or 380,000 of all customers
        for account in (drawer(years), "receivable"):
            ask = partial(_page, client, f"{postings}?account={account}")
            _measure(report, f"list: {account} with balance, {who}", ask, rows, None)


def _page(client: Client, address: str) -> None:
    answer = client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address}: {answer.status_code}")


def _check(report: Report, rows: int) -> None:
    started = time.perf_counter()
    found = ledger_check()
    taken = time.perf_counter() - started
    report.figure(
        "ledger check of everything", rows=rows, measured=seconds(taken), reach="< 30 s", is_reached=taken < 30
    )
    report.verify("ledger check", [f"{name}: {found.findings[name][:3]}" for name in found.counts])


def _measure(
    report: Report, name: str, ask: Callable[[], object], rows: int, limit: float | None, *, in_database: bool = False
) -> None:  # fmt: skip
    """`in_database`: judged by the time in PostgreSQL, and by growing tables not being read whole."""
    ask()
    times = []
    for _number in range(CALLS):
        started = time.perf_counter()
        ask()
        times.append(time.perf_counter() - started)
        if sum(times) > 5:
            break
    plans = plans_of(ask)
    scanned = sorted({table for plan in plans for table in plan.scanned})
    worst, asked = percentile(times, 0.95), sum(plan.milliseconds for plan in plans)
    judged = asked / 1000 if in_database else worst
    report.figure(
        name, rows=rows, measured=f"{seconds(worst)} (middle {seconds(percentile(times, 0.5))})",
        reach="" if limit is None else f"< {seconds(limit)}" + (" in PostgreSQL, no seq scan" if in_database else ""),
        compared=f"{len(plans)} queries, {asked:.0f} ms in PostgreSQL"
        + (f"; reads all of {', '.join(scanned)}" if scanned else ""),
        is_reached=None if limit is None else judged < limit and not (in_database and scanned),
    )  # fmt: skip
    for plan in plans:
        if plan.milliseconds > 20:
            report.note(f"  plan, {plan.milliseconds:.1f} ms: {plan.text}")
