"""What the database refuses, asked by direct SQL as the application's role, and what the postings say afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from billing.choices import EntryKind
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.ledger.posting import Entry, Line, entries_post, entry_post, entry_reverse
from billing.models import JournalEntry, Posting
from core.db.immutable import user_triggers
from core.errors import TransitionError
from customers.models import Customer

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def guards_hold() -> Iterator[None]:
    assert all(user_triggers().values())
    yield
    assert all(user_triggers().values())


@pytest.fixture
def customer() -> Customer:
    return Customer.objects.create(number="C1", name="Bu Sri")


def top_up(customer: Customer, amount: int, source: str = "money:1") -> JournalEntry:
    value = Decimal(amount)
    lines = [Line(chart.cash(7), value), Line(chart.WALLET, -value, customer.pk)]
    return entry_post(kind=EntryKind.PAYMENT, source=source, lines=lines, occurred_at=NOW)[0]


def money_of(customer: Customer) -> tuple[Decimal, Decimal]:
    customer.refresh_from_db()
    return customer.balance, customer.debt


def sql(*statements: tuple[str, list[object]] | str) -> None:
    """Run the statements in one transaction; with % in it, a statement comes with its values."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(*(statement if isinstance(statement, tuple) else (statement,)))


def test_an_entry_moves_the_cached_balance_in_its_own_transaction(customer: Customer) -> None:
    top_up(customer, 50_000)
    assert money_of(customer) == (Decimal(50_000), Decimal(0))
    entry_post(
        kind=EntryKind.INVOICE, source="x:1", occurred_at=NOW,
        lines=[Line(chart.RECEIVABLE, Decimal(150_000), customer.pk), Line(chart.INCOME_OTHER, Decimal(-150_000))],
    )  # fmt: skip
    assert money_of(customer) == (Decimal(50_000), Decimal(150_000))


def test_the_same_source_posts_once(customer: Customer) -> None:
    first = top_up(customer, 50_000)
    again, is_new = entry_post(
        kind=EntryKind.PAYMENT, source="money:1", occurred_at=NOW,
        lines=[Line(chart.cash(7), Decimal(9)), Line(chart.WALLET, Decimal(-9), customer.pk)],
    )  # fmt: skip
    assert (again.pk, is_new) == (first.pk, False)
    assert Posting.objects.count() == 2
    assert money_of(customer) == (Decimal(50_000), Decimal(0))


def test_many_entries_with_some_known_sources(customer: Customer) -> None:

    top_up(customer, 1_000)

    def entry(number: int) -> Entry:
        lines = [Line(chart.cash(7), Decimal(10)), Line(chart.WALLET, Decimal(-10), customer.pk)]
        return Entry(EntryKind.PAYMENT, f"money:{number}", lines, NOW)

    fresh = entries_post(entry(number) for number in (1, 2, 3))
    assert sorted(fresh) == ["money:2", "money:3"]
    assert money_of(customer)[0] == Decimal(1_020)


def test_a_reversal_is_the_mirror_image_and_happens_once(customer: Customer) -> None:
    entry = top_up(customer, 50_000)
    back, is_new = entry_reverse(entry, occurred_at=NOW, actor=None, reason="wrong customer")
    assert (is_new, back.reverses_id, money_of(customer)) == (True, entry.pk, (Decimal(0), Decimal(0)))
    assert entry_reverse(entry, occurred_at=NOW, actor=None, reason="again") == (back, False)
    with pytest.raises(TransitionError, match="taken back already"):
        entry_reverse(entry, occurred_at=NOW, actor=None, reason="other source", source="other")


@pytest.mark.parametrize("amounts", [(5, -4), (5,), (), (0, 0)])
def test_unbalanced_or_empty_entries_are_refused_before_the_database(amounts: tuple[int, ...]) -> None:
    lines = [Line(chart.cash(7), Decimal(amount)) for amount in amounts]
    with pytest.raises(ValueError, match="does not balance"):
        entry_post(kind=EntryKind.PAYMENT, source="x", lines=lines, occurred_at=NOW)


def test_fractions_and_unknown_accounts_are_refused() -> None:
    half = [Line(chart.cash(7), Decimal("0.5")), Line(chart.OWNER, Decimal("-0.5"))]
    with pytest.raises(ValueError, match="whole amount"):
        entry_post(kind=EntryKind.PAYMENT, source="x", lines=half, occurred_at=NOW)
    with pytest.raises(KeyError):
        entry_post(kind=EntryKind.PAYMENT, source="x", lines=[Line("pocket", Decimal(5))], occurred_at=NOW)


ENTRY = (
    "INSERT INTO billing_journalentry (kind, source, occurred_at, recorded_at, method, reason) "
    "VALUES ('payment', %s, now(), now(), '', '')"
)
LEG = "INSERT INTO billing_posting (entry_id, account, amount) SELECT id, %s, %s FROM billing_journalentry"


def test_the_database_refuses_an_entry_without_postings() -> None:
    with pytest.raises(DatabaseError, match="does not balance: 0 postings"):
        sql((ENTRY, ["bare"]))
    assert not JournalEntry.objects.exists()


def test_the_database_refuses_an_unbalanced_entry() -> None:
    with pytest.raises(DatabaseError, match="1 postings, sum 5"):
        sql((ENTRY, ["one leg"]), (LEG, ["cash:1", 5]))
    with pytest.raises(DatabaseError, match="2 postings, sum 10"):
        sql((ENTRY, ["two legs"]), (LEG, ["cash:1", 5]), (LEG, ["cash:1", 5]))
    assert not Posting.objects.exists()


def test_checking_early_does_not_open_a_way_in() -> None:
    """SET CONSTRAINTS IMMEDIATE, then one posting more: its own trigger still looks at the whole entry."""
    good = ((ENTRY, ["early"]), (LEG, ["cash:1", 5]), (LEG, ["owner", -5]))
    with pytest.raises(DatabaseError, match="3 postings, sum 1"):
        sql(*good, "SET CONSTRAINTS ALL IMMEDIATE", (LEG, ["owner", 1]))
    sql(*good, "SET CONSTRAINTS ALL IMMEDIATE")
    assert Posting.objects.count() == 2


def test_the_database_refuses_a_late_posting(customer: Customer) -> None:
    top_up(customer, 50_000)
    with pytest.raises(DatabaseError, match="a later posting is refused"):
        sql((LEG, ["cash:1", 5]), (LEG, ["owner", -5]))
    assert Posting.objects.count() == 2


@pytest.mark.parametrize("table", ["billing_journalentry", "billing_posting"])
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE {} SET id = id", "only grows"),
        ("DELETE FROM {}", "only grows"),
        ("TRUNCATE {} CASCADE", "permission denied"),
        ("ALTER TABLE {} DISABLE TRIGGER ALL", "must be owner"),
    ],
)
def test_the_database_refuses_to_change_or_delete(customer: Customer, table: str, statement: str, words: str) -> None:
    top_up(customer, 50_000)
    with pytest.raises(DatabaseError, match=words):
        sql(statement.format(table))
    assert Posting.objects.count() == 2


def test_the_database_refuses_the_same_source_twice(customer: Customer) -> None:
    top_up(customer, 50_000)
    with pytest.raises(IntegrityError, match="source"):
        sql((ENTRY, ["money:1"]))


@pytest.mark.parametrize("account", ["pocket", "cash:0", "cash:x", "income:Big", "receivable ", "expense:"])
def test_the_database_refuses_accounts_out_of_the_chart(account: str) -> None:
    with pytest.raises(DatabaseError, match="billing_posting_account"):
        sql((ENTRY, ["strange"]), (LEG, [account, 5]))


def test_receivable_and_wallet_name_their_customer() -> None:
    for account in chart.OF_CUSTOMERS:
        lines = [Line(account, Decimal(5)), Line(chart.OWNER, Decimal(-5))]
        with pytest.raises(IntegrityError, match="billing_posting_whose"):
            entry_post(kind=EntryKind.ADJUSTMENT, source=account, lines=lines, occurred_at=NOW)


@pytest.mark.parametrize("column", ["balance", "debt"])
def test_balances_have_no_other_writer(customer: Customer, column: str) -> None:
    with pytest.raises(DatabaseError, match="sums of postings"):
        Customer.objects.filter(pk=customer.pk).update(**{column: Decimal(1)})
    with pytest.raises(DatabaseError, match="sums of postings"):
        Customer.objects.create(number="C2", name="x", **{column: Decimal(1)})
    assert money_of(customer) == (Decimal(0), Decimal(0))


def test_a_balance_is_never_spent_twice(customer: Customer) -> None:
    top_up(customer, 50_000)
    spend = [Line(chart.WALLET, Decimal(50_001), customer.pk), Line(chart.cash(7), Decimal(-50_001))]
    with pytest.raises(IntegrityError, match="customers_customer_balance"):
        entry_post(kind=EntryKind.REFUND, source="refund:1", lines=spend, occurred_at=NOW)
    assert money_of(customer) == (Decimal(50_000), Decimal(0))


def test_the_check_is_silent_when_all_is_right_and_names_what_is_not(customer: Customer) -> None:
    top_up(customer, 50_000)
    assert ledger_check().findings == {}
    entry_post(
        kind=EntryKind.INVOICE, source="x:1", occurred_at=NOW,
        lines=[Line(chart.RECEIVABLE, Decimal(10), customer.pk), Line(chart.INCOME_OTHER, Decimal(-10))],
    )  # fmt: skip
    report = ledger_check()
    assert (report.findings, report.is_right) == ({"receivable": [customer.pk]}, False)


def test_the_check_finds_a_switched_off_trigger_and_a_bent_balance(customer: Customer) -> None:
    from core.db.owner import as_owner

    top_up(customer, 50_000)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE customers_customer DISABLE TRIGGER customers_customer_balances")
        try:
            cursor.execute("UPDATE customers_customer SET balance = 1 WHERE id = %s", [customer.pk])
            report = ledger_check()
        finally:
            cursor.execute("UPDATE customers_customer SET balance = 50000 WHERE id = %s", [customer.pk])
            cursor.execute("ALTER TABLE customers_customer ENABLE TRIGGER customers_customer_balances")
    assert report.counts == {"balance": 1, "triggers": 1}
    assert report.findings["triggers"] == ["customers_customer.customers_customer_balances"]
