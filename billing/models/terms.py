"""How a service is billed: defaults on the plan, frozen and adjustable on each subscription."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.choices import BillingMode, DiscountKind, FirstBill, PeriodMode, TaxMode
from core.fields import AmountField
from core.money import quantise

LAST_DAY = 31  # "the last day of the month", whatever its number


class BillingTerms(models.Model):
    """Terms shared by Plan (defaults) and Subscription (what holds). A plan's change never touches subscriptions."""

    billing_mode = models.CharField(
        _("billing"), max_length=10, choices=BillingMode.choices, default=BillingMode.PREPAID,
        db_default=BillingMode.PREPAID,
    )  # fmt: skip
    period_mode = models.CharField(
        _("period"), max_length=10, choices=PeriodMode.choices, default=PeriodMode.ROLLING,
        db_default=PeriodMode.ROLLING,
    )  # fmt: skip
    period_months = models.PositiveSmallIntegerField(
        _("months per bill"), default=1, db_default=1, validators=[MinValueValidator(1), MaxValueValidator(24)]
    )
    fixed_day = models.PositiveSmallIntegerField(
        _("day of the month"), default=1, db_default=1, validators=[MinValueValidator(1), MaxValueValidator(LAST_DAY)],
        help_text=_("1 to 28, or 31 for the last day; only for the fixed day."),
    )  # fmt: skip
    first_bill = models.CharField(
        _("first part of a month"), max_length=10, choices=FirstBill.choices, default=FirstBill.SEPARATE,
        db_default=FirstBill.SEPARATE,
    )  # fmt: skip
    due_days = models.PositiveSmallIntegerField(
        _("days to pay"), default=0, db_default=0, validators=[MaxValueValidator(90)],
        help_text=_("After the start of the period (prepaid) or after the bill (postpaid)."),
    )  # fmt: skip
    grace_days = models.PositiveSmallIntegerField(
        _("days of grace"), default=3, db_default=3, validators=[MaxValueValidator(90)],
        help_text=_("Overdue, but still open."),
    )  # fmt: skip
    tax_mode = models.CharField(
        _("tax"), max_length=10, choices=TaxMode.choices, default=TaxMode.NONE, db_default=TaxMode.NONE
    )
    late_fee_kind = models.CharField(
        _("late fee in"), max_length=10, choices=DiscountKind.choices, default=DiscountKind.AMOUNT,
        db_default=DiscountKind.AMOUNT,
    )  # fmt: skip
    late_fee = AmountField(_("late fee"), default=0, db_default=0, validators=[MinValueValidator(0)])
    late_fee_days = models.PositiveSmallIntegerField(
        _("late fee after days"), default=7, db_default=7, validators=[MaxValueValidator(90)],
        help_text=_("After the due date, once per bill."),
    )  # fmt: skip

    is_auto_renewed = models.BooleanField(
        _("pay from balance by itself"), default=True, db_default=True,
        help_text=_("New bills are paid at once with the money the customer has with us."),
    )  # fmt: skip

    class Meta:
        abstract = True


def late_fee_rule(name: str) -> models.CheckConstraint:
    """An amount that was left when the kind became percent would be a hundred times the bill."""
    return models.CheckConstraint(
        condition=~Q(late_fee_kind="percent") | Q(late_fee__lte=100), name=name,
        violation_error_message=_("At most 100 percent."),
    )  # fmt: skip


TERMS_FIELDS = tuple(field.name for field in BillingTerms._meta.local_fields)


class TaxRate(models.Model):
    """PPN by date: the newest rate that began on or before the day of the bill holds."""

    name = models.CharField(_("name"), max_length=30, default="PPN")
    percent = models.DecimalField(
        _("percent"), max_digits=6, decimal_places=3, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    valid_from = models.DateField(_("from"), unique=True)

    class Meta:
        verbose_name = _("tax rate")
        verbose_name_plural = _("tax rates")
        ordering = ["-valid_from"]

    def __str__(self) -> str:
        return f"{self.name} {self.percent.normalize():f} %"


class PrepayDiscount(models.Model):
    """Pay several months at once, pay less."""

    plan = models.ForeignKey("billing.Plan", on_delete=models.CASCADE, related_name="prepay_discounts")
    months = models.PositiveSmallIntegerField(_("months"), validators=[MinValueValidator(2), MaxValueValidator(24)])
    percent = models.DecimalField(
        _("discount (%)"), max_digits=5, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )

    class Meta:
        verbose_name = _("prepay discount")
        verbose_name_plural = _("prepay discounts")
        ordering = ["months"]
        constraints = [models.UniqueConstraint(fields=["plan", "months"], name="billing_prepay_once")]

    def __str__(self) -> str:
        return f"{self.months}: {self.percent} %"


class Coupon(models.Model):
    """A discount somebody can enter: for so many bills of one subscription, so many times in all."""

    code = models.CharField(_("code"), max_length=30, unique=True)
    kind = models.CharField(_("discount in"), max_length=10, choices=DiscountKind.choices)
    value = AmountField(_("discount"), validators=[MinValueValidator(1)])
    bills = models.PositiveSmallIntegerField(
        _("bills"), default=1, validators=[MinValueValidator(1), MaxValueValidator(120)]
    )
    valid_from = models.DateField(_("from"), null=True, blank=True)
    valid_until = models.DateField(_("to"), null=True, blank=True)
    max_uses = models.PositiveIntegerField(_("uses in all"), null=True, blank=True)
    used = models.PositiveIntegerField(_("used"), default=0, editable=False)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(max_uses=None) | Q(used__lte=models.F("max_uses")), name="billing_coupon_uses"
            ),
            models.CheckConstraint(condition=~Q(kind="percent") | Q(value__lte=100), name="billing_coupon_percent"),
        ]

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        """Part of a currency's unit can stand on no bill."""
        if self.kind == DiscountKind.AMOUNT and self.value is not None and self.value != quantise(self.value):
            raise ValidationError({"value": _("Write an amount without decimals: the currency has none.")})
