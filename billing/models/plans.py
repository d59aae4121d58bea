"""What is sold."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.choices import PlanType, ValidityFrom
from billing.models.terms import BillingTerms, late_fee_rule
from core.fields import AmountField
from locations.models import Location, RouterProfile

TEN_YEARS = 10 * 366 * 86400


class Plan(BillingTerms):
    """A product with its price and its rules [profiles]. Price changes never touch vouchers already made.

    `price_sell` is per voucher, or per month of a subscription; the terms are what a new subscription starts with.
    """

    name = models.CharField(_("name"), max_length=60, unique=True)
    type = models.CharField(_("type"), max_length=10, choices=PlanType.choices, default=PlanType.HOTSPOT)
    price_sell = AmountField(_("selling price"), validators=[MinValueValidator(0)])
    price_cost = AmountField(_("cost price"), default=0, validators=[MinValueValidator(0)])
    duration_seconds = models.PositiveBigIntegerField(
        _("validity"), null=True, blank=True, validators=[MinValueValidator(10), MaxValueValidator(TEN_YEARS)],
        help_text=_("Calendar time; empty: no end."),
    )  # fmt: skip
    validity_from = models.CharField(
        _("validity counts from"), max_length=12, choices=ValidityFrom.choices, default=ValidityFrom.FIRST_LOGIN
    )
    rate_limit = models.CharField(_("speed limit"), max_length=120, blank=True)
    shared_users = models.PositiveSmallIntegerField(
        _("devices at once"), default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    uptime_limit_seconds = models.PositiveBigIntegerField(_("online time limit"), null=True, blank=True)
    data_limit_bytes = models.PositiveBigIntegerField(_("data limit"), null=True, blank=True)
    idle_timeout_seconds = models.PositiveIntegerField(_("idle timeout"), null=True, blank=True)
    keepalive_timeout_seconds = models.PositiveIntegerField(_("keepalive timeout"), null=True, blank=True)
    address_pool = models.CharField(_("address pool"), max_length=64, blank=True)
    is_mac_locked = models.BooleanField(_("lock to first device"), default=False)
    is_active = models.BooleanField(_("on sale"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(price_sell__gte=0, price_cost__gte=0), name="billing_plan_prices"),
            late_fee_rule("billing_plan_late_fee"),
        ]

    def __str__(self) -> str:
        return self.name


class PlanLocation(models.Model):
    """A plan published to a location, and the router profile it has there (the spec's per-router id)."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="publications")
    location = models.ForeignKey(Location, verbose_name=_("location"), on_delete=models.PROTECT, related_name="+")
    profile = models.OneToOneField(RouterProfile, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "location"], name="billing_plan_published_once")]

    def __str__(self) -> str:
        return f"{self.plan} @ {self.location}"
