"""Steps of a person on pages about routers: a login goes to another location, a router is switched off and on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.admin import Confirmation, ConfirmForm
from core.client_ip import client_ip
from core.formats import number
from locations.choices import OWN_TAG, Kind, Presence
from locations.models import AccessAccount, Location, RouterProfile
from locations.selectors import profiles_to_switch_to, waiting_count
from locations.services import location_change, location_switch


class _ProfileField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, profile: RouterProfile) -> str:
        return f"{profile.location.name} · {profile.name}"


def _form(profiles: QuerySet[RouterProfile], kind: str) -> type[ConfirmForm]:
    class SwitchForm(ConfirmForm):
        profile = _ProfileField(profiles, label=gettext_lazy("location and profile"))
        if kind == Kind.STATIC:
            static_address = forms.GenericIPAddressField(protocol="ipv4", label=gettext_lazy("its address there"))

    return SwitchForm


def switch(request: HttpRequest, row: AccessAccount) -> Confirmation | None:
    """Serve this login at another location from now on."""
    if row.presence == Presence.ABSENT or row.tag != OWN_TAG:
        return None
    profiles = profiles_to_switch_to(row, request.user)  # type: ignore[arg-type]
    if not profiles.exists():
        return None

    def run(data: dict[str, Any]) -> HttpResponse:
        profile = data["profile"]
        done = location_switch(
            row, to=profile.location, profile=profile, static_address=data.get("static_address"),
            actor=request.user, ip=client_ip(request),  # type: ignore[arg-type]
        )  # fmt: skip
        values = {"name": row.name, "new": profile.location.name, "old": row.location.name}
        if not done.waits_for:
            messages.success(request, _("%(name)s is served at %(new)s from now on.") % values)
        elif done.offline:
            text = _("%(name)s waits: %(old)s cannot be reached and still lets it in. It opens at %(new)s after that.")
            messages.warning(request, text % values)
        else:
            text = _("%(name)s opens at %(new)s as soon as %(old)s has confirmed that it is gone there.")
            messages.success(request, text % values)
        return HttpResponseRedirect(reverse("admin:locations_accessaccount_change", args=[done.account.pk]))

    return Confirmation(
        title=_("Move to another location"), button=_("Move"), run=run, icon="swap_horiz",
        question=_("Where shall %(name)s be served instead of %(old)s?")
        % {"name": row.name, "old": row.location.name},
        points=[
            _("Its session at %(old)s ends, and it is removed there first: it is never open at both places.")
            % {"old": row.location.name},
            _("Name, password, end and limits stay; what it used keeps counting."),
        ],
        form=_form(profiles, row.kind), permission="locations.change_accessaccount",
    )  # fmt: skip


def switch_off(request: HttpRequest, row: Location) -> Confirmation | None:
    """Nothing is asked of or sent to this router any more."""
    if not row.is_active:
        return None
    waiting = waiting_count(row.pk)

    def run(data: dict[str, Any]) -> str:
        location_change(row, is_active=False, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
        return _("%(name)s is switched off: its router is not contacted any more.") % {"name": row.name}

    points = [
        _("Nothing is read from or written to this router. It stays as it is: who is online there stays online."),
        _("Vouchers and services of this place are not put on it and not taken off it until it is switched on again."),
    ]
    if waiting:
        text = ngettext("%(n)s change waits until then.", "%(n)s changes wait until then.", waiting)
        points.append(text % {"n": number(waiting)})
    return Confirmation(
        title=_("Switch off"), button=_("Switch off"), run=run, icon="block", is_danger=True,
        question=_("Leave the router of %(name)s alone from now on?") % {"name": row.name}, points=points,
    )  # fmt: skip


def switch_on(request: HttpRequest, row: Location) -> Confirmation | None:
    """The router is contacted again, and gets what waited."""
    if row.is_active:
        return None
    waiting = waiting_count(row.pk)

    def run(data: dict[str, Any]) -> str:
        location_change(row, is_active=True, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
        return _("The location is switched on. Its router is contacted now.")

    points = [_("The router is contacted at once, compared, and gets what is wanted there.")]
    if waiting:
        text = ngettext("%(n)s change is sent now.", "%(n)s changes are sent now.", waiting)
        points.append(text % {"n": number(waiting)})
    return Confirmation(
        title=_("Switch on"), button=_("Switch on"), run=run, icon="check",
        question=_("Work with the router of %(name)s again?") % {"name": row.name}, points=points,
    )  # fmt: skip
