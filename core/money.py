"""Money: `Decimal` with one rounding function. No float ever touches an amount.

One currency per installation (`settings.CURRENCY`); its exponent decides the smallest unit (ISO 4217:
IDR has two decimals on paper, none in practice, so amounts are whole rupiah).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import DomainError

EXPONENTS = {"IDR": 0, "JPY": 0, "VND": 0, "KRW": 0}
DEFAULT_EXPONENT = 2
LARGEST_AMOUNT = Decimal("9999999999999999.99")  # numeric(18,2)


def unit(currency: str | None = None) -> Decimal:
    """The smallest amount of the currency: `Decimal("1")` for IDR, `Decimal("0.01")` for USD."""
    exponent = EXPONENTS.get(currency or settings.CURRENCY, DEFAULT_EXPONENT)
    return Decimal(1).scaleb(-exponent)


def quantise(amount: Decimal | int | str, currency: str | None = None) -> Decimal:
    """Round half up to the currency's unit; the only rounding in the product.

    Raises DomainError when the value is not a finite amount that fits `numeric(18,2)`.
    """
    if isinstance(amount, float):
        raise TypeError("amounts are Decimal, int or str, never float")
    try:
        value = Decimal(amount)
    except (ArithmeticError, ValueError):
        raise DomainError("money.invalid", _("This is not an amount of money.")) from None
    if not value.is_finite() or abs(value) > LARGEST_AMOUNT:
        raise DomainError("money.invalid", _("This is not an amount of money."))
    return value.quantize(unit(currency), rounding=ROUND_HALF_UP)


def exact(amount: Decimal | int | str, currency: str | None = None) -> Decimal:
    """The amount as it was written, never rounded: half a rupiah in a form is a typing mistake, not a number to guess.

    Raises DomainError like `quantise`, and `money.fraction` for parts the currency does not have.
    """
    value = quantise(amount, currency)
    if value != Decimal(amount):
        raise DomainError("money.fraction", _("The currency has no such fraction: write a whole amount."))
    return value


def allocate(total: Decimal, weights: Sequence[int | Decimal], currency: str | None = None) -> list[Decimal]:
    """Split `total` in proportion to `weights` by largest remainder: the parts always sum to `total`.

    Ties go to the earlier part. Raises ValueError for no weights, a negative one, or a sum of zero.
    """
    ratios = [Decimal(weight) for weight in weights]
    if not ratios or any(ratio < 0 for ratio in ratios) or not sum(ratios):
        raise ValueError("weights must be non-negative and not all zero")
    step = unit(currency)
    total = quantise(total, currency)
    sign = -1 if total < 0 else 1
    units = int(abs(total) / step)
    exact = [units * ratio / sum(ratios) for ratio in ratios]
    parts = [int(share) for share in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for index in by_remainder[: units - sum(parts)]:
        parts[index] += 1
    return [sign * part * step for part in parts]
