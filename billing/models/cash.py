"""People who hold our money: agents and cashiers; and money that goes out."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.choices import ShiftStatus
from billing.models.asked import AskedChange
from core.fields import AmountField
from customers.models import Customer
from locations.models import Location


class Agent(models.Model):
    """Somebody who resells: pays a deposit, gets vouchers, keeps a commission. His login sees only what is his.

    `balance` is what we hold of him: the sum of postings on his account, kept by the database like a customer's.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, verbose_name=_("login"), on_delete=models.PROTECT, related_name="agent"
    )
    name = models.CharField(_("name"), max_length=120, unique=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    location = models.ForeignKey(
        Location, verbose_name=_("location"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    commission_percent = models.DecimalField(
        _("commission (%)"), max_digits=5, decimal_places=2, default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )  # fmt: skip
    credit_limit = AmountField(
        _("credit limit"), default=0, validators=[MinValueValidator(0)],
        help_text=_("How far his deposit may go below zero."),
    )  # fmt: skip
    balance = AmountField(_("deposit"), default=0, db_default=0, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        ordering = ["name"]
        constraints = [
            # how far he really goes below zero is kept by a trigger: used codes may pass it (`billing.ledger.guards`)
            models.CheckConstraint(condition=Q(credit_limit__gte=0), name="billing_agent_limit"),
        ]

    def __str__(self) -> str:
        return self.name


class CashShift(models.Model):
    """A cashier's drawer from opening to hand-over. `expected` is what the ledger says lay in it when it was counted."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("cashier"), on_delete=models.PROTECT, related_name="+"
    )
    location = models.ForeignKey(
        Location, verbose_name=_("location"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    status = models.CharField(_("status"), max_length=12, choices=ShiftStatus.choices, default=ShiftStatus.OPEN)
    opened_at = models.DateTimeField(_("opened"))
    opening_amount = AmountField(_("in the drawer at opening"))
    counted_at = models.DateTimeField(_("counted at"), null=True)
    counted_amount = AmountField(_("counted"), null=True)
    expected_amount = AmountField(_("expected"), null=True)
    handed_over_at = models.DateTimeField(_("handed over at"), null=True)
    handed_over_amount = AmountField(_("handed over"), null=True)
    handed_over_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("to"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("cash shift")
        verbose_name_plural = _("cash shifts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(status="open"), name="billing_shift_one_open"),
            models.CheckConstraint(
                condition=Q(status="open", counted_at=None)
                | Q(
                    status__in=["counted", "handed_over"], counted_at__isnull=False, counted_amount__isnull=False,
                    expected_amount__isnull=False,
                ),
                name="billing_shift_counted",
            ),
            models.CheckConstraint(
                condition=~Q(status="handed_over")
                | Q(handed_over_at__isnull=False, handed_over_amount__isnull=False),
                name="billing_shift_handed_over",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["user", "-id"], name="billing_shift_user")]

    def __str__(self) -> str:
        return f"{self.user} {self.opened_at:%Y-%m-%d}"

    @property
    def difference(self) -> object:
        """Counted minus expected; None until counted."""
        if self.counted_amount is None or self.expected_amount is None:
            return None
        return self.counted_amount - self.expected_amount


class ExpenseCategory(models.Model):
    code = models.CharField(
        _("code"), max_length=40, unique=True,
        validators=[RegexValidator(r"^[a-z0-9_]+$", _("Only a-z, 0-9 and _."))],
    )  # fmt: skip
    name = models.CharField(_("name"), max_length=80)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("expense category")
        verbose_name_plural = _("expense categories")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Expense(models.Model):
    """Money that went out. Posted when it is written; corrected by a reversing entry (`reversed_at`)."""

    category = models.ForeignKey(
        ExpenseCategory, verbose_name=_("category"), on_delete=models.PROTECT, related_name="+"
    )
    location = models.ForeignKey(
        Location, verbose_name=_("location"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    amount = AmountField(_("amount"), validators=[MinValueValidator(1)])
    spent_on = models.DateField(_("day"))
    paid_from = models.CharField(_("paid from"), max_length=60, help_text=_("A cash drawer or a bank account."))
    note = models.CharField(_("note"), max_length=300, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("written by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("written"), auto_now_add=True)
    reversed_at = models.DateTimeField(_("taken back"), null=True, blank=True, editable=False)
    request_key = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = _("expense")
        verbose_name_plural = _("expenses")
        ordering = ["-id"]
        indexes = [models.Index(fields=["-spent_on", "-id"], name="billing_expense_day")]

    def __str__(self) -> str:
        return f"{self.category} {self.amount}"


class Adjustment(AskedChange):
    """A manual correction of what a customer owes or has; above a limit a second person decides.

    `amount` is signed as the customer feels it: positive is in his favour.
    """

    noun = "adjustment"

    customer = models.ForeignKey(Customer, verbose_name=_("customer"), on_delete=models.PROTECT, related_name="+")

    class Meta(AskedChange.Meta):
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")

    def __str__(self) -> str:
        return f"{self.customer_id} {self.amount}"
