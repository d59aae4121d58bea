"""Services as answers: two facts about the router, never one, and what the engine will do next."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.models import TERMS_FIELDS, BillingRun, Subscription
from billing.selectors_services import (
    addons_running,
    charges_waiting,
    coupons_running,
    next_bill_of,
    overdue_of,
    prepay_table,
)
from billing.service_words import overdue_text
from billing.services.history import today_at
from core import clock
from core.api.serializers import AmountField, OutSerializer


class SubscriptionRowOut(serializers.ModelSerializer[Subscription]):
    customer_name = serializers.CharField(source="customer.name")
    plan_name = serializers.CharField(source="plan.name")
    location_name = serializers.CharField(source="location.name")
    is_on_router = serializers.SerializerMethodField(help_text="The router confirmed the login as it is wanted.")

    class Meta:
        model = Subscription
        fields = [
            "id", "username", "type", "status", "customer", "customer_name", "plan", "plan_name", "location",
            "location_name", "is_on_router", "started_on", "billed_until", "expiry_date", "paused_on", "resume_on",
            "ended_on", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_is_on_router(self, row: Subscription) -> bool:
        return row.account is not None and row.account.is_synced


class NextBillOut(OutSerializer):
    day = serializers.DateField(help_text="When it is made.")
    start = serializers.DateField()
    end = serializers.DateField(help_text="The first day after it.")
    amount = AmountField(help_text="As agreed, before tax on top.")


class PrepayDiscountOut(OutSerializer):
    months = serializers.IntegerField()
    percent = serializers.DecimalField(max_digits=5, decimal_places=2)


class OverdueOut(OutSerializer):
    due_on = serializers.DateField(help_text="Of the oldest overdue bill.")
    open_amount = AmountField()
    bills = serializers.IntegerField()
    promised_until = serializers.DateField(allow_null=True)
    sentence = serializers.CharField(help_text="In the caller's language.")


class LoginOut(OutSerializer):
    """What is wanted, and what the router confirmed."""

    account = serializers.IntegerField(source="pk")
    is_wanted = serializers.SerializerMethodField(help_text="It should be on the router.")
    is_disabled = serializers.BooleanField()
    is_isolated = serializers.BooleanField()
    is_confirmed = serializers.BooleanField(source="is_synced")
    confirmed_at = serializers.DateTimeField(source="applied_at", allow_null=True)
    hold = serializers.CharField(help_text="Why it waits for a person; empty: it does not.")
    router_words = serializers.CharField()

    def get_is_wanted(self, account: Any) -> bool:
        return bool(account.presence == "present")


class AddonOut(OutSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    amount = AmountField(help_text="Per month.")
    from_on = serializers.DateField()
    until_on = serializers.DateField(allow_null=True, help_text="The first day after it; null: it goes on.")


class WaitingChargeOut(OutSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    amount = AmountField()


class CouponUseOut(OutSerializer):
    code = serializers.CharField(source="coupon.code")
    bills_left = serializers.IntegerField(help_text="It comes off so many bills more.")


class SubscriptionOut(SubscriptionRowOut):
    login = serializers.SerializerMethodField(help_text="null before it is started.")
    next_bill = serializers.SerializerMethodField()
    overdue = serializers.SerializerMethodField(help_text="null: nothing is overdue.")
    addons = serializers.SerializerMethodField(help_text="Those that have not ended.")
    charges = serializers.SerializerMethodField(help_text="One-off charges that wait for the next bill.")
    prepay_discounts = serializers.SerializerMethodField(help_text="For months paid at once: its own, else the plan's.")
    coupons = serializers.SerializerMethodField(help_text="Those that come off the next bills.")

    class Meta(SubscriptionRowOut.Meta):
        fields = [
            *SubscriptionRowOut.Meta.fields, "price", "static_address", "mac_address", "note",
            *TERMS_FIELDS, "login", "next_bill", "overdue", "addons", "charges", "coupons",
            "prepay_discounts",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(LoginOut(allow_null=True))
    def get_login(self, row: Subscription) -> Any:
        return LoginOut(row.account).data if row.account is not None else None

    @extend_schema_field(NextBillOut(allow_null=True))
    def get_next_bill(self, row: Subscription) -> Any:
        found = next_bill_of(row)
        return NextBillOut(found).data if found else None

    @extend_schema_field(OverdueOut(allow_null=True))
    def get_overdue(self, row: Subscription) -> Any:
        today = today_at(row, clock.now())
        found = overdue_of(row, today)
        if found is None:
            return None
        sentence = overdue_text(row, found, today)
        values = {"due_on": found.due_on, "open_amount": found.open_amount, "bills": found.bills}
        return OverdueOut({**values, "promised_until": found.promised_until, "sentence": sentence}).data

    @extend_schema_field(PrepayDiscountOut(many=True))
    def get_prepay_discounts(self, row: Subscription) -> Any:
        table = prepay_table(row).items()
        return PrepayDiscountOut([{"months": n, "percent": percent} for n, percent in table], many=True).data

    @extend_schema_field(AddonOut(many=True))
    def get_addons(self, row: Subscription) -> Any:
        return AddonOut(addons_running(row, today_at(row, clock.now())), many=True).data

    @extend_schema_field(WaitingChargeOut(many=True))
    def get_charges(self, row: Subscription) -> Any:
        return WaitingChargeOut(charges_waiting(row), many=True).data

    @extend_schema_field(CouponUseOut(many=True))
    def get_coupons(self, row: Subscription) -> Any:
        return CouponUseOut(coupons_running(row), many=True).data


class SubscriptionEventOut(OutSerializer):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    from_status = serializers.CharField()
    to_status = serializers.CharField()
    at = serializers.DateTimeField()
    actor = serializers.IntegerField(source="actor_id", allow_null=True, help_text="null: the system.")
    reason = serializers.CharField()
    details = serializers.DictField()


class RunOut(serializers.ModelSerializer[BillingRun]):
    class Meta:
        model = BillingRun
        fields = [
            "id", "kind", "location", "day", "status", "done", "total", "outcome", "error", "created_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class TonightRowOut(OutSerializer):
    subscription = serializers.IntegerField(source="subscription_id")
    what = serializers.CharField()
    amount = AmountField(allow_null=True)
    start = serializers.DateField(allow_null=True)
    end = serializers.DateField(allow_null=True)


class TonightOut(OutSerializer):
    """What the night would do now. Nothing of it was done."""

    location = serializers.IntegerField(source="location.pk")
    day = serializers.DateField()
    total = serializers.IntegerField(help_text="Services that may need something.")
    looked_at = serializers.IntegerField(help_text="How many of them were tried.")
    counts = serializers.DictField(child=serializers.IntegerField(), source="report.counts")
    billed = AmountField(source="report.billed")
    rows = TonightRowOut(many=True, source="report.rows")
