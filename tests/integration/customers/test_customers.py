"""Customers are made and changed: numbers without gaps, every wrong field named, nothing personal in the history."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts.choices import Role
from accounts.models import ActivityLog
from core.errors import DomainError, TransitionError
from core.models import JobRun
from core.periodic import jobs
from customers.models import Contact, Customer
from customers.selectors import consent_given, consents_now, customers_visible_to
from customers.services import (
    consent_record,
    contact_add,
    contact_change,
    contact_remove,
    customer_change,
    customer_create,
    customer_note_add,
    customers_create,
)
from customers.tasks import orphans_sweep
from tests.integration.customers.world import NOW, everything_written, kinds, make_customer, make_location, make_user
from tests.integration.vouchers.test_selling import together

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_customer_gets_the_next_number_and_everything_in_its_stored_form() -> None:
    boss, place = make_user(), make_location()
    customer = customer_create(
        actor=boss, ip="192.0.2.1", now=NOW, name="  Bu   Sri\u202e ", phone="0812-3456-7890", email=" Sri@Example.COM ",
        address="Jl. Mawar 1\r\nKaranganyar", location=place, latitude="-7,5621", longitude=110.8, area="ODP 7",
        tags="Lunas,  RUMAH , lunas", notes="anjing galak", language="id",
    )  # fmt: skip
    customer.refresh_from_db()
    assert (customer.number, customer.name, customer.phone, customer.phone_typed) == (
        "C000001", "Bu Sri", "+6281234567890", "0812-3456-7890",
    )  # fmt: skip
    assert (customer.email, customer.address) == ("sri@example.com", "Jl. Mawar 1\nKaranganyar")
    assert (customer.latitude, customer.longitude) == (Decimal("-7.562100"), Decimal("110.800000"))
    assert (customer.tags, customer.location, customer.is_active) == (["lunas", "rumah"], place, True)
    assert (customer.balance, customer.debt, kinds(customer)) == (0, 0, ["created"])
    log = ActivityLog.objects.get(action="customer.added")
    assert (log.user, log.ip_address, log.details) == (
        boss,
        "192.0.2.1",
        {"customer": customer.pk, "number": "C000001"},
    )


def test_every_wrong_field_is_named_at_once_and_nothing_is_written() -> None:
    wrong: dict[str, Any] = {
        "name": " \u200e ", "phone": "12", "email": "x@", "address": "a" * 501, "latitude": "91", "area": "a" * 121,
        "tags": ["x" * 31], "notes": "n" * 5001, "language": "fr", "location": 7, "number": "C 1", "balance": 5,
    }  # fmt: skip
    with pytest.raises(DomainError) as refused:
        customer_create(actor=None, **wrong)
    assert sorted(refused.value.fields) == sorted(wrong)
    with pytest.raises(DomainError) as refused:
        customer_create(actor=None, name="Bu Sri", latitude="1")
    assert list(refused.value.fields) == ["longitude"]
    assert not Customer.objects.exists()
    assert make_customer().number == "C000001"  # no number was lost


def test_a_number_that_came_with_an_import_is_jumped_over() -> None:
    make_customer(number="c000002")
    assert [make_customer().number, make_customer().number] == ["C000001", "C000003"]
    with pytest.raises(DomainError, match="has this number already"):
        make_customer(number="C000001")
    assert [row.number for row in customers_create([{"name": "a"}, {"name": "b", "number": "X-1"}], actor=None)] == [
        "C000004", "X-1",
    ]  # fmt: skip
    with pytest.raises(DomainError, match="has this number already"):
        customers_create([{"name": "c"}, {"name": "d", "number": "X-1"}], actor=None)
    assert Customer.objects.count() == 5


def test_a_form_sent_twice_is_one_customer() -> None:
    rows = together(6, lambda _i: customer_create(actor=None, name="Bu Sri", request_key="k-1"))
    assert len({row.pk for row in rows}) == 1  # type: ignore[attr-defined]
    assert Customer.objects.count() == 1


def test_many_at_once_get_numbers_without_gaps() -> None:
    together(8, lambda i: customer_create(actor=None, name=f"Nr {i}"))
    assert sorted(Customer.objects.values_list("number", flat=True)) == [f"C{i:06d}" for i in range(1, 9)]


def test_changes_are_written_down_without_what_tells_who_it_is() -> None:
    boss, place = make_user(), make_location()
    customer = make_customer(
        "Rahasia Sekali", phone="0812-3456-7890", email="rahasia@example.com", notes="rahasia", address="Jl. Rahasia"
    )
    changed = customer_change(
        customer, actor=boss, now=NOW, name="Rahasia Lain", phone="0813 0000 1111", address="Gang Rahasia 2", email="",
        latitude=1, longitude=2, notes="rahasia lagi", tags=["rahasia"], area="rahasia", location=place, language="en",
    )  # fmt: skip
    event = customer.events.get(kind="changed")
    assert event.details == {
        "fields": [
            "address", "area", "email", "language", "latitude", "location", "longitude", "name", "notes", "phone", "tags",
        ],
        "before": {"language": "", "location": None}, "after": {"language": "en", "location": place.pk},
    }  # fmt: skip
    assert changed.updated_at > customer.created_at
    customer_note_add(customer, text="Rahasia ketiga", actor=boss, now=NOW)
    contact = contact_add(customer, actor=boss, name="Rahasia Adik", phone="0813 0000 2222", email="rahasia@x.example")
    contact_change(contact, actor=boss, name="Rahasia Kakak", phone="0813 0000 3333")
    contact_remove(contact, actor=boss)
    written = everything_written().lower()
    assert "rahasia" not in written
    assert "813" not in written
    assert "812" not in written


def test_the_same_again_changes_nothing() -> None:
    customer = make_customer(phone="0812-3456-7890")
    before = Customer.objects.values().get(pk=customer.pk)
    customer_change(customer, actor=make_user(), name="Bu Sri", phone="0812-3456-7890")
    assert Customer.objects.values().get(pk=customer.pk) == before
    assert kinds(customer) == ["created"]
    customer_change(customer, actor=None, phone="+62 812-3456-7890")  # only the spelling
    assert customer.events.get(kind="changed").details["fields"] == ["phone"]


def test_one_coordinate_is_judged_with_the_other() -> None:
    customer = make_customer(latitude=1, longitude=2)
    customer_change(customer, actor=None, latitude=3)
    customer.refresh_from_db()
    assert (customer.latitude, customer.longitude) == (Decimal(3), Decimal(2))
    with pytest.raises(DomainError) as refused:
        customer_change(customer, actor=None, latitude=None)
    assert list(refused.value.fields) == ["longitude"]


def test_an_operator_works_at_his_places_only() -> None:
    here, there = make_location("Pos 1"), make_location("Pos 2")
    budi, both = make_user("budi", Role.OPERATOR, here), make_user("dewi", Role.OPERATOR, here, there)
    mine = customer_create(actor=budi, name="Bu Sri")
    assert mine.location == here  # his only one
    other = make_customer("Pak Joko", location=there)
    nowhere = make_customer("Tanpa tempat")
    assert set(customers_visible_to(budi)) == {mine}
    assert set(customers_visible_to(both)) == {mine, other}
    assert set(customers_visible_to(make_user("ani"))) == {mine, other, nowhere}
    for row in (other, nowhere):
        with pytest.raises(DomainError) as refused:
            customer_change(row, actor=budi, name="x")
        assert (refused.value.code, refused.value.status) == ("customer.not_found", 404)
    for place in (there, None):
        with pytest.raises(DomainError) as refused:
            customer_change(mine, actor=budi, location=place)
        assert list(refused.value.fields) == ["location"]
    with pytest.raises(DomainError, match="your own locations"):
        customer_create(actor=both, name="x")
    with pytest.raises(DomainError, match="your own locations"):
        customers_create([{"name": "x", "location": there}], actor=budi)


def test_merged_and_erased_rows_are_closed() -> None:
    winner, loser, gone = make_customer("a"), make_customer("b"), make_customer("c")
    Customer.objects.filter(pk=loser.pk).update(merged_into=winner)
    Customer.objects.filter(pk=gone.pk).update(erased_at=NOW)
    for row, code in ((loser, "customer.merged"), (gone, "customer.erased")):
        with pytest.raises(TransitionError) as refused:
            customer_change(row, actor=None, name="x")
        assert refused.value.code == code


def test_notes_grow_on_top_until_they_are_full() -> None:
    boss = make_user()
    customer = make_customer(notes="lama", location=make_location())
    fresh = customer_note_add(customer, text="datang\nbesok", actor=boss, now=NOW)
    assert fresh.notes == "22 Nov 2026 14.00 ani: datang\nbesok\nlama"
    for text in ("", " ", "x" * 4980):
        with pytest.raises(DomainError) as refused:
            customer_note_add(customer, text=text, actor=boss, now=NOW)
        assert list(refused.value.fields) == ["text"]


def test_contacts_have_a_name_and_a_number_that_can_be_called() -> None:
    customer = make_customer()
    contact = contact_add(customer, actor=None, name="Adik", phone="0813-0000-2222", role="billing")
    assert (contact.phone, contact.phone_typed, contact.role) == ("+6281300002222", "0813-0000-2222", "billing")
    with pytest.raises(DomainError) as refused:
        contact_add(customer, actor=None, name="", phone="1", email="x", role="boss", colour="red")
    assert sorted(refused.value.fields) == ["colour", "email", "name", "phone", "role"]
    for number in range(19):
        contact_add(customer, actor=None, name=f"k{number}")
    with pytest.raises(DomainError, match="At most 20"):
        contact_add(customer, actor=None, name="k20")
    assert Contact.objects.count() == 20


def test_the_newest_consent_holds_and_the_old_ones_stay() -> None:
    boss, customer, silent = make_user(), make_customer(), make_customer("b")
    for is_granted in (True, False):
        consent_record(
            customer, channel="whatsapp", kind="marketing", is_granted=is_granted, source="form", actor=boss, now=NOW
        )
    newest = consents_now(customer)
    assert {key: row.is_granted for key, row in newest.items()} == {("whatsapp", "marketing"): False}
    assert customer.consents.count() == 2
    asked = [customer.pk, silent.pk]
    assert consent_given(asked, channel="whatsapp", kind="marketing") == {customer.pk: False}
    with pytest.raises(DomainError) as refused:
        consent_record(customer, channel="pigeon", kind="all", is_granted=True, source="", actor=boss)
    assert sorted(refused.value.fields) == ["channel", "kind", "source"]


def test_a_number_is_changed_to_a_free_one_only() -> None:
    first, second = make_customer(), make_customer()
    assert customer_change(first, actor=None, number="lama-7").number == "LAMA-7"
    for number in ("", "C000002"):
        with pytest.raises(DomainError) as refused:
            customer_change(first, actor=None, number=number)
        assert list(refused.value.fields) == ["number"]
    second.refresh_from_db()
    assert second.number == "C000002"


@pytest.mark.parametrize("key", ["", "k" * 65])
def test_a_request_key_has_a_length(key: str) -> None:
    with pytest.raises(DomainError, match="1 to 64 characters"):
        customer_create(actor=None, name="x", request_key=key)


def test_the_sweep_is_a_recorded_job(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    folder = tmp_path / "customers" / "2026-11"
    folder.mkdir(parents=True)
    (folder / "lost.pdf").write_bytes(b"%PDF-")
    os.utime(folder / "lost.pdf", (0, 0))
    orphans_sweep()
    run = JobRun.objects.get(pk="customers.orphans_sweep")
    assert (run.is_ok, run.outcome, list(folder.iterdir())) == (True, "1 files without a row", [])
    assert "customers.tasks.orphans_sweep" in {job.task for job in jobs()}
