"""Days that were billed stay billed: what the database refuses about periods, asked as the application's role."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from billing.ledger.checking import ledger_check
from billing.models import Subscription
from billing.services.invoices import credit_note_issue, invoice_issue, invoice_void
from billing.services.subscriptions_plans import subscription_change_plan
from core.db.owner import as_owner
from tests.integration.billing.invoice_world import draft, line
from tests.integration.billing.service_world import at, night, place, plan, service, spans

pytestmark = pytest.mark.django_db(transaction=True)
START = date(2026, 11, 22)
NEXT = date(2026, 12, 22)
CHANGED = "is billed and cannot be changed: write a credit note"
AGAIN = "day {} of service {} was billed and would be billed again"


@pytest.fixture
def row() -> Subscription:
    """Two months billed: 22 November to 22 January."""
    here = place()
    made = service(here, plan(here), START)
    night(here, NEXT)
    assert spans(made) == [("2026-11-22", "2026-12-22", 150_000), ("2026-12-22", "2027-01-22", 150_000)]
    return made


def sql(*statements: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


INSERT = (
    "INSERT INTO billing_subscriptionperiod (subscription_id, starts_on, ends_on, amount) SELECT id, '{}', '{}', {} "
    "FROM billing_subscription"
)
DELETE = "DELETE FROM billing_subscriptionperiod WHERE starts_on = '2026-12-22'"
UPDATE = "UPDATE billing_subscriptionperiod SET {} WHERE starts_on = '2026-12-22'"
REFUSED = [
    ((DELETE,), AGAIN.format("2026-12-22", "{}")),
    (("DELETE FROM billing_subscriptionperiod",), AGAIN.format("2026-11-22", "{}")),
    ((DELETE, INSERT.format("2026-12-22", "2027-01-21", 1)), AGAIN.format("2027-01-21", "{}")),
    ((UPDATE.format("ends_on = '2027-01-10'"),), AGAIN.format("2027-01-10", "{}")),
    ((UPDATE.format("amount = 1"),), CHANGED),
    ((UPDATE.format("invoice_id = NULL"),), CHANGED),
    ((UPDATE.format("invoice_id = (SELECT min(id) FROM billing_invoice)"),), CHANGED),
    ((UPDATE.format("starts_on = '2026-12-23'"),), CHANGED),
    ((UPDATE.format("ends_on = '2027-02-22'"),), CHANGED),
    ((UPDATE.format("ends_on = '2027-01-10', amount = 150001"),), CHANGED),
    ((UPDATE.format("ends_on = '2027-01-10', invoice_id = NULL"),), CHANGED),
    (
        (INSERT.format("2026-12-01", "2026-12-05", 5),),
        "days of service {} from 2026-12-01 to 2026-12-05 are billed already",
    ),
    ((INSERT.format("2027-01-21", "2027-02-22", 5),), "from 2027-01-21 to 2027-02-22 are billed already"),
    ((INSERT.format("2026-10-22", "2026-11-23", 5),), "from 2026-10-22 to 2026-11-23 are billed already"),
    ((INSERT.format("2026-12-22", "2026-12-25", 5),), "billing_period_once"),
]


@pytest.mark.parametrize(("statements", "words"), REFUSED)
def test_billed_days_are_not_bent(row: Subscription, statements: tuple[str, ...], words: str) -> None:
    before = list(row.periods.order_by("pk").values())
    with pytest.raises(DatabaseError, match=words.format(row.pk)):
        sql(*statements)
    assert list(row.periods.order_by("pk").values()) == before
    assert ledger_check().findings == {}


def test_a_change_of_plan_replaces_what_is_left(row: Subscription) -> None:
    fast = plan(row.location, name="Paket 20M", price=310_000)
    day = NEXT + timedelta(days=11)
    subscription_change_plan(row, plan=fast, is_at_once=True, actor=None, now=at(day))
    assert spans(row) == [
        ("2026-11-22", "2026-12-22", 150_000), ("2026-12-22", "2027-01-02", 53_229), ("2027-01-02", "2027-01-22", 200_000),
    ]  # fmt: skip
    # again on the same day, and on the first day of a period
    slow = plan(row.location, name="Paket 5M", price=93_000)
    row.refresh_from_db()
    subscription_change_plan(row, plan=slow, is_at_once=True, actor=None, now=at(day))
    assert spans(row)[-1] == ("2027-01-02", "2027-01-22", 60_000)
    assert ledger_check().findings == {}


def test_a_bill_that_asks_for_nothing_any_more_may_be_replaced(row: Subscription) -> None:
    first, second = row.periods.order_by("starts_on")
    other = invoice_issue(draft(row.customer, "again", line(150_000)), now=at(NEXT))[0]
    assert first.invoice
    assert second.invoice
    credit_note_issue(second.invoice, amount=149_999, reason="x", now=at(NEXT), actor=None)
    with pytest.raises(DatabaseError, match=CHANGED):
        sql(UPDATE.format(f"invoice_id = {other.pk}"))
    credit_note_issue(second.invoice, reason="x", now=at(NEXT), actor=None)
    sql(UPDATE.format(f"invoice_id = {other.pk}"))
    invoice_void(first.invoice, reason="x", now=at(NEXT), actor=None)
    sql(UPDATE.replace("2026-12-22", "2026-11-22").format(f"invoice_id = {other.pk}, amount = 9"))
    assert set(row.periods.values_list("invoice_id", flat=True)) == {other.pk}


BENT = [
    (DELETE, {"days_forgotten": 1}),
    ("UPDATE billing_subscriptionperiod SET ends_on = '2027-01-10' WHERE starts_on = '2026-11-22'", {"days_twice": 1}),
]


@pytest.mark.parametrize(("statement", "wanted"), BENT)
def test_what_the_owner_bends_is_found(row: Subscription, statement: str, wanted: dict[str, int]) -> None:
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE billing_subscriptionperiod DISABLE TRIGGER USER")
        cursor.execute(statement)
        found = ledger_check().counts
        transaction.set_rollback(True)
    assert found.pop("triggers") == 4
    assert found == wanted
