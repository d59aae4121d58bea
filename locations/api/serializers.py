from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import OutSerializer, StrictBooleanField, StrictSerializer, TextField, WholeField, id_field
from locations.choices import DriftRepair, EntryKind, IsolationMethod, Kind, Presence, Reach, RolloutMode, TlsMode
from locations.models import AccessAccount, DesiredRow, Location, ProfileRollout, RouterEntry
from locations.selectors import rollout_progress

CHANGE_LOCATION = "locations.change_location"
TRUTHS = ("on_router", "waiting", "held", "leaving")


def truth(account: DesiredRow) -> str:
    """The one word for wanted against confirmed; UI.md says it in sentences."""
    if account.hold:
        return "held"
    if account.presence == Presence.ABSENT:
        return "leaving"
    return "on_router" if account.is_synced else "waiting"


class LocationIn(StrictSerializer):
    name = TextField(max_length=80)
    host = TextField(max_length=255)
    port = WholeField(min_value=1, max_value=65535, required=False)
    username = TextField(max_length=64)
    password = TextField(
        max_length=128, write_only=True, allow_blank=True, trim_whitespace=False, required=False,
        help_text="Never answered.",
    )  # fmt: skip
    tls_mode = serializers.ChoiceField(choices=TlsMode.choices, required=False)
    tls_fingerprint = serializers.RegexField(
        r"^([0-9A-Fa-f: ]{64,200})?$", max_length=200, allow_blank=True, required=False, help_text="SHA-256 in hex."
    )
    timezone = TextField(max_length=64, required=False)
    latitude = serializers.DecimalField(9, 6, min_value=-90, max_value=90, allow_null=True, required=False)
    longitude = serializers.DecimalField(9, 6, min_value=-180, max_value=180, allow_null=True, required=False)
    is_active = StrictBooleanField(required=False)
    isolation_method = serializers.ChoiceField(choices=IsolationMethod.choices, required=False)
    isolation_rate_limit = TextField(max_length=40, required=False, help_text="Upload/download, like `64k/64k`.")
    isolation_list = TextField(max_length=32, required=False)
    isolation_page_address = serializers.IPAddressField(
        protocol="ipv4", allow_null=True, required=False, help_text="null: no firewall rules of ours on the router."
    )
    isolation_page_port = WholeField(min_value=1, max_value=65535, required=False)
    isolation_allowed_hosts = TextField(max_length=10000, allow_blank=True, required=False, help_text="One a line.")
    speed_change_pace = WholeField(min_value=1, max_value=100, required=False, help_text="Sessions ended per second.")
    capacity = WholeField(
        min_value=1, max_value=2_000_000_000, allow_null=True, required=False,
        help_text="Groups put nobody new here beyond it; null: no limit.",
    )  # fmt: skip
    writes_per_second = WholeField(
        min_value=2, max_value=1000, allow_null=True, required=False,
        help_text="Most changes per second; null: as fast as the router answers, slower while its CPU is busy.",
    )  # fmt: skip
    drift_repair = serializers.ChoiceField(choices=DriftRepair.choices, required=False)
    drift_repair_hour = WholeField(min_value=0, max_value=23, required=False, help_text="In the location's time zone.")

    def validate_timezone(self, value: str) -> str:
        if value not in available_timezones():
            raise serializers.ValidationError(_("Not a time zone; for example Asia/Jakarta."))
        return value


class LocationPatchIn(LocationIn):
    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, partial=True, **kwargs)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError(_("Send at least one field to change."))
        return attrs


class TrustIn(StrictSerializer):
    fingerprint = TextField(max_length=200, help_text="SHA-256 in hex; colons and spaces do not matter.")


class ConnectionOut(OutSerializer):
    """How we reach the router; the password is never answered."""

    host = serializers.CharField()
    port = serializers.IntegerField()
    username = serializers.CharField()
    has_password = serializers.SerializerMethodField()
    tls_mode = serializers.ChoiceField(choices=TlsMode.choices)
    tls_fingerprint = serializers.CharField()

    def get_has_password(self, location: Location) -> bool:
        return bool(location.password)


class LocationRowOut(serializers.ModelSerializer[Location]):
    reach = serializers.SerializerMethodField()
    reach_since = serializers.SerializerMethodField()

    class Meta:
        model = Location
        fields = [
            "id",
            "name",
            "is_active",
            "timezone",
            "latitude",
            "longitude",
            "capacity",
            "writes_per_second",
            "created_at",
            "reach",
            "reach_since",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=Reach.choices))
    def get_reach(self, location: Location) -> str:
        state = getattr(location, "state", None)
        return state.reach if state else Reach.UNKNOWN.value

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_reach_since(self, location: Location) -> str | None:
        state = getattr(location, "state", None)
        since = state.reach_since if state else None
        return serializers.DateTimeField().to_representation(since) if since else None


class AccountRowOut(serializers.ModelSerializer[AccessAccount]):
    location_name = serializers.CharField(source="location.name")
    profile = serializers.CharField(source="profile.name")
    truth = serializers.SerializerMethodField(help_text="What we want against what the router confirmed.")
    is_synced = serializers.BooleanField(help_text="The router confirmed what we want [mikrotik_synced].")
    used_uptime_seconds = serializers.IntegerField()
    used_bytes = serializers.IntegerField()

    class Meta:
        model = AccessAccount
        fields = [
            "id", "location", "location_name", "kind", "name", "profile", "tag", "presence", "truth",
            "is_synced", "applied_at", "hold", "router_words", "is_disabled", "mac_address", "is_mac_locked",
            "is_isolated", "static_address", "last_session_ended_at", "last_session_end",
            "valid_until", "limit_uptime_seconds", "limit_bytes", "used_uptime_seconds", "used_bytes", "first_login_at",
            "last_seen_at", "created_at", "changed_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=TRUTHS))
    def get_truth(self, account: AccessAccount) -> str:
        return truth(account)


class SwitchIn(StrictSerializer):
    profile = id_field(help_text="Id of the router profile at the other location.")
    static_address = serializers.IPAddressField(
        protocol="ipv4", required=False, help_text="Its address there; only for a static address, and needed then."
    )


class SwitchOut(OutSerializer):
    """The login at its new location, what it waits for, and which of those places cannot be reached (`open-now`)."""

    account = AccountRowOut()
    waits_for = serializers.ListField(child=serializers.CharField())
    offline = serializers.ListField(child=serializers.CharField())


class EntryRowOut(serializers.ModelSerializer[RouterEntry]):
    location_name = serializers.CharField(source="location.name")
    kind = serializers.ChoiceField(choices=EntryKind.choices)
    truth = serializers.SerializerMethodField(help_text="What we want against what the router confirmed.")
    is_synced = serializers.BooleanField()

    class Meta:
        model = RouterEntry
        fields = [
            "id", "location", "location_name", "kind", "name", "words", "tag", "place", "presence", "truth",
            "is_synced", "applied_at", "hold", "router_words", "created_at", "changed_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=TRUTHS))
    def get_truth(self, entry: RouterEntry) -> str:
        return truth(entry)


class RolloutRowOut(serializers.ModelSerializer[ProfileRollout]):
    location_name = serializers.CharField(source="location.name")
    profile_name = serializers.CharField(source="profile.name")

    class Meta:
        model = ProfileRollout
        fields = [
            "id", "location", "location_name", "profile", "profile_name", "mode", "status", "requested_at",
            "pace_per_second", "ended", "finished_at", "cancelled_at",
        ]  # fmt: skip
        read_only_fields = fields


class ProgressOut(OutSerializer):
    is_confirmed = serializers.BooleanField(help_text="The router has the new speed.")
    confirmed_at = serializers.DateTimeField(allow_null=True)
    sessions_total = serializers.IntegerField()
    sessions_on_old_speed = serializers.IntegerField()
    method = serializers.CharField(help_text="live, kick or next_login")
    eta_seconds = serializers.IntegerField(allow_null=True)


class RolloutOut(RolloutRowOut):
    progress = serializers.SerializerMethodField()

    class Meta(RolloutRowOut.Meta):
        fields = [*RolloutRowOut.Meta.fields, "progress"]
        read_only_fields = fields

    @extend_schema_field(ProgressOut)
    def get_progress(self, rollout: ProfileRollout) -> Any:
        return ProgressOut(rollout_progress(rollout.profile)).data


class RolloutIn(StrictSerializer):
    profile = id_field(help_text="Id of the router profile.")
    mode = serializers.ChoiceField(choices=RolloutMode.choices)


class SessionRowOut(OutSerializer):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    name = serializers.CharField()
    account = serializers.IntegerField(source="account_id", allow_null=True)
    mac_address = serializers.CharField()
    address = serializers.CharField()
    uptime_seconds = serializers.IntegerField()
    bytes = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
