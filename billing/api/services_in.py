"""What the commands of services take."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from billing.api.fields import PlanField
from billing.api.invoices import CustomerField
from billing.choices import BillingMode, DiscountKind, FirstBill, PeriodMode, TaxMode
from core.api.serializers import MAX_ID, AmountField, StrictBooleanField, StrictSerializer, TextField, WholeField
from locations.api.fields import GroupField, LocationField

REASON: dict[str, Any] = {"max_length": 300}


class _TermsIn(StrictSerializer):
    """What was agreed; left out, the plan's terms hold."""

    price = AmountField(required=False, allow_null=True, help_text="Per month; null: the plan's price.")
    is_auto_renewed = StrictBooleanField(required=False, help_text="Bills are paid from the balance by themselves.")
    billing_mode = serializers.ChoiceField(choices=BillingMode.choices, required=False)
    period_mode = serializers.ChoiceField(choices=PeriodMode.choices, required=False)
    period_months = WholeField(min_value=1, max_value=24, required=False)
    fixed_day = WholeField(min_value=1, max_value=31, required=False, help_text="1 to 28; 31: the last day.")
    first_bill = serializers.ChoiceField(choices=FirstBill.choices, required=False)
    due_days = WholeField(min_value=0, max_value=90, required=False)
    grace_days = WholeField(min_value=0, max_value=90, required=False)
    tax_mode = serializers.ChoiceField(choices=TaxMode.choices, required=False)
    late_fee_kind = serializers.ChoiceField(choices=DiscountKind.choices, required=False)
    late_fee = AmountField(required=False)
    late_fee_days = WholeField(min_value=0, max_value=90, required=False)
    note = TextField(max_length=300, allow_blank=True, required=False)


class SubscriptionIn(_TermsIn):
    customer = CustomerField()
    plan = PlanField()
    location = LocationField(required=False)
    group = GroupField(required=False, help_text="Instead of `location`: a group that chooses one of its own.")
    username = TextField(max_length=64, required=False, help_text="Default: the next one by the pattern.")
    password = TextField(max_length=64, required=False, help_text="Default: a new one is made.")
    static_address = serializers.IPAddressField(protocol="IPv4", required=False)
    mac_address = TextField(max_length=17, required=False, help_text="Only this device may log in.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("location" in attrs) == ("group" in attrs):
            raise serializers.ValidationError({"location": _("Choose a location, or a group that chooses.")})
        return attrs


class SubscriptionPatchIn(_TermsIn):
    """Any of what was agreed; it holds from the next bill on."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, partial=True, **kwargs)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError(_("Send at least one field to change."))
        return attrs


class ActivateIn(StrictSerializer):
    started_on = serializers.DateField(required=False, help_text="Default: today. Fixes the day of the month.")
    billed_until = serializers.DateField(
        required=False, help_text="First day not paid for elsewhere; default: the start."
    )
    reason = TextField(**REASON, allow_blank=True, required=False)


class ResumeIn(StrictSerializer):
    reason = TextField(**REASON, allow_blank=True, required=False)


class PauseIn(StrictSerializer):
    resume_on = serializers.DateField(required=False, help_text="Comes back by itself on this day.")
    reason = TextField(**REASON, allow_blank=True, required=False)


class EndIn(StrictSerializer):
    reason = TextField(**REASON)
    is_credited = StrictBooleanField(required=False, help_text="Credit the days that are paid and not used.")


class IsolateIn(StrictSerializer):
    reason = TextField(**REASON)


class ChangePlanIn(StrictSerializer):
    plan = PlanField()
    is_at_once = StrictBooleanField(help_text="false: with the next period. A draft gets it at once.")
    reason = TextField(**REASON, allow_blank=True, required=False)


class PayAheadIn(StrictSerializer):
    months = WholeField(min_value=1, max_value=24)
    from_on = serializers.DateField(help_text="`billed_until` as you saw it: a request sent twice is refused.")


class PrepayDiscountIn(StrictSerializer):
    months = WholeField(min_value=2, max_value=24)
    percent = serializers.DecimalField(max_digits=5, decimal_places=2, min_value=0, max_value=100)


class PrepayDiscountsIn(StrictSerializer):
    discounts = serializers.ListField(
        child=PrepayDiscountIn(), max_length=12, allow_null=True, help_text="null: the plan's hold again."
    )


class PromiseIn(StrictSerializer):
    until_on = serializers.DateField(help_text="The last day it stays open without being paid.")
    note = TextField(**REASON, allow_blank=True, required=False)


class ChangeLoginIn(StrictSerializer):
    username = TextField(max_length=64, required=False)
    password = TextField(max_length=64, required=False, allow_null=True, help_text="null: a new one is made.")
    static_address = serializers.IPAddressField(protocol="IPv4", required=False, allow_null=True)
    mac_address = TextField(max_length=17, required=False, allow_blank=True)


class MoveServiceIn(StrictSerializer):
    location = LocationField()
    static_address = serializers.IPAddressField(protocol="IPv4", required=False, allow_null=True)
    reason = TextField(**REASON, allow_blank=True, required=False)


class AddonIn(StrictSerializer):
    name = TextField(max_length=120)
    amount = AmountField(help_text="Per month.")
    from_on = serializers.DateField(required=False, help_text="Default: from the next bill on.")


class ChargeIn(StrictSerializer):
    name = TextField(max_length=120)
    amount = AmountField()
    is_billed_now = StrictBooleanField(required=False, help_text="true: on a bill of its own at once.")


class AddonEndIn(StrictSerializer):
    addon = WholeField(min_value=1, max_value=MAX_ID, help_text="Its number, from `addons`.")
    is_at_once = StrictBooleanField(
        required=False, help_text="true: today, days not used are credited; else with what is billed."
    )
    reason = TextField(**REASON, allow_blank=True, required=False)


class WaitingChargeIn(StrictSerializer):
    charge = WholeField(min_value=1, max_value=MAX_ID, help_text="Its number, from `charges`.")


class CouponIn(StrictSerializer):
    code = TextField(max_length=30)


class TonightIn(StrictSerializer):
    location = LocationField()
    day = serializers.DateField(required=False, help_text="Default: the next night there.")
