"""Amounts that people type. One check for payments, refunds, adjustments, expenses, deposits and counted drawers."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from billing.choices import DiscountKind
from core.errors import DomainError
from core.money import exact, quantise

# a thousand thousand million: far above any bill, and sums of it still fit the columns
LARGEST_TYPED = Decimal(10**12)


def amount_positive(amount: Decimal | int | str, *, field: str = "amount") -> Decimal:
    """More than nothing. Refuses 0, negative, not finite, fractions the currency does not have, and absurd sizes."""
    return _checked(amount, field, Decimal(0), _("Write an amount of money above 0."), is_zero_fine=False)


def amount_not_negative(amount: Decimal | int | str, *, field: str = "amount") -> Decimal:
    """0 or more: what was counted in a drawer, a credit limit."""
    return _checked(amount, field, Decimal(0), _("Write an amount of money, 0 or more."), is_zero_fine=True)


def amount_signed(amount: Decimal | int | str, *, field: str = "amount") -> Decimal:
    """Anything but 0."""
    return _checked(amount, field, -LARGEST_TYPED, _("Write an amount of money that is not 0."), is_zero_fine=False)


def late_fee_checked(kind: str, fee: Decimal | int | str | None) -> Decimal:
    """A fee in percent of what is open: at most 100, two decimals; an amount: whole units. Raises DomainError (`late_fee`)."""
    message = _("Write an amount of money.")
    try:
        value = Decimal(str(fee))
        if kind == DiscountKind.PERCENT:
            message = _("A late fee in percent is 0 to 100.")
            value = value.quantize(Decimal("0.01"))
            is_right = 0 <= value <= 100
        else:
            value = quantise(value)
            is_right = value >= 0
    except (ArithmeticError, DomainError):
        is_right = False
    if not is_right:
        raise DomainError("terms.late_fee", message, fields={"late_fee": message})
    return value


def _checked(
    amount: Decimal | int | str, field: str, smallest: Decimal, message: str, *, is_zero_fine: bool
) -> Decimal:
    try:
        value = exact(amount)
    except DomainError as error:
        raise DomainError(error.code, error.message, fields={field: error.message}) from None
    if abs(value) > LARGEST_TYPED:
        message = _("This amount is too large.")
        raise DomainError("money.too_large", message, fields={field: message})
    if value < smallest or (value == 0 and not is_zero_fine):
        raise DomainError("money.amount", message, fields={field: message})
    return value
