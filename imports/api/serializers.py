"""Taking over a router over REST: what goes in and what comes out. Passwords never do."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.models import TEN_YEARS, Plan
from core.api.serializers import MAX_ID, AmountField, StrictSerializer, TextField, WholeField, id_field
from imports.choices import LoginUse
from imports.models import RouterImport, RouterImportProfile, RouterImportRow
from imports.words_routers import reason_text, router_import_words
from locations.api.fields import LocationField


class PlanField(serializers.IntegerField):
    """The id of a plan, or null for a new one; the validated value is the Plan."""

    def __init__(self, **kwargs: Any):
        super().__init__(min_value=1, max_value=MAX_ID, allow_null=True, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Plan | None:
        number = super().run_validation(data)
        if number is None:
            return None
        plan = Plan.objects.filter(pk=number).first()
        if plan is None:
            raise serializers.ValidationError(f"No such plan: {number}.")
        return plan


class StartIn(StrictSerializer):
    location = LocationField()


class ProfileIn(StrictSerializer):
    id = id_field(help_text="Of one of `profiles`.")
    use = serializers.ChoiceField(choices=LoginUse.choices, required=False)
    plan = PlanField(required=False, help_text="Null: a new plan is made.")
    plan_name = TextField(max_length=60, required=False, allow_blank=True)
    price_sell = AmountField(required=False)
    price_cost = AmountField(required=False)
    duration_seconds = WholeField(min_value=10, max_value=TEN_YEARS, required=False, allow_null=True)


class ChooseIn(StrictSerializer):
    profiles = ProfileIn(many=True, required=False)
    billed_from = serializers.DateField(required=False, help_text="First day to bill; services need one.")
    is_sales_wanted = serializers.BooleanField(required=False)


class ProfileOut(serializers.ModelSerializer[RouterImportProfile]):
    class Meta:
        model = RouterImportProfile
        fields = [
            "id", "kind", "name", "use", "plan", "plan_name", "price_sell", "price_cost", "duration_seconds",
            "is_mac_locked", "has_script", "logins",
        ]  # fmt: skip
        read_only_fields = fields


class RouterImportRowOut(serializers.ModelSerializer[RouterImport]):
    """`counts`: rows by kind and verdict. `facts`: what the router said when it was read."""

    words = serializers.SerializerMethodField(help_text="Where it is, in the caller's language.")

    class Meta:
        model = RouterImport
        fields = [
            "id", "location", "status", "words", "total", "done", "counts", "facts", "billed_from", "is_sales_wanted",
            "error", "scripts_retired_at", "created_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(str)
    def get_words(self, run: RouterImport) -> str:
        return router_import_words(run).text


class RouterImportOut(RouterImportRowOut):
    profiles = ProfileOut(many=True)

    class Meta(RouterImportRowOut.Meta):
        fields = [*RouterImportRowOut.Meta.fields, "profiles"]
        read_only_fields = fields


class VerdictOut(serializers.ModelSerializer[RouterImportRow]):
    why = serializers.SerializerMethodField(help_text="The reason in the caller's language; `reason` is stable.")

    class Meta:
        model = RouterImportRow
        fields = ["id", "number", "subject", "name", "profile", "verdict", "reason", "why", "is_done"]
        read_only_fields = fields

    @extend_schema_field(str)
    def get_why(self, row: RouterImportRow) -> str:
        return reason_text(row, self.context["zone"])
