from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DomainError
from core.money import allocate, quantise

amounts = st.integers(min_value=-(10**12), max_value=10**12).map(Decimal)


@pytest.mark.parametrize(
    ("value", "rounded"), [("0.5", "1"), ("1.49", "1"), ("-0.5", "-1"), ("15000", "15000"), ("2.5", "3")]
)
def test_rounds_half_up_to_whole_rupiah(value: str, rounded: str) -> None:
    assert quantise(value, "IDR") == Decimal(rounded)


def test_dollars_keep_cents() -> None:
    assert quantise("1.005", "USD") == Decimal("1.01")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e309", "abc", ""])
def test_what_is_not_an_amount_is_refused(value: str) -> None:
    with pytest.raises(DomainError) as refusal:
        quantise(value, "IDR")
    assert refusal.value.code == "money.invalid"


def test_a_float_is_a_programming_error() -> None:
    with pytest.raises(TypeError):
        quantise(1.5, "IDR")  # type: ignore[arg-type]


@given(amounts, st.lists(st.integers(min_value=0, max_value=1000), min_size=1, max_size=20).filter(any))
def test_parts_always_sum_to_the_whole_and_stay_within_one_unit(total: Decimal, weights: list[int]) -> None:
    parts = allocate(total, weights, "IDR")
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - total * weight / sum(weights)) < 1


def test_largest_remainder_gets_the_odd_rupiah() -> None:
    assert allocate(Decimal(100), [1, 1, 1], "IDR") == [Decimal(34), Decimal(33), Decimal(33)]
    assert allocate(Decimal(10), [1, 2], "IDR") == [Decimal(3), Decimal(7)]
