"""Money and services of two customers that become one, and of one that becomes two again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from billing.choices import EntryKind
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.models import Charge, Invoice, JournalEntry, Plan, Posting, Subscription
from billing.services import plan_publish
from billing.services.settling import balance_apply, money_receive
from billing.services.subscriptions import subscription_create
from billing.services.subscriptions_extras import charge_add
from billing.services.unsettling import settlement_reverse
from core.errors import DomainError, TransitionError
from customers.models import Customer, CustomerMerge
from customers.selectors import customers_search
from customers.services import customer_erase, customers_merge, customers_merge_preview, customers_merge_undo
from tests.integration.billing.money import NOW, make_customer, make_invoice, money_of, state_of
from tests.integration.billing.service_world import at, night, pay, place, plan, service
from tests.integration.customers.world import make_location, make_user
from tests.integration.vouchers.test_selling import together

pytestmark = pytest.mark.django_db(transaction=True)
SOON = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def ledger_is_right() -> Iterator[None]:
    yield
    assert ledger_check().findings == {}


def make_service(customer: Customer, username: str = "sri", **fields: object) -> Subscription:
    plan, _is_new = Plan.objects.get_or_create(name="Rumah", defaults={"type": "pppoe", "price_sell": 150_000})
    location = Subscription.objects.first()
    place = location.location if location else make_location(f"Pos {username}")
    values = {"status": "active", "started_on": date(2026, 11, 1), "billed_until": date(2026, 12, 1)} | fields
    return Subscription.objects.create(
        customer=customer, plan=plan, location=place, type="pppoe", username=username, **values
    )


def receive(customer: Customer, amount: int, source: str, **fields: object) -> JournalEntry:
    return money_receive(
        customer_id=customer.pk, amount=amount, into_account=chart.cash(7), kind=EntryKind.PAYMENT, source=source,
        now=NOW, **fields,  # type: ignore[arg-type]
    )[0]  # fmt: skip


def postings_of(source: str) -> list[tuple[str, int | None, int]]:
    rows = Posting.objects.filter(entry__source=source).order_by("pk")
    return [(row.account, row.customer_id, int(row.amount)) for row in rows]


def merge_both(winner: Customer, loser: Customer) -> CustomerMerge:
    return customers_merge(winner, loser, actor=None, now=NOW)


def test_services_charges_and_the_open_balance_move_and_bills_stay() -> None:
    winner, loser = make_customer("Bu Sri"), make_customer("Sri R")
    mine, ended = make_service(loser), make_service(loser, "old", status="ended", ended_on=date(2026, 11, 2))
    waiting = Charge.objects.create(customer=loser, name="Kabel", amount=50_000)
    own = make_invoice(winner, 20_000)
    paid, owed = make_invoice(loser, 80_000), make_invoice(loser, 150_000)
    receive(loser, 80_000, "money:1", invoice_id=paid.pk)
    receive(loser, 30_000, "money:2", is_for_balance=True)
    preview = customers_merge_preview(winner, loser, actor=None, now=NOW)
    assert preview.moved == {"billing.subscription": 2, "billing.charge": 1, "billing.journalentry": 1}
    assert (int(preview.balance), int(preview.debt)) == (30_000, 170_000)
    assert (money_of(winner), money_of(loser)) == ((0, 20_000), (30_000, 150_000))
    merge = merge_both(winner, loser)
    assert postings_of(f"merge:{merge.pk}") == [
        ("receivable", winner.pk, 150_000), ("receivable", loser.pk, -150_000),
        ("wallet", loser.pk, 30_000), ("wallet", winner.pk, -30_000),
    ]  # fmt: skip
    assert JournalEntry.objects.get(source=f"merge:{merge.pk}").kind == "merge"
    assert (money_of(winner), money_of(loser)) == ((30_000, 170_000), (0, 0))
    assert set(winner.subscriptions.all()) == {mine, ended}
    assert [event.kind for event in mine.events.all()] == ["customer_merged"]
    waiting.refresh_from_db()
    assert waiting.customer == winner
    assert set(Invoice.objects.filter(customer=loser)) == {paid, owed}
    assert Posting.objects.filter(customer=loser, entry__kind="payment").count() == 2
    assert list(Invoice.objects.filter(customer=winner)) == [own]
    assert list(customers_search(make_user(), "sri")) == [winner]  # the name and the user name
    assert list(customers_search(make_user("b"), "old")) == [winner]


def test_nothing_to_move_makes_no_entry() -> None:
    merge = merge_both(make_customer(), make_customer())
    assert not JournalEntry.objects.exists()
    customers_merge_undo(merge, actor=None, now=SOON)
    assert not JournalEntry.objects.exists()


def test_undo_restores_every_row_and_every_rupiah() -> None:
    winner, loser = make_customer(), make_customer()
    make_service(loser), make_service(winner, "joko")
    Charge.objects.create(customer=loser, name="Kabel", amount=50_000)
    make_invoice(winner, 20_000), make_invoice(loser, 150_000)
    receive(loser, 30_000, "money:1", is_for_balance=True)

    def rows() -> list[object]:
        return [
            list(Subscription.objects.order_by("pk").values_list("pk", "customer")),
            list(Charge.objects.values_list("pk", "customer")),
            list(Invoice.objects.order_by("pk").values()),
            list(Customer.objects.order_by("pk").values_list("pk", "merged_into", "balance", "debt")),
        ]

    before = rows()
    merge = merge_both(winner, loser)
    assert rows() != before
    customers_merge_undo(merge, actor=None, now=SOON)
    assert rows() == before
    assert postings_of(f"merge-undo:{merge.pk}") == [
        ("receivable", loser.pk, 150_000), ("receivable", winner.pk, -150_000),
        ("wallet", winner.pk, 30_000), ("wallet", loser.pk, -30_000),
    ]  # fmt: skip


def test_a_payment_for_the_losers_bill_is_the_winners_and_survives_the_undo() -> None:
    winner, loser = make_customer(), make_customer()
    own, owed = make_invoice(winner, 20_000), make_invoice(loser, 150_000, date(2026, 10, 1))
    merge = merge_both(winner, loser)
    receive(loser, 100_000, "money:1")  # the payer still has the old paper in his hand
    assert (state_of(own, owed), money_of(winner)) == ([("open", 0), ("open", 100_000)], (0, 70_000))
    assert postings_of("money:1") == [("cash:7", None, 100_000), ("receivable", winner.pk, -100_000)]
    customers_merge_undo(merge, actor=None, now=SOON)
    assert (money_of(winner), money_of(loser)) == ((0, 20_000), (0, 50_000))


def test_one_payment_for_bills_of_both_survives_the_undo() -> None:
    winner, loser = make_customer(), make_customer()
    own, owed = make_invoice(winner, 20_000), make_invoice(loser, 150_000, date(2026, 10, 1))
    merge = merge_both(winner, loser)
    receive(winner, 170_000, "money:1")
    assert state_of(own, owed) == [("paid", 20_000), ("paid", 150_000)]
    customers_merge_undo(merge, actor=None, now=SOON)
    assert (money_of(winner), money_of(loser)) == ((0, 0), (0, 0))


def test_a_payment_of_before_that_is_taken_back_since_is_owed_by_the_loser_again() -> None:
    winner, loser = make_customer(), make_customer()
    owed = make_invoice(loser, 150_000)
    entry = receive(loser, 150_000, "money:1")
    merge = merge_both(winner, loser)
    settlement_reverse(entry, now=SOON, actor=None, reason="false note")
    assert (state_of(owed), money_of(winner), money_of(loser)) == ([("open", 0)], (0, 150_000), (0, 0))
    customers_merge_undo(merge, actor=None, now=SOON)
    assert (money_of(winner), money_of(loser)) == ((0, 0), (0, 150_000))


def refused(merge: CustomerMerge) -> str:
    before = [money_of(merge.winner), money_of(merge.loser)]
    with pytest.raises(TransitionError, match="Nothing was changed") as found:
        customers_merge_undo(merge, actor=None, now=SOON)
    merge.refresh_from_db()
    assert (merge.undone_at, [money_of(merge.winner), money_of(merge.loser)]) == (None, before)
    assert Customer.objects.get(pk=merge.loser_id).merged_into_id == merge.winner_id
    return found.value.code


def test_a_service_that_was_billed_since_stays() -> None:
    winner, loser = make_customer(), make_customer()
    service = make_service(loser)
    merge = merge_both(winner, loser)
    make_invoice(winner, 150_000, subscription=service)
    assert refused(merge) == "merge.billed"


def test_a_night_since_is_billed_to_whose_service_it_is() -> None:
    """The night paid its bill from the balance that came with the merge: it is void, and written to the loser."""
    pos = place()
    winner, loser = make_customer("Bu Sri"), make_customer("Sri R")
    row = service(pos, plan(pos), date(2026, 11, 22), loser, is_auto_renewed=True)
    pay(loser, 500_000, date(2026, 11, 22))
    balance_apply([loser.pk], now=at(date(2026, 11, 22)))
    assert (money_of(winner), money_of(loser)) == ((0, 0), (350_000, 0))
    merge = customers_merge(winner, loser, actor=None, now=at(date(2026, 12, 21), 23))
    night(pos, date(2026, 12, 22))
    assert (money_of(winner), money_of(loser)) == ((200_000, 0), (0, 0))
    bill = Invoice.objects.get(customer=winner)
    assert (bill.status, bill.subscription) == ("paid", row)

    customers_merge_undo(merge, actor=None, now=at(date(2026, 12, 22), 8))
    assert (money_of(winner), money_of(loser)) == ((0, 0), (200_000, 0))
    bill.refresh_from_db()
    assert (bill.status, bill.settled_amount, bill.customer) == ("void", 0, winner)
    again = Invoice.objects.filter(customer=loser).order_by("pk").last()
    assert again is not None
    assert (again.status, int(again.total), again.period_start) == ("paid", 150_000, date(2026, 12, 22))
    row.refresh_from_db()
    assert (row.customer, row.status, row.billed_until) == (loser, "active", date(2027, 1, 22))
    night(pos, date(2026, 12, 23))
    assert Invoice.objects.filter(subscription=row).exclude(status="void").count() == 2
    customers_merge(winner, loser, actor=None, now=at(date(2026, 12, 22), 9))  # and again, with what was said before
    assert money_of(winner) == (200_000, 0)


def test_a_night_since_that_money_paid_stays() -> None:
    pos = place()
    winner, loser = make_customer("Bu Sri"), make_customer("Sri R")
    service(pos, plan(pos), date(2026, 11, 22), loser)
    pay(loser, 150_000, date(2026, 11, 22))
    merge = customers_merge(winner, loser, actor=None, now=at(date(2026, 12, 21), 23))
    night(pos, date(2026, 12, 22))
    pay(winner, 150_000, date(2026, 12, 22))
    with pytest.raises(TransitionError, match="Take the payment back") as found:
        customers_merge_undo(merge, actor=None, now=at(date(2026, 12, 22), 8))
    assert found.value.code == "merge.billed"
    assert (money_of(winner), money_of(loser)) == ((0, 0), (0, 0))
    assert Invoice.objects.get(customer=winner).status == "paid"


def test_a_charge_that_was_billed_since_stays() -> None:
    winner, loser = make_customer(), make_customer()
    charge = Charge.objects.create(customer=loser, name="Kabel", amount=50_000)
    merge = merge_both(winner, loser)
    Charge.objects.filter(pk=charge.pk).update(invoice=make_invoice(winner, 50_000))
    assert refused(merge) == "merge.billed"


def test_a_common_balance_that_was_used_cannot_be_divided() -> None:
    winner, loser = make_customer(), make_customer()
    make_invoice(winner, 20_000)
    receive(loser, 30_000, "money:1", is_for_balance=True)
    merge = merge_both(winner, loser)
    balance_apply([winner.pk], now=SOON)
    assert money_of(winner) == (10_000, 0)
    assert refused(merge) == "merge.balance_used"


def test_the_winners_balance_that_paid_the_losers_bill_cannot_be_told_apart() -> None:
    winner, loser = make_customer(), make_customer()
    make_invoice(loser, 20_000)
    receive(winner, 30_000, "money:1", is_for_balance=True)
    merge = merge_both(winner, loser)
    balance_apply([winner.pk], now=SOON)
    assert refused(merge) == "merge.settled_together"


def test_two_merges_into_one_are_undone_in_any_order() -> None:
    winner, first, second = make_customer(), make_customer(), make_customer()
    receive(first, 10_000, "money:1", is_for_balance=True)
    receive(second, 7_000, "money:2", is_for_balance=True)
    make_invoice(first, 100_000), make_invoice(second, 200_000)
    merges = [merge_both(winner, first), merge_both(winner, second)]
    assert money_of(winner) == (17_000, 300_000)
    for merge in merges:
        customers_merge_undo(merge, actor=None, now=SOON)
    assert [money_of(row) for row in (winner, first, second)] == [(0, 0), (10_000, 100_000), (7_000, 200_000)]


def test_payments_post_to_the_one_that_stayed_while_the_merge_happens() -> None:
    for number in range(4):
        winner, loser = make_customer(), make_customer()
        bills = [make_invoice(loser, 10_000) for _i in range(5)]

        def work(i: int) -> object:
            return merge_both(winner, loser) if i == 3 else receive(loser, 10_000, f"p:{number}:{i}")  # noqa: B023  # joined here

        answers = together(8, work)
        assert [answer for answer in answers if isinstance(answer, DomainError | None)] == []
        # seven payments of 10,000 for five bills of 10,000: two are in credit, and all of it is the winner's
        assert (money_of(winner), money_of(loser)) == ((20_000, 0), (0, 0))
        assert state_of(*bills) == [("paid", 10_000)] * 5
        assert ledger_check().findings == {}


def test_payments_and_the_undo_at_once_lose_nothing() -> None:
    for number in range(4):
        winner, loser = make_customer(), make_customer()
        bills = [make_invoice(loser, 10_000) for _i in range(5)]
        merge = merge_both(winner, loser)

        def work(i: int) -> object:
            if i == 2:
                return customers_merge_undo(merge, actor=None, now=SOON)  # noqa: B023  # joined here
            return receive(loser, 10_000, f"p:{number}:{i}")  # noqa: B023

        answers = together(5, work)
        assert [answer for answer in answers if isinstance(answer, DomainError | None)] == []
        assert [money_of(winner), money_of(loser)] == [(0, 0), (0, 10_000)]
        assert sorted(state_of(*bills)) == [("open", 0)] + [("paid", 10_000)] * 4


def test_a_service_or_charge_made_at_this_moment_is_the_winners() -> None:
    for number in range(4):
        winner, loser = make_customer(), make_customer()
        example = make_service(winner, f"first{number}")
        plan_publish(example.plan, [example.location], actor=None)

        def work(i: int) -> object:
            if i == 2:
                return merge_both(winner, loser)  # noqa: B023  # joined here
            if i == 3:
                return charge_add(customer=loser, name="Kabel", amount=5_000, actor=None)  # noqa: B023
            return subscription_create(
                customer=loser, plan=example.plan, location=example.location, username=f"n{number}x{i}", actor=None  # noqa: B023
            )  # fmt: skip

        answers = together(5, work)
        assert [answer for answer in answers if isinstance(answer, DomainError | None)] == []
        assert (loser.subscriptions.count(), Charge.objects.filter(customer=loser).count()) == (0, 0)
        assert winner.subscriptions.count() == 4


def test_a_service_made_at_the_moment_of_erasing_is_refused_or_keeps_the_person() -> None:
    for number in range(4):
        other, person = make_customer(), make_customer("Orang")
        example = make_service(other, f"second{number}")
        plan_publish(example.plan, [example.location], actor=None)

        def work(i: int) -> object:
            if i == 1:
                return customer_erase(person, actor=None, now=NOW)  # noqa: B023  # joined here
            return subscription_create(
                customer=person, plan=example.plan, location=example.location, username=f"e{number}x{i}", actor=None  # noqa: B023
            )  # fmt: skip

        together(3, work)
        person.refresh_from_db()
        assert (person.erased_at is not None) == (person.subscriptions.count() == 0)


def test_a_person_with_a_service_or_open_money_is_not_erased() -> None:
    customer, merged = make_customer("Rahasia"), make_customer("Rahasia 2")
    service = make_service(merged, "rahasia", note="rahasia", mac_address="AA:BB:CC:DD:EE:FF", password="rahasia")
    merge_both(customer, merged)

    def code() -> str:
        with pytest.raises(TransitionError) as found:
            customer_erase(customer, actor=None, now=NOW)
        customer.refresh_from_db()
        assert (customer.name, customer.erased_at) == ("Rahasia", None)
        return found.value.code

    assert code() == "erase.service"
    Subscription.objects.filter(pk=service.pk).update(status="ended", ended_on=date(2026, 11, 2))
    merged.refresh_from_db()
    owed = make_invoice(merged, 50_000)
    assert code() == "erase.money"
    receive(customer, 60_000, "money:1")
    assert code() == "erase.money"
    make_invoice(customer, 10_000)
    balance_apply([customer.pk], now=NOW)
    charge = Charge.objects.create(customer=customer, name="Kabel", amount=50_000)
    assert code() == "erase.money"
    Charge.objects.filter(pk=charge.pk).update(cancelled_at=NOW)
    before = list(Posting.objects.order_by("pk").values())
    customer_erase(customer, actor=None, now=NOW)
    assert list(Customer.objects.order_by("pk").values_list("name", "erased_at")) == [("–", NOW)] * 2
    service.refresh_from_db()
    assert (service.username, service.password, service.mac_address, service.note) == (
        f"erased-{service.pk}", None, "", "",
    )  # fmt: skip
    assert (list(Posting.objects.order_by("pk").values()), state_of(owed)) == (before, [("paid", 50_000)])
    with pytest.raises(TransitionError, match="was erased"):
        customers_merge_undo(CustomerMerge.objects.get(), actor=None, now=NOW)


def test_amounts_are_text_in_the_note() -> None:
    winner, loser = make_customer(), make_customer()
    receive(loser, 30_000, "money:1", is_for_balance=True)
    merge = merge_both(winner, loser)
    assert Decimal(merge.moved["wallet"]) == 30_000
