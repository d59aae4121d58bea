"""A location's page as data: how we reach the router, what it told us, and how far it is behind."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import OutSerializer
from locations.api.serializers import CHANGE_LOCATION, ConnectionOut, LocationRowOut
from locations.choices import ReplacementStatus
from locations.models import Location, RouterState
from locations.selectors import location_counts, replacement_progress
from locations.services import certificate_state


class RouterOut(serializers.ModelSerializer[RouterState]):
    """What the router said of itself, and how the conversation goes."""

    class Meta:
        model = RouterState
        fields = [
            "identity", "model", "version", "serial", "other_serial", "uptime_seconds", "clock_skew_seconds",
            "cpu_load", "free_memory", "licence_limit", "entry_count", "last_error", "failures", "retry_at",
            "seen_at", "polled_at", "reconciled_at",
        ]  # fmt: skip
        read_only_fields = fields


class CountsOut(OutSerializer):
    wanted = serializers.IntegerField(help_text="Logins that should be on the router.")
    confirmed = serializers.IntegerField(help_text="… of which it confirmed.")
    waiting = serializers.IntegerField(help_text="Changes that wait for the router.")
    held = serializers.IntegerField(help_text="Changes that wait for a person.")
    leaving = serializers.IntegerField(help_text="Logins that must go and are not confirmed gone.")


class IsolationOut(serializers.ModelSerializer[Location]):
    """How unpaid subscribers are held back here."""

    class Meta:
        model = Location
        fields = [
            "isolation_method", "isolation_rate_limit", "isolation_list", "isolation_page_address",
            "isolation_page_port", "isolation_allowed_hosts", "speed_change_pace",
        ]  # fmt: skip
        read_only_fields = fields


class ReplacementOut(OutSerializer):
    """A new router: everything is put on it, then compared, then it is done."""

    old_serial = serializers.CharField()
    new_serial = serializers.CharField()
    status = serializers.ChoiceField(choices=ReplacementStatus.choices)
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    confirmed = serializers.IntegerField(help_text="Wishes that are on it.")
    total = serializers.IntegerField()
    held = serializers.IntegerField(help_text="Of the total those that wait for a person.")


class DriftSettingOut(serializers.ModelSerializer[Location]):
    """When what was changed on the router is repaired."""

    class Meta:
        model = Location
        fields = ["drift_repair", "drift_repair_hour"]
        read_only_fields = fields


class CertificateOut(OutSerializer):
    """SHA-256 of the certificate people confirmed, and of the one that answers instead."""

    confirmed = serializers.CharField(help_text="Empty: nobody confirmed one yet, and nothing is sent.")
    seen = serializers.CharField(help_text="Empty: no other certificate waits to be confirmed.")
    is_changed = serializers.BooleanField(help_text="Another one answers than was confirmed: all work there stopped.")


class LocationOut(LocationRowOut):
    connection = serializers.SerializerMethodField(help_text="null for roles that may not change routers.")
    certificate = serializers.SerializerMethodField()
    router = serializers.SerializerMethodField(help_text="null before the first contact.")
    sync = serializers.SerializerMethodField()
    isolation = IsolationOut(source="*")
    drift = DriftSettingOut(source="*")
    replacement = serializers.SerializerMethodField(help_text="The last one; null when there never was one.")

    class Meta(LocationRowOut.Meta):
        fields = [
            *LocationRowOut.Meta.fields,
            "connection",
            "certificate",
            "router",
            "sync",
            "isolation",
            "drift",
            "replacement",
        ]
        read_only_fields = fields

    @extend_schema_field(ConnectionOut(allow_null=True))
    def get_connection(self, location: Location) -> Any:
        if not self.context["request"].user.has_perm(CHANGE_LOCATION):
            return None
        return ConnectionOut(location).data

    @extend_schema_field(CertificateOut)
    def get_certificate(self, location: Location) -> Any:
        return CertificateOut(certificate_state(location)).data

    @extend_schema_field(RouterOut(allow_null=True))
    def get_router(self, location: Location) -> Any:
        state = getattr(location, "state", None)
        return RouterOut(state).data if state else None

    @extend_schema_field(ReplacementOut(allow_null=True))
    def get_replacement(self, location: Location) -> Any:
        progress = replacement_progress(location)
        return ReplacementOut(progress).data if progress else None

    @extend_schema_field(CountsOut)
    def get_sync(self, location: Location) -> Any:
        return CountsOut(location_counts(location.pk)).data


class TestOut(OutSerializer):
    """What a trial contact found, in a code for programs and a sentence for people."""

    __test__ = False  # the name begins like a test's

    ok = serializers.BooleanField()
    problem = serializers.CharField(help_text="Empty when all is well.")
    sentence = serializers.CharField()
    identity = serializers.CharField()
    model = serializers.CharField()
    version = serializers.CharField()
    serial = serializers.CharField()
    clock_skew_seconds = serializers.IntegerField(allow_null=True)
    licence_limit = serializers.IntegerField(allow_null=True)
    fingerprint = serializers.CharField(help_text="SHA-256 of the certificate it showed.")
    missing_policies = serializers.ListField(child=serializers.CharField())


class FeatureAccessOut(OutSerializer):
    key = serializers.CharField(source="feature.key")
    label = serializers.CharField(source="feature.label")  # type: ignore[assignment]
    policies = serializers.ListField(source="feature.policies", child=serializers.CharField())
    missing = serializers.ListField(child=serializers.CharField(), help_text="Empty: it works.")
    is_chosen = serializers.BooleanField(help_text="False: nobody asked for it, so missing rights are no fault.")


class AccessOut(OutSerializer):
    """What our user may do on the router, against what our features need."""

    is_ok = serializers.BooleanField(help_text="Everything that was chosen works.")
    username = serializers.CharField()
    group = serializers.CharField()
    version = serializers.CharField()
    granted = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="null: the router does not say."
    )
    features = FeatureAccessOut(many=True)
    extra = serializers.ListField(child=serializers.CharField(), help_text="Rights that nothing of ours needs.")
    allowed_from = serializers.CharField(help_text="Addresses our user may come from; empty: all.")
    seen_from = serializers.ListField(child=serializers.CharField(), help_text="This server as the router sees it.")
    open_services = serializers.ListField(
        child=serializers.CharField(), help_text="API services open to every address."
    )


class RetryOut(OutSerializer):
    released = serializers.IntegerField(help_text="How many held changes are tried again.")
