"""Every kind of line says in a sentence why it is on the bill."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import override

from billing.choices import LineKind
from billing.models import InvoiceLine, Subscription
from billing.service_words import balance_use_text, late_fee_text, tax_text, terms_text
from billing.words import SENTENCES, days_words, line_words

MONTH = {"from": "2026-11-22", "to": "2026-12-22"}
PART = {"from": "2026-11-10", "to": "2026-11-22", "days": 12, "of": 30, "price": "150000"}
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("subscription", {"plan": "Paket 10M", **MONTH}, "Paket 10M, 22 Nov – 21 Dec 2026"),
    ("subscription", {"plan": "Paket 10M", **MONTH, "to": "2027-02-22", "months": 3},
     "Paket 10M, 3 months, 22 Nov 2026 – 21 Feb 2027"),
    ("proration", {"plan": "Paket 10M", **PART}, "Paket 10M, 10 – 21 Nov 2026: 12 of 30 days at IDR 150,000"),
    ("addon", {"name": "Public address", **MONTH}, "Public address, 22 Nov – 21 Dec 2026"),
    ("addon", {"name": "Public address", **PART}, "Public address, 10 – 21 Nov 2026: 12 days at IDR 150,000 a month"),
    ("charge", {"name": "Installation"}, "Installation"),
    ("discount", {"coupon": "NEW", "percent": "10.00"}, "Coupon NEW: 10 % off"),
    ("discount", {"coupon": "NEW"}, "Coupon NEW"),
    ("discount", {"months": 6, "percent": "2.50"}, "Paid 6 months ahead: 2.5 % off"),
    ("late_fee", {"number": "INV/2026/000001", "due_on": "2026-11-01"},
     "Late fee for INV/2026/000001, which was due on 1 Nov 2026"),
    ("late_fee", {"number": "INV/2026/000001", "due_on": "2026-11-01", "percent": "5.00"},
     "Late fee of 5 % for INV/2026/000001, which was due on 1 Nov 2026"),
    ("plan_credit", {"plan": "Paket 10M", "to_plan": "Paket 20M", **PART},
     "Paket 10M, changed to Paket 20M: 12 days paid but not used, 10 – 21 Nov 2026"),
    ("credit", {"reason": "paused", "plan": "Paket 10M", **PART},
     "Paket 10M, paused: 12 days not used, 10 – 21 Nov 2026"),
    ("credit", {"reason": "ended", "plan": "Paket 10M", "from": "2026-11-10", "to": "2026-11-11", "days": 1},
     "Paket 10M, ended: 1 day not used, 10 Nov 2026"),
    ("credit", {"number": "INV/2026/000001", "kind": "charge", "text": "", "details": {"name": "Installation"}},
     "Credit for INV/2026/000001: Installation"),
    ("manual", {"text": "Cable, 20 m"}, "Cable, 20 m"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "details", "sentence"), CASES)
def test_a_line_explains_itself(kind: str, details: dict[str, Any], sentence: str) -> None:
    with override("en"):
        assert line_words(InvoiceLine(kind=kind, details=details)) == sentence


def test_every_kind_has_its_sentence_and_its_case() -> None:
    assert set(SENTENCES) == set(LineKind) == {kind for kind, _details, _sentence in CASES}


def test_what_a_person_wrote_is_shown_as_written() -> None:
    assert line_words(InvoiceLine(kind="charge", text="Kabel 20 m", details={"name": "x"})) == "Kabel 20 m"


@pytest.mark.parametrize("kind", LineKind.values)
def test_details_that_are_missing_leave_the_name_of_the_kind(kind: str) -> None:
    with override("en"):
        # what a person wrote is gone when he was erased; nothing else would say so
        expected = "no longer kept" if kind == "manual" else str(LineKind(kind).label)
        assert line_words(InvoiceLine(kind=kind)) == expected


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (date(2026, 11, 22), date(2026, 11, 23), "22 Nov 2026"),
        (date(2026, 11, 1), date(2026, 12, 1), "1 – 30 Nov 2026"),
        (date(2026, 12, 5), date(2027, 1, 5), "5 Dec 2026 – 4 Jan 2027"),
    ],
)
def test_spans_of_days(start: date, end: date, words: str) -> None:
    with override("en"):
        assert days_words(start, end) == words


def test_every_term_of_a_service_stands_in_words() -> None:
    row = Subscription(
        period_mode="fixed_day", fixed_day=5, first_bill="merged", tax_mode="exclusive", late_fee=5000, late_fee_days=7,
        grace_days=2, due_days=1,
    )  # fmt: skip
    assert terms_text(row) == (
        "Prepaid · every 1 month · on day 5 of the month · the part of a month comes with the first full bill · "
        "1 day to pay · 2 days of grace"
    )
    assert (tax_text(row), balance_use_text(row)) == ("Tax comes on top of the price", "Pays the bills by itself")
    assert late_fee_text(row) == "IDR 5,000, 7 days after the due date, once per bill"
    row = Subscription(late_fee=Decimal("2.5"), late_fee_kind="percent", late_fee_days=1, is_auto_renewed=False)
    assert late_fee_text(row) == "2.5 %, 1 day after the due date, once per bill"
    assert "part of a month" not in terms_text(row)
    assert (tax_text(row), balance_use_text(row)) == ("No tax", "Pays no bill by itself")
    assert late_fee_text(Subscription(late_fee=Decimal(0))) == "None"
