"""November 2026, written by hand: every number of the reports can be added up on paper.

`HERE` keeps Jakarta's time (UTC+7), `EAST` Jayapura's (UTC+9); the installation keeps Jakarta's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import time_machine

from accounts.choices import Role
from accounts.models import User
from accounts.services import user_create
from billing.choices import EntryKind, InvoiceStatus
from billing.ledger import chart
from billing.ledger.posting import Line, entry_post, entry_reverse
from billing.models import Agent, Allocation, CashShift, ExpenseCategory, Invoice, JournalEntry, Plan
from billing.services import plan_create
from customers.models import Customer
from locations.models import Location
from locations.services import location_add, location_member_add

PASSWORD = "correct-horse-9"


def wib(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """A moment on Jakarta's clock, as UTC."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo("Asia/Jakarta")).astimezone(UTC)


NOW = wib(5, 12, month=12)


@dataclass
class Month:
    boss: User
    admin: User
    budi: User
    citra: User
    here: Location
    east: Location
    home: Plan
    fast: Plan
    daily: Plan
    sri: Customer
    joko: Customer
    agent: Agent
    entries: dict[str, JournalEntry] = field(default_factory=dict)
    shift: CashShift | None = None


def build_month() -> Month:
    boss, admin, budi, citra = (
        user_create(username=name, password=PASSWORD, role=role, actor=None, first_name=name.title())
        for name, role in (
            ("kepala", Role.SUPER_ADMIN), ("ani", Role.ADMIN), ("budi", Role.OPERATOR), ("citra", Role.OPERATOR),
        )
    )  # fmt: skip
    here = location_add(actor=None, name="Pos 1", host="10.0.0.1", username="x", password="router-secret-1")
    east = location_add(
        actor=None,
        name="Pos Timur",
        host="10.0.0.2",
        username="x",
        password="router-secret-2",
        timezone="Asia/Jayapura",
    )
    location_member_add(here, budi)
    location_member_add(east, citra)
    home, fast, daily = (
        plan_create(actor=None, name=name, price_sell=Decimal(5000), duration_seconds=86400)
        for name in ("Rumah", "Cepat", "Harian")
    )
    sri, joko = (
        Customer.objects.create(number=f"C{number}", name=name, location=place)
        for number, (name, place) in enumerate((("Bu Sri", here), ("Pak Joko", east)), start=1)
    )
    login = user_create(username="agen", password=PASSWORD, role=Role.OPERATOR, actor=None)
    agent = Agent.objects.create(user=login, name="Warung Tini", commission_percent=10)
    ExpenseCategory.objects.create(code="listrik", name="Listrik")
    month = Month(boss, admin, budi, citra, here, east, home, fast, daily, sri, joko, agent)
    _write(month)
    return month


def post(
    month: Month, name: str, kind: EntryKind, at: datetime, *lines: tuple[str, int, Customer | None, Plan | None],
    location: Location | None = None, actor: User | None = None, agent: Agent | None = None, method: str = "",
) -> JournalEntry:  # fmt: skip
    legs = [Line(code, Decimal(n), c.pk if c else None, p.pk if p else None) for code, n, c, p in lines]
    with time_machine.travel(at, tick=False):  # written down when it happened
        entry, _is_new = entry_post(
            kind=kind, source=name, lines=legs, occurred_at=at, actor=actor, location_id=location.pk if location else None,
            agent_id=agent.pk if agent else None, method=method,
        )  # fmt: skip
    month.entries[name] = entry
    return entry


def bill(
    month: Month,
    number: str,
    customer: Customer,
    location: Location,
    at: datetime,
    due: date,
    *lines: tuple[str, int, Plan],
) -> Invoice:
    """An open invoice with its entry; lines of the tax account are tax."""
    total = sum(amount for _account, amount, _plan in lines)
    tax = sum(amount for account, amount, _plan in lines if account == chart.TAX)
    row = Invoice.objects.create(
        number=number, source=number, customer=customer, location=location, currency="IDR", status=InvoiceStatus.OPEN,
        issued_on=due, due_on=due, opened_at=at, subtotal=total - tax, tax_amount=tax, total=total,
    )  # fmt: skip
    legs = [(account, -amount, None, plan) for account, amount, plan in lines]
    post(
        month,
        f"invoice:{row.pk}",
        EntryKind.INVOICE,
        at,
        (chart.RECEIVABLE, total, customer, None),
        *legs,
        location=location,
    )
    return row


def pay(month: Month, name: str, invoice: Invoice, amount: int, at: datetime, actor: User, method: str) -> None:
    lines = ((chart.cash(actor.pk), amount, None, None), (chart.RECEIVABLE, -amount, invoice.customer, None))
    entry = post(month, name, EntryKind.PAYMENT, at, *lines, location=invoice.location, actor=actor, method=method)
    Allocation.objects.create(invoice=invoice, entry=entry, amount=amount, at=at)


def _write(m: Month) -> None:
    sub, tax = chart.INCOME_SUBSCRIPTION, chart.TAX
    drawer = chart.cash(m.budi.pk)
    first = bill(
        m, "INV-1", m.sri, m.here, wib(1, 9), date(2026, 11, 10), (sub, 100_000, m.home), (tax, 11_000, m.home)
    )
    second = bill(
        m, "INV-2", m.joko, m.east, wib(5, 9), date(2026, 11, 28), (sub, 150_000, m.fast),
        (chart.INCOME_CHARGE, 50_000, m.fast),
    )  # fmt: skip
    bill(m, "INV-3", m.sri, m.here, wib(30, 23, 30), date(2026, 12, 5), (sub, 100_000, m.home))
    # 00.30 on 1 December in Jakarta is still November in UTC
    bill(m, "INV-4", m.sri, m.here, wib(1, 0, 30, 12), date(2026, 12, 20), (sub, 7_000, m.home))
    pay(m, "payment:1", first, 111_000, wib(2, 23, 30), m.budi, "Cash")
    pay(m, "payment:2", second, 50_000, wib(20, 10), m.citra, "Transfer")
    pay(m, "payment:3", second, 30_000, wib(2, 10, month=12), m.citra, "Cash")
    sale = ((drawer, 5_000, None, None), (chart.INCOME_VOUCHER, -5_000, None, m.daily))
    for number, day in ((1, 3), (2, 3), (3, 4)):
        post(
            m,
            f"voucher_sale:{number}",
            EntryKind.VOUCHER_SALE,
            wib(day, 8),
            *sale,
            location=m.here,
            actor=m.budi,
            method="Cash",
        )
    entry_reverse(m.entries["voucher_sale:3"], occurred_at=wib(1, 8, month=12), actor=m.budi, reason="wrong code")
    of_agent = chart.agent(m.agent.pk)
    deposit = ((drawer, 50_000, None, None), (of_agent, -50_000, None, None))
    post(
        m,
        "deposit:1",
        EntryKind.AGENT_DEPOSIT,
        wib(6, 8),
        *deposit,
        location=m.here,
        actor=m.budi,
        agent=m.agent,
        method="Cash",
    )
    sold = (
        (of_agent, 4_500, None, None),
        (chart.AGENT_COMMISSION, 500, None, None),
        (chart.INCOME_VOUCHER, -5_000, None, m.daily),
    )
    post(m, "voucher_sale:4", EntryKind.VOUCHER_SALE, wib(7, 8), *sold, location=m.here, agent=m.agent)
    top_up = ((drawer, 20_000, None, None), (chart.WALLET, -20_000, m.sri, None))
    post(m, "payment:4", EntryKind.PAYMENT, wib(8, 8), *top_up, location=m.here, actor=m.budi, method="Cash")
    back = ((chart.WALLET, 5_000, m.sri, None), (drawer, -5_000, None, None))
    post(m, "refund:1", EntryKind.REFUND, wib(9, 8), *back, location=m.here, actor=m.budi, method="Cash")
    spent = ((chart.expense("listrik"), 40_000, None, None), (drawer, -40_000, None, None))
    post(m, "expense:1", EntryKind.EXPENSE, wib(10, 8), *spent, location=m.here, actor=m.admin)
    fee = ((chart.FEES, 1_000, None, None), (chart.gateway("duitku"), -1_000, None, None))
    post(m, "fee:1", EntryKind.ADJUSTMENT, wib(11, 8), *fee)
    m.shift = CashShift.objects.create(
        user=m.budi, location=m.here, status="handed_over", opened_at=wib(1, 8), opening_amount=0, counted_at=wib(12, 20),
        counted_amount=150_000, expected_amount=151_000, handed_over_at=wib(12, 21), handed_over_amount=100_000,
        handed_over_to=m.admin,
    )  # fmt: skip
    short = ((chart.CASH_DIFFERENCE, 1_000, None, None), (drawer, -1_000, None, None))
    post(
        m,
        f"shift_difference:{m.shift.pk}",
        EntryKind.CASH_DIFFERENCE,
        wib(12, 20),
        *short,
        location=m.here,
        actor=m.budi,
    )
    given = ((chart.OWNER, 100_000, None, None), (drawer, -100_000, None, None))
    post(m, f"shift_handover:{m.shift.pk}", EntryKind.CASH_HANDOVER, wib(12, 21), *given, location=m.here, actor=m.budi)
