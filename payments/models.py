"""How it is paid. A payment is an attempt apart from the invoice; money moves in the ledger when it is confirmed."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice, JournalEntry, Subscription
from billing.models.asked import AskedChange
from core.fields import AmountField
from customers.models import Customer
from locations.models import Location
from payments.choices import FeeBearer, FeeType, MethodKind, PaymentStatus

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_reference() -> str:
    """Random, never from a sequence: nobody can guess the next one, or count our customers by it."""
    return "P" + "".join(secrets.choice(ALPHABET) for _i in range(13))


class PaymentMethod(models.Model):
    """A way to pay [payment_methods]. Gateways bring their plugin with them later; cash needs none."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=MethodKind.choices, default=MethodKind.CASH)
    fee_type = models.CharField(_("fee"), max_length=10, choices=FeeType.choices, default=FeeType.NONE)
    fee_amount = AmountField(_("fee amount or percent"), default=0, validators=[MinValueValidator(0)])
    bearer = models.CharField(
        _("who bears the fee"), max_length=10, choices=FeeBearer.choices, default=FeeBearer.MERCHANT
    )
    minimum = AmountField(_("smallest amount"), null=True, blank=True, validators=[MinValueValidator(0)])
    maximum = AmountField(_("largest amount"), null=True, blank=True, validators=[MinValueValidator(0)])
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("payment method")
        verbose_name_plural = _("payment methods")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Payment(models.Model):
    """Money a customer gives, or tries to [payments: customer, subscription, amount, method, status, reference, …].

    `entry` is there exactly when it is confirmed, also after it was taken back (`reversals`). What it settled are the
    entry's allocations; the rest is in the customer's balance. `request_key` makes a form that was sent twice one payment.
    """

    customer = models.ForeignKey(
        Customer, verbose_name=_("customer"), on_delete=models.PROTECT, related_name="payments", db_index=False
    )
    subscription = models.ForeignKey(
        Subscription, verbose_name=_("subscription"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    invoice = models.ForeignKey(
        Invoice, verbose_name=_("invoice"), null=True, blank=True, on_delete=models.PROTECT, related_name="payments"
    )
    location = models.ForeignKey(
        Location, verbose_name=_("location"), null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    method = models.ForeignKey(PaymentMethod, verbose_name=_("method"), on_delete=models.PROTECT, related_name="+")
    amount = AmountField(_("amount"), validators=[MinValueValidator(0)])
    status = models.CharField(_("status"), max_length=10, choices=PaymentStatus.choices, default=PaymentStatus.PENDING)
    reference = models.CharField(_("reference"), max_length=40, unique=True, default=new_reference)
    entry = models.OneToOneField(JournalEntry, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("taken by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.CharField(_("note"), max_length=300, blank=True)
    request_key = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001  # NULLs are distinct
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payments_payment_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["confirmed", "reversed"], confirmed_at__isnull=False, entry__isnull=False)
                | ~Q(status__in=["confirmed", "reversed"]) & Q(confirmed_at=None, entry=None),
                name="payments_payment_confirmed",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-id"], name="payments_payment_customer"),
            models.Index(fields=["status", "-id"], name="payments_payment_status"),
            models.Index(fields=["location", "-id"], name="payments_payment_place"),
            models.Index(fields=["received_by", "-id"], name="payments_payment_by"),
        ]

    def __str__(self) -> str:
        return self.reference


class Refund(models.Model):
    """Money given back of a confirmed payment: reserved by its row, so that the sum can never pass the payment."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = AmountField(_("amount"), validators=[MinValueValidator(1)])
    reason = models.CharField(_("reason"), max_length=300)
    entry = models.OneToOneField(JournalEntry, null=True, on_delete=models.PROTECT, related_name="+")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("when"))
    request_key = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="payments_refund_positive")]

    def __str__(self) -> str:
        return f"{self.payment_id}: {self.amount}"


class Reversal(AskedChange):
    """A payment that was booked by mistake is taken back; above a limit a second person decides.

    `amount` is what was left of the payment when it was asked. `entry` takes the payment's entry back, and is there
    exactly when it is posted. A payment has at most one that waits or is posted.
    """

    noun = "reversal"

    payment = models.ForeignKey(
        Payment, verbose_name=_("payment"), on_delete=models.PROTECT, related_name="reversals", db_index=False
    )
    entry = models.OneToOneField(JournalEntry, null=True, editable=False, on_delete=models.PROTECT, related_name="+")

    class Meta(AskedChange.Meta):
        verbose_name = _("payment taken back")
        verbose_name_plural = _("payments taken back")
        constraints = [
            *AskedChange.Meta.constraints,
            models.CheckConstraint(
                condition=Q(status="posted", entry__isnull=False) | ~Q(status="posted") & Q(entry=None),
                name="payments_reversal_posted",
            ),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(status__in=["waiting", "posted"]), name="payments_reversal_once"
            ),
        ]
        indexes = [*AskedChange.Meta.indexes, models.Index(fields=["payment"], name="payments_reversal_payment")]

    def __str__(self) -> str:
        return f"{self.payment_id}: {self.amount}"
