"""Fee rules: fixed, percent, who bears it, limits."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DomainError
from payments.choices import FeeBearer, FeeType
from payments.fees import Ask, ask_for, fee_of, limits_check
from payments.models import PaymentMethod


def method(
    fee_type: str = FeeType.NONE, fee: str = "0", bearer: str = FeeBearer.MERCHANT, **fields: Decimal
) -> PaymentMethod:
    return PaymentMethod(name="x", fee_type=fee_type, fee_amount=Decimal(fee), bearer=bearer, **fields)


@pytest.mark.parametrize(
    ("fee_type", "fee", "amount", "expected"),
    [
        ("none", "5", 1000, 0), ("fixed", "4000", 150_000, 4000), ("fixed", "4000", 3000, 3000),
        ("percent", "0.7", 150_000, 1050), ("percent", "0.7", 100, 1), ("percent", "1.5", 33, 0),
        ("percent", "150", 10, 10),
    ],
)  # fmt: skip
def test_fee(fee_type: str, fee: str, amount: int, expected: int) -> None:
    assert fee_of(method(fee_type, fee), Decimal(amount)) == expected


def test_borne_by_us_the_customer_pays_the_price() -> None:
    assert ask_for(method("percent", "2"), Decimal(100_000)) == Ask(Decimal(100_000), Decimal(2000), False)


def test_borne_by_the_customer_it_is_grossed_up() -> None:
    assert ask_for(method("fixed", "4000", "customer"), Decimal(100_000)) == Ask(Decimal(104_000), Decimal(4000), True)
    assert ask_for(method("percent", "2", "customer"), Decimal(98_000)) == Ask(Decimal(100_000), Decimal(2000), True)
    with pytest.raises(ValueError, match="100 percent"):
        ask_for(method("percent", "100", "customer"), Decimal(1))


@given(st.integers(1, 10**9), st.decimals("0", "50", places=2))
def test_the_price_arrives_whatever_the_percent(price: int, percent: Decimal) -> None:
    way = method("percent", str(percent), "customer")
    ask = ask_for(way, Decimal(price))
    assert ask.amount - ask.fee == price
    assert abs(fee_of(way, ask.amount) - ask.fee) <= 1


def test_limits() -> None:
    way = method(minimum=Decimal(10), maximum=Decimal(100))
    for amount in (10, 55, 100):
        limits_check(way, Decimal(amount))
    for amount, code in ((9, "payment.too_small"), (101, "payment.too_large")):
        with pytest.raises(DomainError) as refusal:
            limits_check(way, Decimal(amount))
        assert refusal.value.code == code
        assert "IDR" in refusal.value.fields["amount"]
