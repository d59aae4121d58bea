from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.requests import who
from core.api.serializers import NoInput
from core.api.views import RoomViewSet
from core.errors import DomainError
from locations.api.filters import AccountFilter
from locations.api.serializers import AccountRowOut, SwitchIn, SwitchOut
from locations.api.traffic import AccountTrafficMixin
from locations.choices import OWN_TAG
from locations.models import AccessAccount
from locations.selectors import accounts_visible_to, profiles_to_switch_to
from locations.services import (
    account_disable,
    account_enable,
    account_kick,
    account_open_now,
    conflict_adopt,
    location_switch,
)


class AccountViewSet(AccountTrafficMixin, RoomViewSet):
    """Logins on routers: hotspot users and PPP secrets. Passwords are never answered."""

    model = AccessAccount
    list_serializer = AccountRowOut
    detail_serializer = AccountRowOut
    filterset_class = AccountFilter
    http_method_names = ["get", "head", "post"]
    action_permissions = {
        "list": "locations.view_accessaccount",
        "retrieve": "locations.view_accessaccount",
        "usage": "locations.view_accessaccount",
        "now": "locations.view_accessaccount",
        "disable": "locations.disable_accessaccount",
        "enable": "locations.disable_accessaccount",
        "kick": "locations.kick_accessaccount",
        "adopt": "locations.adopt_accessaccount",
        "open_now": "locations.open_accessaccount",
        "switch": "locations.change_accessaccount",
    }

    def visible(self) -> QuerySet[AccessAccount]:
        return accounts_visible_to(self.caller).select_related("location", "profile")

    @extend_schema(request=NoInput, responses={200: AccountRowOut})
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """Switch the login off on its router; its session ends."""
        return self._command(account_disable)

    @extend_schema(request=NoInput, responses={200: AccountRowOut})
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, pk: str) -> Response:
        """Switch the login on again."""
        return self._command(account_enable)

    @extend_schema(request=NoInput, responses={200: AccountRowOut})
    @action(detail=True, methods=["post"])
    def kick(self, request: Request, pk: str) -> Response:
        """End its sessions and cookies once; it may log in again."""
        return self._command(account_kick)

    @extend_schema(request=NoInput, responses={200: AccountRowOut})
    @action(detail=True, methods=["post"])
    def adopt(self, request: Request, pk: str) -> Response:
        """Decide a conflict: the router's entry of this name is this account."""
        return self._command(conflict_adopt)

    @extend_schema(request=NoInput, responses={200: AccountRowOut})
    @action(detail=True, methods=["post"], url_path="open-now")
    def open_now(self, request: Request, pk: str) -> Response:
        """Open a moved login though the old router, which cannot be reached, has not confirmed that it is gone there."""
        return self._command(account_open_now)

    @extend_schema(request=SwitchIn, responses={200: SwitchOut})
    @action(detail=True, methods=["post"])
    def switch(self, request: Request, pk: str) -> Response:
        """Serve a login of staff (tag `a`) at another location: removed at the old one first, never open at both.

        The login of a service moves with `subscriptions/{id}/move/`, a voucher with `vouchers/{id}/move/`.
        """
        account = self.get_object()
        given = self.checked(SwitchIn)
        if account.tag != OWN_TAG:
            message = _("This login belongs to a service or a voucher, and moves with it.")
            raise DomainError("account.not_own", message, status=409)
        profile = profiles_to_switch_to(account, self.caller).filter(pk=given["profile"]).first()
        if profile is None:
            message = _("There is no such profile at another location of yours.")
            raise DomainError("account.profile", message, {"profile": message})
        done = location_switch(
            account, to=profile.location, profile=profile, static_address=given.get("static_address"), **who(request)
        )
        return Response(SwitchOut(done).data)

    def _command(self, service: Any) -> Response:
        account = self.get_object()
        self.checked(NoInput)
        service(account, **who(self.request))
        return self.answer(self.fresh(account))
