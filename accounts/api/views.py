"""Who is asking: tokens for programs, a session for pages, and what the role may do."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest
from django.middleware.csrf import get_token
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.serializers import CredentialsIn, MeOut, RefreshIn, SessionOut, TokensOut
from accounts.api.tokens import tokens_end, tokens_issue, tokens_rotate
from accounts.models import User
from accounts.throttle import login_attempt
from core.api.permissions import is_staff_member
from core.api.views import HouseView


def _me(user: User) -> dict[str, Any]:
    return {
        "id": user.pk, "username": user.username, "email": user.email, "role": user.role,
        "language": user.language,
        "permissions": sorted(user.get_all_permissions()),
    }  # fmt: skip


def _login_checked(request: Request, data: dict[str, Any]) -> User:
    """The person behind name and password. One sentence for every mistake, or names could be found out."""
    login_attempt(request._request, data["username"])
    user = authenticate(request._request, username=data["username"], password=data["password"])
    if not isinstance(user, User) or not is_staff_member(user):
        raise AuthenticationFailed
    return user


class _OpenView(HouseView):
    """Needs no login."""

    permission_classes = (AllowAny,)

    def perform_authentication(self, request: Request) -> None:
        self.check_throttles(request)


class TokenView(_OpenView):
    authentication_classes = ()
    action_permissions = {"post": ""}

    @extend_schema(request=CredentialsIn, responses={200: TokensOut}, auth=[], operation_id="auth_token")
    def post(self, request: Request) -> Response:
        """Log in with name and password; answers a pair of tokens."""
        return Response(tokens_issue(_login_checked(request, self.checked(CredentialsIn))))

    def get_authenticate_header(self, request: HttpRequest | Request) -> str:
        return 'Bearer realm="api"'


class RefreshView(TokenView):
    @extend_schema(request=RefreshIn, responses={200: TokensOut}, auth=[], operation_id="auth_refresh")
    def post(self, request: Request) -> Response:
        """Exchange a refresh token, once, for a new pair."""
        return Response(tokens_rotate(self.checked(RefreshIn)["refresh"]))


class LogoutView(TokenView):
    @extend_schema(request=RefreshIn, responses={204: None}, auth=[], operation_id="auth_logout")
    def post(self, request: Request) -> Response:
        """Make a refresh token useless. Its access token ends by itself within 15 minutes."""
        tokens_end(self.checked(RefreshIn)["refresh"])
        return Response(status=204)


class SessionView(_OpenView):
    """Login for pages of the same site, by cookie."""

    authentication_classes = (SessionAuthentication,)
    action_permissions = {"get": "", "post": "", "delete": ""}

    @extend_schema(responses={200: SessionOut}, auth=[], operation_id="auth_session_read")
    def get(self, request: Request) -> Response:
        """The CSRF token, and who is logged in."""
        return Response(self._state(request))

    @extend_schema(request=CredentialsIn, responses={200: SessionOut}, auth=[], operation_id="auth_session_login")
    def post(self, request: Request) -> Response:
        """Log in: sets the session cookie. Needs the X-CSRFToken header also before anybody is logged in."""
        SessionAuthentication().enforce_csrf(request)
        user = _login_checked(request, self.checked(CredentialsIn))
        login(request._request, user)
        request.user = user
        return Response(self._state(request))

    @extend_schema(responses={204: None}, operation_id="auth_session_logout")
    def delete(self, request: Request) -> Response:
        """Log out."""
        SessionAuthentication().enforce_csrf(request)
        logout(request._request)
        return Response(status=204)

    def get_authenticate_header(self, request: HttpRequest | Request) -> str:
        return 'Bearer realm="api"'

    def _state(self, request: Request) -> dict[str, Any]:
        user = request._request.user
        return {
            "csrf_token": get_token(request._request),
            "user": _me(user) if isinstance(user, User) else None,
        }


class MeView(HouseView):
    action_permissions = {"get": ""}

    @extend_schema(responses={200: MeOut}, operation_id="me")
    def get(self, request: Request) -> Response:
        """Who I am, and what my role may do."""
        return Response(_me(self.caller))
