"""Everything at once on the same money, with database backends being killed: nothing lost, nothing made, each thing once.

Sixteen people fire the same jobs (pay, refund, correct, renew from balance, merge) for a hundred bills, each in an
order of his own, and try again when their connection dies, as a browser's user or a worker would. Whatever the order,
what customers have and owe at the end is known beforehand.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random

import pytest
from django.db import InterfaceError, OperationalError, connection, connections
from psycopg.errors import DeadlockDetected

from accounts.models import User
from billing.choices import LineKind
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.models import Adjustment, Allocation, Invoice, JournalEntry, Posting
from billing.services.adjustments import adjustment_ask
from billing.services.cash import shift_open
from billing.services.drawers import drawer_amount
from billing.services.invoices import DraftLine, InvoiceDraft, invoice_issue, invoices_issue
from billing.services.settling import balance_apply
from core.db.immutable import user_triggers
from core.errors import TransitionError
from customers.models import Customer, CustomerMerge
from customers.services import customers_merge
from payments.models import Payment, Refund
from payments.services import methods_seed, payment_receive_cash, payment_refund
from tests.integration.billing.money import NOW, make_customer

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS, CUSTOMERS, BILLS = 16, 20, 100
TRIES = 100  # a job that dies this often in a row has another reason than the chaos
PACE, KILLS = 0.02, 150  # a limit, so that a slow machine gets through as well
PRICE, FLOAT = Decimal(100_000), Decimal(50_000_000)
DAY = date(2026, 11, 22)
Job = Callable[[User], object]


def paid(number: int) -> Decimal:
    """Exact, short and over in turn, so that parts, balances and debts all occur."""
    return PRICE + (number % 3 - 1) * 40_000


def refunded(number: int) -> Decimal:
    return Decimal(30_000) if number % 5 == 0 else Decimal(0)


def corrected(index: int) -> Decimal:
    return Decimal(25_000) if index % 2 else Decimal(-15_000)


@dataclass
class House:
    customers: list[Customer]
    bills: list[Invoice]
    cashiers: list[User]
    deaths: Counter[str] = field(default_factory=Counter)
    failures: list[BaseException] = field(default_factory=list)

    def owner(self, number: int) -> Customer:
        return self.customers[number % CUSTOMERS]

    def pay(self, number: int) -> Job:
        def job(who: User) -> Payment:
            return payment_receive_cash(
                customer=self.owner(number), amount=paid(number), request_key=f"pay-{number}", now=NOW, actor=who,
                invoice=self.bills[number],
            )  # fmt: skip

        return job

    def refund(self, number: int) -> Job:
        def job(who: User) -> Refund:
            payment: Payment = self.pay(number)(who)  # type: ignore[assignment]
            return payment_refund(
                payment, amount=refunded(number), reason="moved", request_key=f"refund-{number}", now=NOW, actor=who
            )

        return job

    def correct(self, index: int) -> Job:
        return lambda who: adjustment_ask(
            customer=self.customers[index], amount=corrected(index), reason="outage", request_key=f"fix-{index}", now=NOW,
            actor=who,
        )  # fmt: skip

    def renew(self, index: int) -> Job:
        def job(who: User) -> int:
            invoice_issue(draft(self.customers[index], f"renew:{index}"), now=NOW)
            return balance_apply([row.pk for row in (*self.customers, *self.customers)[index : index + 3]], now=NOW)

        return job

    def merge(self, index: int) -> Job:
        """The second half of the customers into the first, five of them."""

        def job(who: User) -> None:
            try:
                customers_merge(self.customers[index], self.customers[index + CUSTOMERS // 2], actor=None, now=NOW)
            except TransitionError as refusal:
                if refusal.code != "merge.merged":
                    raise

        return job

    def jobs(self) -> list[Job]:
        """What each of the sixteen does: the bills' payments, and with them everything else."""
        return [
            *(self.pay(n) for n in range(BILLS)),
            *(self.refund(n) for n in range(BILLS) if refunded(n)),
            *(self.correct(i) for i in range(CUSTOMERS)),
            *(self.renew(i) for i in range(0, CUSTOMERS, 4)),
            *(self.merge(i) for i in range(0, CUSTOMERS // 2, 2)),
        ]


def draft(customer: Customer, source: str) -> InvoiceDraft:
    line = DraftLine(LineKind.MANUAL, PRICE, chart.INCOME_SUBSCRIPTION, text="Internet")
    return InvoiceDraft(customer.pk, [line], source, DAY, DAY)


@pytest.fixture
def house() -> House:
    methods_seed()
    customers = [make_customer(f"Customer {n}") for n in range(CUSTOMERS)]
    invoices_issue([draft(customers[n % CUSTOMERS], f"bill:{n}") for n in range(BILLS)], now=NOW)
    bills = {bill.source: bill for bill in Invoice.objects.all()}
    cashiers = [User.objects.create_user(f"cashier{n}") for n in range(WORKERS)]
    for cashier in cashiers:
        shift_open(counted=FLOAT, from_owner=FLOAT, now=NOW, actor=cashier)
    return House(customers, [bills[f"bill:{n}"] for n in range(BILLS)], cashiers)


def stubborn(house: House, job: Job, who: User) -> None:
    """Do it; when the connection is gone, again with a new one, as whoever pressed the button would."""
    for _try in range(TRIES):
        try:
            job(who)
            return
        except (OperationalError, InterfaceError) as error:
            if isinstance(error.__cause__, DeadlockDetected):
                raise
            house.deaths[type(error).__name__] += 1
            connections["default"].close()
    raise AssertionError("killed too often")


def work(house: House, number: int, gate: threading.Barrier) -> None:
    jobs = house.jobs()
    Random(number).shuffle(jobs)  # an order, not a secret
    gate.wait(60)
    try:
        for job in jobs:
            stubborn(house, job, house.cashiers[number])
    except BaseException as error:
        house.failures.append(error)
    finally:
        connections.close_all()


def kill(own: list[int], done: threading.Event) -> None:
    """Every few milliseconds one backend dies, whoever's it is."""
    try:
        for _kill in range(KILLS):
            if done.wait(PACE):
                break
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND usename = current_user AND pid <> pg_backend_pid() AND pid <> ALL(%s) ORDER BY random() LIMIT 1",
                    [own],
                )
    finally:
        connections.close_all()


def own_backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def run(house: House) -> None:
    gate, done = threading.Barrier(WORKERS), threading.Event()
    threads = [threading.Thread(target=work, args=[house, number, gate]) for number in range(WORKERS)]
    chaos = threading.Thread(target=kill, args=[[own_backend()], done])
    for thread in [chaos, *threads]:
        thread.start()
    for thread in threads:
        thread.join(300)
    done.set()
    chaos.join(30)
    assert not any(thread.is_alive() for thread in [chaos, *threads])


def test_no_rupiah_is_lost_or_made(house: House) -> None:
    run(house)
    assert house.failures == []
    assert house.deaths.total() > 20, "the chaos must have hit something"
    assert Counter(Payment.objects.values_list("status", flat=True)) == {"confirmed": BILLS}
    assert Refund.objects.count() == sum(1 for n in range(BILLS) if refunded(n))
    assert Adjustment.objects.filter(status="posted").count() == CUSTOMERS
    assert CustomerMerge.objects.count() == 5
    renewed, charged = len(range(0, CUSTOMERS, 4)), sum(1 for i in range(CUSTOMERS) if corrected(i) < 0)
    assert Invoice.objects.count() == BILLS + renewed + charged
    for kind, count in (("payment", BILLS), ("refund", BILLS // 5), ("adjustment", CUSTOMERS - charged)):
        assert JournalEntry.objects.filter(kind=kind).count() == count
    cash_in = sum((paid(n) - refunded(n) for n in range(BILLS)), Decimal(0))
    assert sum(drawer_amount(cashier.pk) for cashier in house.cashiers) == WORKERS * FLOAT + cash_in
    assert has_and_owes(house) == expected(house)
    assert sum(Posting.objects.values_list("amount", flat=True)) == 0
    assert not Allocation.objects.filter(invoice__status="void").exists()
    assert ledger_check().findings == {}
    assert all(user_triggers().values())


def has_and_owes(house: House) -> dict[int, Decimal]:
    """Balance less debt of every customer; those merged away have nothing and owe nothing."""
    return {row.pk: row.balance - row.debt for row in Customer.objects.all()}


def expected(house: House) -> dict[int, Decimal]:
    """The same from the list of jobs alone: money in less money back, corrections, bills."""
    net = {customer.pk: Decimal(0) for customer in house.customers}
    for n in range(BILLS):
        net[house.owner(n).pk] += paid(n) - refunded(n) - PRICE
    for index, customer in enumerate(house.customers):
        net[customer.pk] += corrected(index) - (PRICE if index % 4 == 0 else 0)
    for index in range(0, CUSTOMERS // 2, 2):
        winner, loser = house.customers[index].pk, house.customers[index + CUSTOMERS // 2].pk
        net[winner] += net[loser]
        net[loser] = Decimal(0)
    return net
