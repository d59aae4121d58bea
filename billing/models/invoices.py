"""Bills. Open ones never change: a trigger refuses everything but their settlement; corrections are credit notes."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.choices import InvoiceKind, InvoiceStatus, LineKind, RunStatus, TaxMode
from billing.models.ledger import JournalEntry
from billing.models.plans import Plan
from billing.models.subscriptions import Subscription
from core.fields import AmountField
from customers.models import Customer
from locations.models import Location


def new_token() -> str:
    """What makes a pay link unguessable: 128 random bits."""
    return secrets.token_urlsafe(16)


class Invoice(models.Model):
    """A bill to a customer, or a credit note for one.

    A draft has no number, no ledger entry and no page for the customer; it may be changed or thrown away.
    `number` is given when it opens, without gaps in its series. `source` names the cause ("sub:12:2026-11-01"): the same
    cause cannot be billed twice. `settled_amount` is the sum of its allocations, kept by a trigger; an invoice is paid
    when it equals `total`. All amounts of a credit note are positive; it lowers what its invoice `credits` asks.
    """

    kind = models.CharField(_("kind"), max_length=12, choices=InvoiceKind.choices, default=InvoiceKind.INVOICE)
    series = models.CharField(_("series"), max_length=20, default="INV")
    number = models.CharField(_("number"), max_length=40, unique=True, null=True)  # noqa: DJ001  # drafts have none
    status = models.CharField(_("status"), max_length=8, choices=InvoiceStatus.choices, default=InvoiceStatus.DRAFT)
    customer = models.ForeignKey(
        Customer, verbose_name=_("customer"), on_delete=models.PROTECT, related_name="invoices", db_index=False
    )
    subscription = models.ForeignKey(
        Subscription, verbose_name=_("subscription"), null=True, blank=True, on_delete=models.PROTECT,
        related_name="invoices", db_index=False,
    )  # fmt: skip
    location = models.ForeignKey(
        Location, verbose_name=_("location"), null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip
    credits = models.ForeignKey(
        "self", verbose_name=_("credits"), null=True, blank=True, on_delete=models.PROTECT, related_name="credit_notes"
    )
    source = models.CharField(max_length=120, unique=True)
    token = models.CharField(max_length=40, unique=True, default=new_token)
    currency = models.CharField(max_length=3)
    issued_on = models.DateField(_("issued"), null=True)
    due_on = models.DateField(_("due"), null=True)
    period_start = models.DateField(_("from"), null=True, blank=True)
    period_end = models.DateField(_("to"), null=True, blank=True, help_text="the first day after the period")
    subtotal = AmountField(_("subtotal"), default=0)
    tax_amount = AmountField(_("tax"), default=0)
    total = AmountField(_("total"), default=0)
    settled_amount = AmountField(_("settled"), default=0)
    tax_mode = models.CharField(
        max_length=9, choices=TaxMode.choices, blank=True, default="", db_default="", help_text="of a draft only"
    )
    note = models.CharField(_("note"), max_length=300, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    opened_at = models.DateTimeField(_("opened"), null=True)
    closed_at = models.DateTimeField(_("closed"), null=True)

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="draft", number=None)
                | ~Q(status="draft")
                & Q(number__isnull=False, issued_on__isnull=False, due_on__isnull=False, opened_at__isnull=False),
                name="billing_invoice_opened",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "open"], closed_at=None)
                | Q(status__in=["paid", "void"], closed_at__isnull=False),
                name="billing_invoice_closed",
            ),
            models.CheckConstraint(
                condition=Q(total__gte=0, tax_amount__gte=0, total=F("subtotal") + F("tax_amount")),
                name="billing_invoice_sum",
            ),
            models.CheckConstraint(
                condition=Q(settled_amount__gte=0, settled_amount__lte=F("total")), name="billing_invoice_settled"
            ),
            models.CheckConstraint(
                condition=~Q(status="paid") | Q(settled_amount=F("total")), name="billing_invoice_paid"
            ),
            models.CheckConstraint(
                condition=Q(kind="invoice", credits=None) | Q(kind="credit_note", credits__isnull=False),
                name="billing_invoice_credits",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-id"], name="billing_invoice_customer"),
            models.Index(fields=["status", "-id"], name="billing_invoice_status"),
            models.Index(fields=["location", "-id"], name="billing_invoice_place"),
            models.Index(fields=["customer", "due_on"], name="billing_invoice_open", condition=Q(status="open")),
            models.Index(fields=["due_on", "id"], name="billing_invoice_due", condition=Q(status="open")),
            models.Index(
                fields=["subscription", "due_on"], name="billing_invoice_of_service", condition=Q(status="open")
            ),
        ]

    def __str__(self) -> str:
        return self.number or gettext("Draft #%(id)s") % {"id": self.pk}


class InvoiceLine(models.Model):
    """One line. `amount` is without tax; from `details` (names, days, rates) `billing.words` explains it in either language."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=LineKind.choices)
    text = models.CharField(
        _("text"), max_length=200, blank=True, help_text="as written by a person; else from details"
    )
    details = models.JSONField(default=dict)
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=3, default=1)
    amount = AmountField(_("amount"))
    tax_percent = models.DecimalField(max_digits=6, decimal_places=3, default=0)
    tax_amount = AmountField(_("tax"), default=0)
    account = models.CharField(max_length=60, help_text="income account of the ledger")
    plan = models.ForeignKey(Plan, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    subscription = models.ForeignKey(
        Subscription, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    earned_from = models.DateField(null=True, help_text="several months paid ahead: income month by month from here")
    earned_months = models.PositiveSmallIntegerField(default=1)

    class Meta:
        verbose_name = _("invoice line")
        verbose_name_plural = _("invoice lines")
        ordering = ["invoice_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="billing_line_position"),
        ]
        indexes = [
            models.Index(fields=["earned_from"], name="billing_line_unearned", condition=Q(earned_months__gt=1)),
        ]

    def __str__(self) -> str:
        return self.text or self.kind


class Allocation(models.Model):
    """Money of one journal entry that settles part of one invoice; negative when it was taken back. Only grows."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations", db_index=False)
    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="allocations")
    amount = AmountField(_("amount"))
    at = models.DateTimeField(_("when"))

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "entry"], name="billing_allocation_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="billing_allocation_not_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id}: {self.amount}"


class BillingRun(models.Model):
    """A long run over many rows (a night, a mass isolation, a hundred thousand bills), with progress and cancel."""

    kind = models.CharField(_("kind"), max_length=30)
    location = models.ForeignKey(
        Location, verbose_name=_("location"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    day = models.DateField(_("day"), null=True)
    params = models.JSONField(default=dict)
    status = models.CharField(_("status"), max_length=10, choices=RunStatus.choices, default=RunStatus.QUEUED)
    done = models.PositiveIntegerField(_("done"), default=0)
    total = models.PositiveIntegerField(_("of"), default=0)
    outcome = models.JSONField(default=dict, help_text="counts by what was done")
    is_cancel_requested = models.BooleanField(default=False)
    error = models.CharField(_("problem"), max_length=300, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    request_key = models.CharField(max_length=80, unique=True, null=True)  # noqa: DJ001  # NULLs are distinct

    class Meta:
        verbose_name = _("billing run")
        verbose_name_plural = _("billing runs")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"
