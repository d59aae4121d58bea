"""Prepaid codes: a batch, its vouchers, their sales and their history.

A voucher's accounts on routers are the `AccessAccount` rows of kind hotspot whose name is the code and whose tag is
`b<batch id>` (`vouchers.selectors.accounts_of`): several when the batch roams over locations.
"""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.choices import ValidityFrom
from billing.models import Agent, Plan
from core.fields import AmountField, EncryptedTextField
from locations.models import Location
from vouchers.choices import BatchStatus, CharacterSet, CodeMode, PushAt, VoucherStatus

MAX_QUANTITY = 100_000


class VoucherBatch(models.Model):
    """An order for vouchers. Price, cost and the plan's terms are frozen here when it is created."""

    name = models.CharField(_("name"), max_length=80)
    plan = models.ForeignKey(Plan, verbose_name=_("plan"), on_delete=models.PROTECT, related_name="+")
    locations = models.ManyToManyField(Location, verbose_name=_("locations"), through="BatchLocation", related_name="+")
    quantity = models.PositiveIntegerField(
        _("quantity"), validators=[MinValueValidator(1), MaxValueValidator(MAX_QUANTITY)]
    )
    prefix = models.CharField(
        _("prefix"), max_length=10, blank=True,
        validators=[RegexValidator(r"^[A-Z0-9-]*$", _("Capital letters, digits and - only."))],
    )  # fmt: skip
    length = models.PositiveSmallIntegerField(
        _("random characters"), default=8, validators=[MinValueValidator(4), MaxValueValidator(20)]
    )
    charset = models.CharField(
        _("characters"), max_length=12, choices=CharacterSet.choices, default=CharacterSet.UNAMBIGUOUS
    )
    mode = models.CharField(_("login"), max_length=10, choices=CodeMode.choices, default=CodeMode.SAME)
    push_at = models.CharField(_("put on the router"), max_length=10, choices=PushAt.choices, default=PushAt.CREATION)
    price = AmountField(_("price"))
    price_cost = AmountField(_("cost"))
    # what was printed and sold stays what it was: later changes of the plan do not reach these vouchers
    duration_seconds = models.PositiveBigIntegerField(_("validity"), null=True, blank=True)
    validity_from = models.CharField(
        _("validity counts from"), max_length=12, choices=ValidityFrom.choices, default=ValidityFrom.FIRST_LOGIN
    )
    uptime_limit_seconds = models.PositiveBigIntegerField(_("online time limit"), null=True, blank=True)
    data_limit_bytes = models.PositiveBigIntegerField(_("data limit"), null=True, blank=True)
    is_mac_locked = models.BooleanField(_("lock to first device"), default=False)
    status = models.CharField(_("status"), max_length=12, choices=BatchStatus.choices, default=BatchStatus.QUEUED)
    progress = models.PositiveIntegerField(_("generated"), default=0)
    is_cancel_requested = models.BooleanField(default=False)
    error = models.CharField(_("problem"), max_length=300, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    request_key = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001  # NULLs are distinct, blanks not
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("created by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("voucher batch")
        verbose_name_plural = _("voucher batches")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=MAX_QUANTITY), name="vouchers_batch_quantity"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def tag(self) -> str:
        """The last part of the comment its entries carry on routers."""
        return f"b{self.pk}"


class BatchLocation(models.Model):
    batch = models.ForeignKey(VoucherBatch, on_delete=models.CASCADE, related_name="+")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "location"], name="vouchers_batch_location_once")]

    def __str__(self) -> str:
        return f"{self.batch_id} @ {self.location_id}"


class Voucher(models.Model):
    """One code [vouchers: code, password, profile, status, created_at, valid_until, used_at]."""

    batch = models.ForeignKey(
        VoucherBatch, verbose_name=_("batch"), on_delete=models.PROTECT, related_name="+", db_index=False
    )
    plan = models.ForeignKey(Plan, verbose_name=_("plan"), on_delete=models.PROTECT, related_name="+", db_index=False)
    code = models.CharField(_("code"), max_length=40, unique=True)
    password = EncryptedTextField(_("password"), null=True, blank=True)
    agent = models.ForeignKey(
        Agent, verbose_name=_("agent"), null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        db_index=False,
    )  # fmt: skip  # in whose stock it is, and stays after he sold it
    status = models.CharField(_("status"), max_length=8, choices=VoucherStatus.choices, default=VoucherStatus.NEW)
    created_at = models.DateTimeField(_("created"))
    sold_at = models.DateTimeField(_("sold"), null=True, blank=True)
    used_at = models.DateTimeField(_("first login"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("voucher")
        verbose_name_plural = _("vouchers")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["expired", "void"], ended_at__isnull=False)
                | Q(status__in=["new", "sold", "active"], ended_at__isnull=True),
                name="vouchers_voucher_ended",
            ),
            models.CheckConstraint(
                condition=~Q(status="sold") | Q(sold_at__isnull=False), name="vouchers_voucher_sold"
            ),
            models.CheckConstraint(
                condition=~Q(status="active") | Q(used_at__isnull=False), name="vouchers_voucher_active"
            ),
        ]
        indexes = [
            models.Index(fields=["status", "-id"], name="vouchers_voucher_status"),
            models.Index(fields=["batch", "-id"], name="vouchers_voucher_batch"),
            models.Index(
                fields=["agent", "status", "-id"], name="vouchers_voucher_agent", condition=Q(agent__isnull=False)
            ),
            models.Index(
                fields=["-id"], name="vouchers_voucher_unsold", condition=Q(used_at__isnull=False, sold_at=None)
            ),
            models.Index(
                fields=["valid_until"], name="vouchers_voucher_due", condition=Q(status__in=["sold", "active"])
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_used_unsold(self) -> bool:
        """A guest used it and nobody recorded a sale: money is missing, or it was given away and nobody said so."""
        return self.used_at is not None and self.sold_at is None and self.status != VoucherStatus.VOID


class VoucherLocation(models.Model):
    """Where a voucher is good when that is no longer where its batch is: it was moved by a person."""

    voucher = models.ForeignKey(Voucher, on_delete=models.CASCADE, related_name="+")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["voucher", "location"], name="vouchers_voucher_location_once")]

    def __str__(self) -> str:
        return f"{self.voucher_id} @ {self.location_id}"


class VoucherSale(models.Model):
    """A sale, or its undoing (`reverses`). Only grows; its money is the journal entry `voucher_sale:<id>`.

    `agent` is who sold it out of his stock and kept `commission`; without one, `seller` has `amount` in his drawer.
    An agent and no seller: a guest used it before anybody pressed "sell" (`is_by_use`).
    """

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="sales")
    amount = AmountField(_("amount"))
    cost = AmountField(_("cost"))
    agent = models.ForeignKey(
        Agent, verbose_name=_("agent"), null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    commission = AmountField(_("commission"), default=0, db_default=0)
    seller = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    sold_at = models.DateTimeField(_("when"))
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversal")
    request_key = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = _("voucher sale")
        verbose_name_plural = _("voucher sales")
        indexes = [
            models.Index(fields=["seller", "-id"], name="vouchers_sale_seller"),
            models.Index(fields=["agent", "-id"], name="vouchers_sale_agent", condition=Q(agent__isnull=False)),
            models.Index(fields=["sold_at"], name="vouchers_sale_when"),
        ]

    def __str__(self) -> str:
        return f"{self.voucher_id} {self.amount}"

    @property
    def is_by_use(self) -> bool:
        """The agent's code was used before he sold it, and his deposit paid for it."""
        return self.agent_id is not None and self.seller_id is None


class VoucherEvent(models.Model):
    """One line of a voucher's history: what happened, when, by whom (nobody: the system). Only grows."""

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20)
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.voucher_id}"
