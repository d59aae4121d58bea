"""Services that are paid for again and again, and what was agreed about them."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.choices import PlanChangeStatus, PlanType, PromiseStatus, SubscriptionStatus
from billing.models.plans import Plan
from billing.models.terms import BillingTerms, Coupon, late_fee_rule
from core.fields import AmountField, EncryptedTextField
from customers.models import Customer
from locations.models import AccessAccount, Location


class Subscription(BillingTerms):
    """A customer's service [subscriptions: customer, type, status, username, password, profile, expiry_date, mikrotik_synced].

    Days are days of the location's time zone. `billed_until` is the first day no bill covers yet: the next period
    starts there. `expiry_date` is the last day that is paid for. `account` is its login on the router; whether the
    router has it as wanted (`mikrotik_synced`) is `account.is_synced`, never a column here.
    """

    customer = models.ForeignKey(
        Customer, verbose_name=_("customer"), on_delete=models.PROTECT, related_name="subscriptions", db_index=False
    )
    plan = models.ForeignKey(
        Plan, verbose_name=_("plan"), on_delete=models.PROTECT, related_name="subscriptions", db_index=False
    )
    location = models.ForeignKey(
        Location, verbose_name=_("location"), on_delete=models.PROTECT, related_name="+", db_index=False
    )
    type = models.CharField(_("type"), max_length=10, choices=PlanType.choices)
    status = models.CharField(
        _("status"), max_length=10, choices=SubscriptionStatus.choices, default=SubscriptionStatus.DRAFT
    )
    username = models.CharField(_("user name"), max_length=64)
    password = EncryptedTextField(_("password"), null=True, blank=True)
    static_address = models.GenericIPAddressField(_("static address"), protocol="IPv4", null=True, blank=True)
    mac_address = models.CharField(_("MAC address (caller lock)"), max_length=17, blank=True)
    account = models.OneToOneField(
        AccessAccount, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    price = AmountField(
        _("own price"), null=True, blank=True, validators=[MinValueValidator(0)],
        help_text=_("Per month; empty: the plan's price."),
    )  # fmt: skip
    prepay_discounts = models.JSONField(
        _("own discounts for months ahead"), null=True, blank=True, editable=False,
        help_text="percent by months, as text; null: the plan's table",
    )  # fmt: skip
    started_on = models.DateField(_("started"), null=True, blank=True)
    billed_until = models.DateField(_("billed until"), null=True, blank=True, editable=False)
    expiry_date = models.DateField(_("paid until"), null=True, blank=True, editable=False)
    paused_on = models.DateField(_("paused since"), null=True, blank=True, editable=False)
    resume_on = models.DateField(_("comes back on"), null=True, blank=True, editable=False)
    ended_on = models.DateField(_("ended"), null=True, blank=True, editable=False)
    # a person ended the days of grace of what is overdue now; forgotten when nothing is overdue any more
    isolated_by_hand_on = models.DateField(_("isolated by hand"), null=True, blank=True, editable=False)
    note = models.CharField(_("note"), max_length=300, blank=True)
    request_key = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001  # NULLs are distinct
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        ordering = ["-id"]
        constraints = [
            late_fee_rule("billing_subscription_late_fee"),
            # one login name per router and kind, as long as the service lives
            models.UniqueConstraint(
                fields=["location", "type", "username"], condition=~Q(status="ended"), name="billing_subscription_login"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["active", "grace", "isolated", "paused"])
                | Q(started_on__isnull=False, billed_until__isnull=False),
                name="billing_subscription_started",
            ),
            models.CheckConstraint(
                condition=Q(status="paused", paused_on__isnull=False) | ~Q(status="paused") & Q(paused_on=None),
                name="billing_subscription_paused",
            ),
            models.CheckConstraint(
                condition=Q(status="ended", ended_on__isnull=False) | ~Q(status="ended") & Q(ended_on=None),
                name="billing_subscription_ended",
            ),
            models.CheckConstraint(
                condition=~Q(type="static") | Q(static_address__isnull=False), name="billing_subscription_static"
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-id"], name="billing_subscription_customer"),
            models.Index(fields=["username"], name="billing_subscription_username"),
            models.Index(fields=["status", "-id"], name="billing_subscription_status"),
            models.Index(fields=["plan", "-id"], name="billing_subscription_plan"),
            models.Index(fields=["location", "-id"], name="billing_subscription_place"),
            models.Index(
                fields=["location", "billed_until"], name="billing_subscription_bill",
                condition=Q(status__in=["active", "grace", "isolated"]),
            ),
            models.Index(
                fields=["location", "resume_on"], name="billing_subscription_resume", condition=Q(status="paused")
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.username


class SubscriptionPeriod(models.Model):
    """A span of days that was billed. Unique by (subscription, starts_on): no day is billed twice, however often it runs."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="periods", db_index=False)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"), help_text="the first day after it")
    invoice = models.ForeignKey("billing.Invoice", null=True, on_delete=models.PROTECT, related_name="periods")
    amount = AmountField(_("amount"))

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "starts_on"], name="billing_period_once"),
            models.CheckConstraint(condition=Q(ends_on__gt=models.F("starts_on")), name="billing_period_order"),
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.starts_on} – {self.ends_on}"


class SubscriptionEvent(models.Model):
    """One line of a subscription's history: what moved, when, by whom, why. Only grows."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="events", db_index=False)
    kind = models.CharField(max_length=30)
    from_status = models.CharField(max_length=10, blank=True)
    to_status = models.CharField(max_length=10, blank=True)
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["subscription", "-id"], name="billing_event_newest"),
            # who was cut off today: the landing page of staff
            models.Index(fields=["-at"], name="billing_event_isolated", condition=Q(to_status="isolated")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subscription_id}"


class Addon(models.Model):
    """Something more on each bill of a subscription: a public address, a rented device."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="addons")
    name = models.CharField(_("name"), max_length=120)
    amount = AmountField(_("per month"), validators=[MinValueValidator(1)])
    from_on = models.DateField(_("from"))
    until_on = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("add-on")
        verbose_name_plural = _("add-ons")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class Charge(models.Model):
    """A one-off amount (installation, a cable) that waits for the customer's next bill, or was billed at once."""

    customer = models.ForeignKey(Customer, verbose_name=_("customer"), on_delete=models.PROTECT, related_name="+")
    subscription = models.ForeignKey(
        Subscription, verbose_name=_("subscription"), null=True, blank=True, on_delete=models.PROTECT,
        related_name="charges",
    )  # fmt: skip
    name = models.CharField(_("name"), max_length=120)
    amount = AmountField(_("amount"), validators=[MinValueValidator(1)])
    invoice = models.ForeignKey(
        "billing.Invoice", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("written"), auto_now_add=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("one-off charge")
        verbose_name_plural = _("one-off charges")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["customer"], name="billing_charge_waiting", condition=Q(invoice=None, cancelled_at=None)
            )
        ]

    def __str__(self) -> str:
        return self.name


class CouponUse(models.Model):
    """A coupon entered for a subscription; `bills_left` counts down with each bill it was taken off."""

    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="uses")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="coupon_uses")
    bills_left = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["coupon", "subscription"], name="billing_coupon_once")]

    def __str__(self) -> str:
        return f"{self.coupon} for {self.subscription}"


class PlanChange(models.Model):
    """A change to another plan, at once or at the end of the period."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="plan_changes")
    from_plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    to_plan = models.ForeignKey(Plan, verbose_name=_("new plan"), on_delete=models.PROTECT, related_name="+")
    status = models.CharField(_("status"), max_length=10, choices=PlanChangeStatus.choices)
    effective_on = models.DateField(_("from"))
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(_("asked"))
    done_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        verbose_name = _("plan change")
        verbose_name_plural = _("plan changes")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"], condition=Q(status="waiting"), name="billing_plan_change_one_waiting"
            )
        ]
        indexes = [models.Index(fields=["effective_on"], name="billing_plan_change_due", condition=Q(status="waiting"))]

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.from_plan_id} → {self.to_plan_id}"


class Promise(models.Model):
    """A promise to pay by a day: the service is open until then, and isolated again by itself when it is not kept."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="promises")
    until_on = models.DateField(_("pays by"))
    status = models.CharField(_("status"), max_length=10, choices=PromiseStatus.choices, default=PromiseStatus.OPEN)
    note = models.CharField(_("note"), max_length=300, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("promise to pay")
        verbose_name_plural = _("promises to pay")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"], condition=Q(status="open"), name="billing_promise_one_open"
            ),
            models.CheckConstraint(
                condition=Q(status="open", ended_at=None) | ~Q(status="open") & Q(ended_at__isnull=False),
                name="billing_promise_ended",
            ),
        ]
        indexes = [models.Index(fields=["until_on"], name="billing_promise_due", condition=Q(status="open"))]

    def __str__(self) -> str:
        return f"{self.subscription_id} by {self.until_on}"
