from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.api.fields import PlanField
from billing.models import TEN_YEARS
from core.api.serializers import AmountField, OutSerializer, StrictSerializer, TextField, WholeField
from locations.api.fields import GroupField, LocationField, LocationsField
from locations.api.serializers import TRUTHS, truth
from locations.choices import Hold, Presence, Reach
from locations.models import AccessAccount
from vouchers.choices import CharacterSet, CodeMode, PushAt
from vouchers.models import MAX_QUANTITY, Voucher, VoucherBatch


class BatchIn(StrictSerializer):
    plan = PlanField()
    locations = LocationsField(required=False, help_text="Where the codes are good; several: they roam.")
    group = GroupField(required=False, help_text="Instead of `locations`: a group that chooses one of its own.")
    quantity = WholeField(min_value=1, max_value=MAX_QUANTITY)
    name = TextField(max_length=80, allow_blank=True, required=False)
    prefix = serializers.RegexField(r"^[A-Z0-9-]*$", max_length=10, allow_blank=True, required=False)
    length = WholeField(min_value=4, max_value=20, default=8, help_text="Random characters after the prefix.")
    charset = serializers.ChoiceField(choices=CharacterSet.choices, default=CharacterSet.UNAMBIGUOUS)
    mode = serializers.ChoiceField(choices=CodeMode.choices, default=CodeMode.SAME)
    push_at = serializers.ChoiceField(choices=PushAt.choices, default=PushAt.CREATION)
    price = AmountField(required=False, help_text="Default: the plan's; frozen here.")
    price_cost = AmountField(required=False)
    note = TextField(max_length=200, allow_blank=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("locations" in attrs) == ("group" in attrs):
            raise serializers.ValidationError({"locations": _("Choose locations, or a group that chooses.")})
        return attrs


class BatchRowOut(serializers.ModelSerializer[VoucherBatch]):
    plan_name = serializers.CharField(source="plan.name")
    locations = serializers.SerializerMethodField(help_text="Ids of the locations the codes were made for.")

    class Meta:
        model = VoucherBatch
        fields = [
            "id", "name", "plan", "plan_name", "locations", "quantity", "prefix", "length", "charset", "mode",
            "push_at", "price", "price_cost", "status", "progress", "error", "note", "created_at",
            "finished_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_locations(self, batch: VoucherBatch) -> list[int]:
        return [location.pk for location in batch.locations.all()]


class BatchProgressOut(OutSerializer):
    generated = serializers.IntegerField(help_text="Codes that exist.")
    wanted = serializers.IntegerField(help_text="Logins that should be on routers, over all locations.")
    confirmed = serializers.IntegerField(help_text="… of which a router confirmed.")
    waiting = serializers.IntegerField(help_text="Changes that wait for a router.")
    held = serializers.IntegerField(help_text="Changes that wait for a person.")


class VoucherRowOut(serializers.ModelSerializer[Voucher]):
    plan_name = serializers.CharField(source="plan.name")

    class Meta:
        model = Voucher
        fields = [
            "id", "code", "status", "batch", "plan", "plan_name", "created_at", "sold_at", "used_at",
            "valid_until", "ended_at",
        ]  # fmt: skip
        read_only_fields = fields


class PlaceOut(serializers.ModelSerializer[AccessAccount]):
    """One router: what we want there, what it confirmed, and whether it answers."""

    location_name = serializers.CharField(source="location.name")
    router = serializers.SerializerMethodField(help_text="Whether the router answers.")
    router_since = serializers.SerializerMethodField()
    wanted = serializers.ChoiceField(choices=Presence.choices, source="presence")
    is_confirmed = serializers.BooleanField(source="is_synced")
    confirmed_at = serializers.DateTimeField(source="applied_at", allow_null=True)
    truth = serializers.SerializerMethodField()
    used_uptime_seconds = serializers.IntegerField()
    used_bytes = serializers.IntegerField()

    class Meta:
        model = AccessAccount
        fields = [
            "location", "location_name", "router", "router_since", "wanted", "is_confirmed", "confirmed_at",
            "truth", "hold", "router_words", "first_login_at", "last_seen_at", "used_uptime_seconds", "used_bytes",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {"hold": {"help_text": f"Why it waits for a person: {', '.join(filter(None, Hold.values))}."}}

    @extend_schema_field(serializers.ChoiceField(choices=TRUTHS))
    def get_truth(self, account: AccessAccount) -> str:
        return truth(account)

    @extend_schema_field(serializers.ChoiceField(choices=Reach.choices))
    def get_router(self, account: AccessAccount) -> str:
        state = getattr(account.location, "state", None)
        return state.reach if state else Reach.UNKNOWN.value

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_router_since(self, account: AccessAccount) -> str | None:
        state = getattr(account.location, "state", None)
        since = state.reach_since if state else None
        return serializers.DateTimeField().to_representation(since) if since else None


class SellIn(StrictSerializer):
    amount = AmountField(required=False, help_text="Default: the price of the batch.")


class SaleOut(OutSerializer):
    id = serializers.IntegerField()
    voucher = serializers.IntegerField(source="voucher_id")
    amount = AmountField()
    seller = serializers.IntegerField(source="seller_id", allow_null=True)
    sold_at = serializers.DateTimeField()
    reverses = serializers.IntegerField(source="reverses_id", allow_null=True, help_text="The sale this one undoes.")


class VoidIn(StrictSerializer):
    reason = TextField(max_length=200)


class ExtendIn(StrictSerializer):
    seconds = WholeField(min_value=60, max_value=TEN_YEARS, help_text="Added to the validity.")


class MoveIn(StrictSerializer):
    location = LocationField(help_text="Where the voucher is good from now on.")


class EventOut(OutSerializer):
    id = serializers.IntegerField(allow_null=True, help_text="null: `created`, the first line of every voucher.")
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    actor = serializers.IntegerField(source="actor_id", allow_null=True, help_text="null: the system.")
    details = serializers.DictField()
