"""Connecting a router over REST, as the pages do: add it, print the commands for it, its tunnel when it is behind NAT.

What is pasted on a router holds a password or key made for it: it is in the answer that made it, and never again.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.requests import who
from core.api.serializers import NoInput, OutSerializer, StrictBooleanField, StrictSerializer, TextField
from core.errors import DomainError
from core.settings_registry import setting
from locations.access_rights import OPTIONAL
from locations.access_scripts import V6, V7
from locations.api.output import LocationOut
from locations.api.serializers import CHANGE_LOCATION
from locations.choices import TlsMode, TunnelKind
from locations.models import Location, RouterTunnel
from locations.services import (
    allowed_suggested,
    location_connect,
    login_prepare,
    tunnel_check,
    tunnel_key_put,
    tunnel_print,
    tunnel_remove,
    tunnel_use,
)
from locations.services.tunnels import server_address
from locations.tunnel_settings import ENDPOINT

CONNECTING_PERMISSIONS = {
    "connect": "locations.add_location",
    "prepare_access": CHANGE_LOCATION,
    "tunnel": CHANGE_LOCATION,
    "issue_tunnel": CHANGE_LOCATION,
    "tunnel_key": CHANGE_LOCATION,
    "check_tunnel": "locations.test_location",
    "use_tunnel": CHANGE_LOCATION,
    "remove_tunnel": CHANGE_LOCATION,
}


class ConnectIn(StrictSerializer):
    name = TextField(max_length=80)
    host = TextField(
        max_length=255, required=False, default="", allow_blank=True,
        help_text="Host name or IP address, as this server reaches it. Leave it out with a tunnel.",
    )  # fmt: skip
    tunnel = serializers.ChoiceField(choices=TunnelKind.choices, required=False, help_text="For a router behind NAT.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["host"] and attrs.get("tunnel"):
            raise serializers.ValidationError("host, tunnel: one of them.")
        return attrs


class PrepareIn(StrictSerializer):
    ros_version = serializers.ChoiceField(choices=[V7, V6], default=V7, help_text="7, or 6 for 6.49.")
    features = serializers.MultipleChoiceField(
        choices=[(one.key, one.key) for one in OPTIONAL], required=False, default=set,
        help_text="What else may we do there; each gives our user one more right.",
    )  # fmt: skip
    allowed_from = TextField(
        max_length=200, required=False, allow_blank=True,
        help_text="Addresses our user may come from, with commas; empty: all. Left out: this server's address as the "
        "router sees it, as far as that can be told.",
    )  # fmt: skip
    closes_plain = StrictBooleanField(
        required=False, default=False, help_text="Switch the API without encryption off on the router."
    )


class PreparedOut(OutSerializer):
    script = serializers.CharField(help_text="Commands for the router's terminal, with the password. Shown once.")
    username = serializers.CharField(source="login.username")
    ros_version = serializers.CharField(source="login.ros_version")
    features = serializers.ListField(source="login.features", child=serializers.CharField())
    allowed_from = serializers.CharField(source="login.allowed_from")
    prepared_at = serializers.DateTimeField(source="login.prepared_at")


class TunnelOut(OutSerializer):
    kind = serializers.ChoiceField(choices=TunnelKind.choices)
    address = serializers.CharField(help_text="The router inside the tunnel.")
    public_key = serializers.CharField(help_text="The router's own; empty until it was entered, and with SSTP.")
    issued_at = serializers.DateTimeField(allow_null=True, help_text="null: the commands were not printed yet.")
    is_used = serializers.SerializerMethodField(help_text="The router is reached through it.")

    def get_is_used(self, tunnel: RouterTunnel) -> bool:
        return tunnel.location.host == tunnel.address


class TunnelStateOut(OutSerializer):
    endpoint = serializers.CharField(help_text="Where routers find this server; empty: a Super Admin must enter it.")
    server_address = serializers.CharField(help_text="This server inside the tunnels.")
    tunnel = TunnelOut(allow_null=True)


class IssueIn(StrictSerializer):
    kind = serializers.ChoiceField(choices=TunnelKind.choices)
    is_sure = StrictBooleanField(
        required=False, default=False,
        help_text="Needed when the router is reached through this tunnel: it stands still until they are pasted.",
    )  # fmt: skip


class IssuedOut(OutSerializer):
    """Texts with secrets in the clear, shown once."""

    tunnel = TunnelOut()
    script = serializers.CharField(help_text="For the router's terminal.")
    server = serializers.CharField(
        help_text="For this server's configuration; empty while the router's key is missing."
    )
    command = serializers.CharField(help_text="The same as a command; empty with SSTP.")


class KeyIn(StrictSerializer):
    public_key = TextField(max_length=200, help_text="As the router printed it.")


class TunnelReportOut(OutSerializer):
    """How far a check came."""

    is_ok = serializers.BooleanField()
    problem = serializers.CharField(help_text="Where it ended, as a sentence; empty: all the way.")
    connect_ms = serializers.IntegerField(allow_null=True)
    ask_ms = serializers.IntegerField(allow_null=True)
    version = serializers.CharField()
    handshake = serializers.CharField(help_text="Since when, in the router's words; empty where it does not say.")


class ConnectingMixin:
    """Steps of connecting a router, as actions of the locations' view set."""

    @extend_schema(request=ConnectIn, responses={201: LocationOut})
    @action(detail=False, methods=["post"])
    def connect(self: Any, request: Request) -> Response:
        """Add a router to be prepared: encrypted, with a user of our own, switched off. Nothing is contacted.

        Then `prepare-access`, paste, `certificate`, `trust-certificate`, `check-access`, and `is_active` by PATCH. Behind
        NAT `issue-tunnel` and `tunnel-key` come first.
        """
        asked = self.checked(ConnectIn)
        way = asked.pop("tunnel", "")
        location = location_connect(**asked, way=way, **who(request))
        return self.answer(self.fresh(location), 201)  # type: ignore[no-any-return]

    @extend_schema(request=PrepareIn, responses={200: PreparedOut})
    @action(detail=True, methods=["post"], url_path="prepare-access")
    def prepare_access(self: Any, request: Request, pk: str) -> Response:
        """A new password for our user, and the commands that make this user on the router. Nothing is sent to it.

        The login in use stays until `check-access` proved the new one.
        """
        location, asked = self.get_object(), self.checked(PrepareIn)
        is_plain = location.tls_mode == TlsMode.NONE
        if is_plain and asked["closes_plain"]:
            sentence = _("This location uses the API without encryption itself.")
            raise DomainError("location.closes_plain", sentence, {"closes_plain": sentence})
        asked.setdefault("allowed_from", allowed_suggested(location))
        prepared = login_prepare(location, **asked, is_plain=is_plain, **who(request))
        return Response(PreparedOut(prepared).data)

    @extend_schema(responses={200: TunnelStateOut}, filters=False)
    @action(detail=True, methods=["get"])
    def tunnel(self: Any, request: Request, pk: str) -> Response:
        """The tunnel of a router behind NAT, as far as this server knows it."""
        return _tunnel_answer(self.get_object())

    @extend_schema(request=IssueIn, responses={200: IssuedOut})
    @action(detail=True, methods=["post"], url_path="issue-tunnel")
    def issue_tunnel(self: Any, request: Request, pk: str) -> Response:
        """New secrets for the tunnel and the commands for the router; the old ones are worth nothing any more."""
        location = self.get_object()
        return Response(IssuedOut(tunnel_print(location, **self.checked(IssueIn), **who(request))).data)

    @extend_schema(request=KeyIn, responses={200: IssuedOut})
    @action(detail=True, methods=["post"], url_path="tunnel-key")
    def tunnel_key(self: Any, request: Request, pk: str) -> Response:
        """Enter the public key that the router printed; answers with this server's side of the tunnel."""
        location = self.get_object()
        return Response(IssuedOut(tunnel_key_put(location, **self.checked(KeyIn), **who(request))).data)

    @extend_schema(request=NoInput, responses={200: TunnelReportOut})
    @action(detail=True, methods=["post"], url_path="check-tunnel")
    def check_tunnel(self: Any, request: Request, pk: str) -> Response:
        """Connect to the tunnel's address, log in, and ask the router for its side. Changes nothing."""
        location = self.get_object()
        self.checked(NoInput)
        return Response(TunnelReportOut(tunnel_check(location)).data)

    @extend_schema(request=NoInput, responses={200: TunnelStateOut})
    @action(detail=True, methods=["post"], url_path="use-tunnel")
    def use_tunnel(self: Any, request: Request, pk: str) -> Response:
        """From now on the router is reached through its tunnel."""
        location = self.get_object()
        self.checked(NoInput)
        return _tunnel_answer(tunnel_use(location, **who(request)))

    @extend_schema(request=NoInput, responses={200: TunnelStateOut})
    @action(detail=True, methods=["post"], url_path="remove-tunnel")
    def remove_tunnel(self: Any, request: Request, pk: str) -> Response:
        """Forget the tunnel; refused while the router is reached through it."""
        location = self.get_object()
        self.checked(NoInput)
        tunnel_remove(location, **who(request))
        return _tunnel_answer(location)


def _tunnel_answer(location: Location) -> Response:
    tunnel = RouterTunnel.objects.filter(location=location).select_related("location").first()
    facts = {"endpoint": setting(ENDPOINT), "server_address": server_address(), "tunnel": tunnel}
    return Response(TunnelStateOut(facts).data)
