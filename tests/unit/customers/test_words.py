"""A balance is told in words, never by a bare minus sign."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils.translation import override

from core.words import Tone
from customers.models import Customer, CustomerEvent
from customers.words import balance_text, balance_words, customer_name, event_text, state_words


@pytest.mark.parametrize(
    ("balance", "debt", "text", "tone"),
    [
        (0, 150_000, "Owes IDR 150,000", Tone.BAD),
        (20_000, 0, "IDR 20,000 in credit", Tone.GOOD),
        (20_000, 150_000, "Owes IDR 150,000, with IDR 20,000 in credit", Tone.BAD),
        (0, 0, "Nothing owed", Tone.QUIET),
    ],
)
def test_a_balance(balance: int, debt: int, text: str, tone: Tone) -> None:
    with override("en"):
        words = balance_words(Decimal(balance), Decimal(debt))
        assert (balance_text(Decimal(balance), Decimal(debt)), words.text, words.tone) == (text, text, tone)
        assert "-" not in words.text


def test_states_and_names() -> None:
    with override("en"):
        erased = Customer(name="–", erased_at="2026-11-22", is_active=False)
        assert (customer_name(erased), state_words(erased).text) == ("Erased person", "Erased")
        assert state_words(Customer(name="x", merged_into_id=7)).text == "Merged"
        assert state_words(Customer(name="x", is_active=False)).text == "Not active"
        assert (customer_name(Customer(name="x")), state_words(Customer(name="x")).text) == ("x", "Active")


def test_every_kind_of_event_has_a_sentence() -> None:
    details = {
        "fields": ["phone", "name"], "number": "C000007", "channel": "email", "about": "service", "is_granted": True,
    }  # fmt: skip
    with override("en"):
        assert event_text("changed", details) == "Changed: phone, name"
        assert event_text("contact_changed", details) == "Contact changed: phone, name"
        assert event_text("consent", details) == "May be told by e-mail: bills, receipts and outages"
        assert event_text("merged", details) == "Took in customer C000007"
        assert event_text("merged_away", details) == "Merged into customer C000007"
        assert event_text("noted", {}) == "Note written"
        assert event_text("of_a_later_version", {}) == "Of a later version"
    assert CustomerEvent._meta.get_field("kind").max_length == 30
