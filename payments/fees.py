"""Rules of a payment method: what it costs, who bears that, and how small and large a payment may be. No database."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from core.errors import DomainError
from core.formats import money
from core.money import quantise
from payments.choices import FeeBearer, FeeType
from payments.models import PaymentMethod

ZERO, HUNDRED = Decimal(0), Decimal(100)


@dataclass(frozen=True)
class Ask:
    """What the customer is asked to pay for a price, and the fee the provider keeps of it."""

    amount: Decimal
    fee: Decimal
    is_borne_by_customer: bool


def fee_of(method: PaymentMethod, amount: Decimal) -> Decimal:
    """The provider's fee on a payment of `amount`; never more than the payment itself."""
    if method.fee_type == FeeType.FIXED:
        return min(quantise(method.fee_amount), amount)
    if method.fee_type == FeeType.PERCENT:
        return min(quantise(amount * method.fee_amount / HUNDRED), amount)
    return ZERO


def ask_for(method: PaymentMethod, price: Decimal) -> Ask:
    """What to ask for `price`. Where the customer bears the fee it is grossed up, so that the price itself arrives.

    Raises DomainError when the amount is outside the method's limits, ValueError for a fee of 100 percent or more.
    """
    if method.bearer != FeeBearer.CUSTOMER or method.fee_type == FeeType.NONE:
        limits_check(method, price)
        return Ask(price, fee_of(method, price), is_borne_by_customer=False)
    if method.fee_type == FeeType.FIXED:
        amount = price + quantise(method.fee_amount)
    else:
        if method.fee_amount >= HUNDRED:
            raise ValueError("a fee of 100 percent leaves nothing")
        amount = quantise(price * HUNDRED / (HUNDRED - method.fee_amount))
    limits_check(method, amount)
    return Ask(amount, amount - price, is_borne_by_customer=True)


def limits_check(method: PaymentMethod, amount: Decimal) -> None:
    """Raises DomainError (`payment.too_small`, `payment.too_large`) with the limit in words."""
    if method.minimum is not None and amount < method.minimum:
        message = _("At least %(amount)s with this method.") % {"amount": money(method.minimum)}
        raise DomainError("payment.too_small", message, fields={"amount": message})
    if method.maximum is not None and amount > method.maximum:
        message = _("At most %(amount)s with this method.") % {"amount": money(method.maximum)}
        raise DomainError("payment.too_large", message, fields={"amount": message})
