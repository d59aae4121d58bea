from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from billing.choices import BillingMode, DiscountKind, FirstBill, PeriodMode, PlanType, TaxMode, ValidityFrom
from billing.models import TEN_YEARS, TERMS_FIELDS, Plan
from core.api.serializers import (
    MAX_INT,
    AmountField,
    OutSerializer,
    StrictBooleanField,
    StrictSerializer,
    TextField,
    WholeField,
)
from locations.api.fields import LocationsField

MAX_BYTES = 2**53  # what every JSON reader still holds exactly


class PlanIn(StrictSerializer):
    name = TextField(max_length=60)
    type = serializers.ChoiceField(choices=PlanType.choices, default=PlanType.HOTSPOT)
    price_sell = AmountField()
    price_cost = AmountField(required=False)
    duration_seconds = WholeField(
        min_value=10,
        max_value=TEN_YEARS,
        allow_null=True,
        required=False,
        help_text="Calendar time; null: no end.",
    )
    validity_from = serializers.ChoiceField(choices=ValidityFrom.choices, default=ValidityFrom.FIRST_LOGIN)
    rate_limit = TextField(max_length=120, allow_blank=True, required=False, help_text="RouterOS text: `2M/10M`.")
    shared_users = WholeField(min_value=1, max_value=1000, required=False)
    uptime_limit_seconds = WholeField(min_value=10, max_value=TEN_YEARS, allow_null=True, required=False)
    data_limit_bytes = WholeField(min_value=1, max_value=MAX_BYTES, allow_null=True, required=False)
    idle_timeout_seconds = WholeField(min_value=1, max_value=MAX_INT, allow_null=True, required=False)
    keepalive_timeout_seconds = WholeField(min_value=1, max_value=MAX_INT, allow_null=True, required=False)
    address_pool = TextField(max_length=64, allow_blank=True, required=False)
    is_mac_locked = StrictBooleanField(required=False)
    is_active = StrictBooleanField(required=False)
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
    is_auto_renewed = StrictBooleanField(required=False, help_text="Bills are paid from the balance by themselves.")


class PlanPatchIn(PlanIn):
    """Any of a plan's fields; the type only while it is published nowhere."""

    type = serializers.ChoiceField(choices=PlanType.choices, required=False)
    validity_from = serializers.ChoiceField(choices=ValidityFrom.choices, required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, partial=True, **kwargs)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError(_("Send at least one field to change."))
        return attrs


class PublishIn(StrictSerializer):
    locations = LocationsField()


class PublicationOut(OutSerializer):
    location = serializers.IntegerField(source="location_id")
    location_name = serializers.CharField(source="location.name")
    profile = serializers.CharField(source="profile.name", help_text="The profile's name on that router.")
    is_on_router = serializers.BooleanField(source="profile.is_synced", help_text="The router confirmed it.")
    published_at = serializers.DateTimeField()


class PlanRowOut(serializers.ModelSerializer[Plan]):
    class Meta:
        model = Plan
        fields = [
            "id", "name", "type", "price_sell", "price_cost", "duration_seconds", "validity_from",
            "rate_limit", "shared_users", "uptime_limit_seconds", "data_limit_bytes", "idle_timeout_seconds",
            "keepalive_timeout_seconds", "address_pool", "is_mac_locked", "is_active", *TERMS_FIELDS, "created_at",
            "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class PlanOut(PlanRowOut):
    publications = PublicationOut(many=True, help_text="Where it is sold.")

    class Meta(PlanRowOut.Meta):
        fields = [*PlanRowOut.Meta.fields, "publications"]
        read_only_fields = fields
