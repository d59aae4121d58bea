"""States of payments and the legal moves between them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class MethodKind(models.TextChoices):
    CASH = "cash", _("cash, taken by staff")


class FeeType(models.TextChoices):
    NONE = "none", _("no fee")
    FIXED = "fixed", _("fixed amount")
    PERCENT = "percent", _("percent")


class FeeBearer(models.TextChoices):
    MERCHANT = "merchant", _("we")
    CUSTOMER = "customer", _("the customer")


class PaymentStatus(models.TextChoices):
    PENDING = "pending", _("waiting for payment")
    CONFIRMED = "confirmed", _("paid")
    CANCELLED = "cancelled", _("cancelled")
    REVERSED = "reversed", _("taken back")


# with these its money is in the ledger: a payment that was taken back has the entry and the one that takes it back
ARRIVED = (PaymentStatus.CONFIRMED, PaymentStatus.REVERSED)
# more states come with the gateways; money that was confirmed never becomes unconfirmed: it is refunded, and what was
# booked by mistake is taken back
PAYMENT_MOVES: dict[str, frozenset[str]] = {
    PaymentStatus.PENDING: frozenset({PaymentStatus.CONFIRMED, PaymentStatus.CANCELLED}),
    PaymentStatus.CONFIRMED: frozenset({PaymentStatus.REVERSED}),
    PaymentStatus.REVERSED: frozenset(),
    PaymentStatus.CANCELLED: frozenset({PaymentStatus.CONFIRMED}),
}
