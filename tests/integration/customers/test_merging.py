"""Two rows become one person and back again; chains, cycles and strangers are refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.choices import Role
from accounts.models import ActivityLog
from core.errors import DomainError, TransitionError
from customers.models import Customer, CustomerMerge
from customers.selectors import consents_now, contacts_of, customers_search, family_of, merges_of
from customers.services import (
    MergePreview,
    consent_record,
    contact_add,
    contact_change,
    customers_merge,
    customers_merge_preview,
    customers_merge_undo,
)
from tests.integration.customers.world import NOW, everything_written, kinds, make_customer, make_location, make_user
from tests.integration.vouchers.test_selling import together

pytestmark = pytest.mark.django_db(transaction=True)


def merged_into(*rows: Customer) -> list[int | None]:
    return [Customer.objects.get(pk=row.pk).merged_into_id for row in rows]


def test_the_loser_points_to_the_winner_and_both_are_shown_together() -> None:
    boss, winner, loser = make_user(), make_customer("Bu Sri"), make_customer("Sri Rahayu", phone="0812-3456-7890")
    contact = contact_add(loser, actor=None, name="Adik")
    consent_record(loser, channel="whatsapp", kind="service", is_granted=True, source="form", actor=None, now=NOW)
    merge = customers_merge(winner, loser, actor=boss, ip="192.0.2.1", now=NOW)
    assert merged_into(winner, loser) == [None, winner.pk]
    winner.refresh_from_db()
    assert (family_of(winner), list(contacts_of(winner))) == ([winner.pk, loser.pk], [contact])
    assert consents_now(winner)[("whatsapp", "service")].is_granted
    assert (list(merges_of(winner)), kinds(winner), kinds(loser)[-1]) == ([merge], ["created", "merged"], "merged_away")
    log = ActivityLog.objects.get(action="customer.merged")
    assert log.details == {"merge": merge.pk, "winner": winner.pk, "loser": loser.pk}
    assert "Sri" not in everything_written()
    # by its old number, phone and name the loser leads to the one that stayed
    for text in (loser.number, "0812 3456 7890", "rahayu"):
        assert list(customers_search(boss, text)) == [winner]
    contact_change(contact, actor=boss, name="Kakak")  # its row is closed, its contact is not


def test_undo_restores_it_within_a_day_and_once() -> None:
    boss, winner, loser = make_user(), make_customer("a"), make_customer("b")
    before = list(Customer.objects.order_by("pk").values("pk", "merged_into", "name", "balance", "debt", "is_active"))
    merge = customers_merge(winner, loser, actor=boss, now=NOW)
    late = NOW + timedelta(hours=24, seconds=1)
    with pytest.raises(TransitionError, match="for 24 hours only") as refused:
        customers_merge_undo(merge, actor=boss, now=late)
    assert (refused.value.code, merged_into(loser)) == ("merge.too_late", [winner.pk])
    undone = customers_merge_undo(merge, actor=boss, now=NOW + timedelta(hours=24))
    assert (undone.undone_by, undone.undone_at) == (boss, NOW + timedelta(hours=24))
    after = list(Customer.objects.order_by("pk").values("pk", "merged_into", "name", "balance", "debt", "is_active"))
    assert after == before
    again = customers_merge_undo(merge, actor=None, now=late)
    assert (again.undone_by, kinds(loser).count("merge_undone")) == (boss, 1)
    customers_merge(loser, winner, actor=boss, now=NOW)  # and then the other way round
    assert merged_into(winner, loser) == [loser.pk, None]


def test_itself_chains_cycles_and_erased_rows_are_refused() -> None:
    a, b, c, gone = (make_customer(name) for name in "abcd")
    Customer.objects.filter(pk=gone.pk).update(erased_at=NOW)
    customers_merge(a, b, actor=None, now=NOW)
    refusals = [
        (a, a, "merge.same"), (b, a, "merge.merged"), (a, b, "merge.merged"), (b, c, "merge.merged"),
        (c, b, "merge.merged"), (c, a, "merge.chain"), (a, gone, "merge.erased"), (gone, c, "merge.erased"),
    ]  # fmt: skip
    for winner, loser, code in refusals:
        with pytest.raises(DomainError) as refused:
            customers_merge(winner, loser, actor=None, now=NOW)
        assert refused.value.code == code
    assert merged_into(a, b, c, gone) == [None, a.pk, None, None]
    customers_merge(a, c, actor=None, now=NOW)
    b.refresh_from_db()
    assert family_of(b) == [a.pk, b.pk, c.pk]


def test_only_for_those_who_see_both() -> None:
    here, there = make_location("Pos 1"), make_location("Pos 2")
    budi = make_user("budi", Role.OPERATOR, here)
    mine, other = make_customer("a", location=here), make_customer("b", location=there)
    for winner, loser in ((mine, other), (other, mine)):
        with pytest.raises(DomainError) as refused:
            customers_merge(winner, loser, actor=budi, now=NOW)
        assert refused.value.status == 404
    merge = customers_merge(other, mine, actor=None, now=NOW)
    with pytest.raises(DomainError) as refused:
        customers_merge_undo(merge, actor=budi, now=NOW)
    assert refused.value.status == 404


def test_a_preview_does_nothing() -> None:
    winner, loser = make_customer("a"), make_customer("b")
    contact_add(loser, actor=None, name="Adik")
    preview = customers_merge_preview(winner, loser, actor=None, now=NOW)
    assert preview == MergePreview(moved={}, contacts=1, documents=0, balance=Decimal(0), debt=Decimal(0))
    assert (merged_into(winner, loser), CustomerMerge.objects.count(), kinds(winner)) == ([None, None], 0, ["created"])
    with pytest.raises(DomainError, match="the same one"):
        customers_merge_preview(winner, winner, actor=None)


def test_merging_each_into_the_other_at_once_lets_one_win() -> None:
    for round_number in range(4):
        a, b = make_customer(f"a{round_number}"), make_customer(f"b{round_number}")
        pairs = [(a, b), (b, a)] * 3
        answers = together(6, lambda i: customers_merge(*pairs[i], actor=None, now=NOW))  # noqa: B023  # joined inside
        assert sorted(type(answer).__name__ for answer in answers) == ["CustomerMerge"] + ["TransitionError"] * 5
        assert sorted(map(bool, merged_into(a, b))) == [False, True]


def test_a_ring_of_merges_at_once_ends_without_a_chain() -> None:
    rows = [make_customer(str(i)) for i in range(6)]
    together(6, lambda i: customers_merge(rows[i], rows[(i + 1) % 6], actor=None, now=NOW))
    roots = set(Customer.objects.filter(merged_into=None).values_list("pk", flat=True))
    assert roots
    assert set(Customer.objects.exclude(merged_into=None).values_list("merged_into_id", flat=True)) <= roots
