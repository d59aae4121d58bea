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


# more states come with the gateways; money that was confirmed never becomes unconfirmed, it is refunded
PAYMENT_MOVES: dict[str, frozenset[str]] = {
    PaymentStatus.PENDING: frozenset({PaymentStatus.CONFIRMED, PaymentStatus.CANCELLED}),
    PaymentStatus.CONFIRMED: frozenset(),
    PaymentStatus.CANCELLED: frozenset({PaymentStatus.CONFIRMED}),
}
