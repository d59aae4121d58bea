"""What every page of ours has in common: who may open it, its policy, and that nobody stores it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from csp.decorators import csp
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from core.admin.theme import site_name
from core.csp import STRICT

View = Callable[..., HttpResponse]


def staff_page(permission: str = "") -> Callable[[View], View]:
    """Read-only page for members of staff who have `permission`; others log in first, or are refused."""
    return lambda view: require_safe(_guarded(permission, view))


def staff_action(permission: str) -> Callable[[View], View]:
    """The same for what changes something: POST only, with the token of the form."""
    return lambda view: _guarded(permission, require_POST(view))


def _guarded(permission: str, view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        if not (user.is_authenticated and user.is_active and user.is_staff):
            return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
        if permission and not user.has_perm(permission):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return cast("View", never_cache(csp(STRICT)(guarded)))


def staff_of(request: HttpRequest) -> User:
    """The person behind a request that `staff_page` let in."""
    return cast("User", request.user)


def page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """A page in the frame of `dashboard/base.html`."""
    return render(request, template, {"site_name": site_name(request), **context})
