"""Preparing a router: the commands that make our user on it, and the check of what this user may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin import Page, add_page, style_form
from core.client_ip import client_ip
from core.errors import DomainError
from core.formats import moment
from core.words import Tone, Words
from locations.access_rights import CORE, OPTIONAL
from locations.access_scripts import V6, V7
from locations.admin.certificate import certificate_url, question_words
from locations.admin.tunnel import tunnel_url
from locations.choices import TlsMode, TunnelKind
from locations.models import Location, RouterLogin
from locations.services import (
    AccessReport,
    access_check,
    allowed_suggested,
    certificate_state,
    location_change,
    location_connect,
    login_prepare,
)

if TYPE_CHECKING:
    from core.admin import ModelAdmin

PREPARE, CHECK, ADD = "locations.change_location", "locations.test_location", "locations.add_location"


def access_url(location_id: int) -> str:
    return reverse("admin:locations_location_access", args=[location_id])


class ScriptForm(forms.Form):
    ros_version = forms.ChoiceField(
        label=gettext_lazy("RouterOS"), choices=[(V7, "7.x"), (V6, "6.49")], initial=V7,
        help_text=gettext_lazy("WinBox shows it in its title; System, Resources shows it too."),
    )  # fmt: skip
    allowed_from = forms.CharField(
        label=gettext_lazy("this server's address as the router sees it"), required=False, max_length=200,
        help_text=gettext_lazy(
            "The router lets our user in from there only. Several with commas. Empty: from everywhere, which is not wise. "
            "The check below says which address the router really sees."
        ),
    )  # fmt: skip
    features = forms.MultipleChoiceField(
        label=gettext_lazy("what else may we do there"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Each gives our user one more right. What you do not tick does not work, nothing else."),
    )  # fmt: skip
    closes_plain = forms.BooleanField(
        label=gettext_lazy("switch the API without encryption off"), required=False,
        help_text=gettext_lazy("Only when nothing else uses it, for example Mikhmon."),
    )  # fmt: skip

    def __init__(self, *args: Any, location: Location, login: RouterLogin | None, **kwargs: Any) -> None:
        start: dict[str, Any] = {"allowed_from": allowed_suggested(location)}
        if login is not None:
            start = {
                "allowed_from": login.allowed_from, "features": login.features, "ros_version": login.ros_version,
            }  # fmt: skip
        super().__init__(*args, **{"initial": start, **kwargs})
        choices: Any = self.fields["features"]
        choices.choices = [(one.key, f"{one.label} ({', '.join(one.policies)})") for one in OPTIONAL]
        if location.tls_mode == TlsMode.NONE:
            del self.fields["closes_plain"]
        style_form(self)


def access_page(model_admin: ModelAdmin[Location], request: HttpRequest, object_id: str) -> HttpResponse:
    """GET shows the steps; POST `script` prints commands once, `check` asks the router, `switch_on` begins the work."""
    row = model_admin.row_for(request, object_id, PREPARE)
    if request.method == "POST":
        match request.POST.get("do"):
            case "script":
                return _script(model_admin, request, row)
            case "check":
                return _check(model_admin, request, row)
            case _:
                return _switch_on(request, row)
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    return _page(model_admin, request, row)


def _who(request: HttpRequest) -> dict[str, Any]:
    return {"actor": request.user, "ip": client_ip(request)}


def _script(model_admin: ModelAdmin[Location], request: HttpRequest, row: Location) -> HttpResponse:
    form = ScriptForm(request.POST, location=row, login=_login(row))
    if not form.is_valid():
        return _page(model_admin, request, row, form=form, status=422)
    data = form.cleaned_data
    try:
        prepared = login_prepare(
            row, ros_version=data["ros_version"], features=data["features"], allowed_from=data["allowed_from"],
            is_plain=row.tls_mode == TlsMode.NONE, closes_plain=data.get("closes_plain", False), **_who(request),
        )  # fmt: skip
    except DomainError as error:
        form.add_error("allowed_from" if "allowed_from" in error.fields else None, str(error.message))
        return _page(model_admin, request, row, form=form, status=422)
    return _page(model_admin, request, row, script=prepared.script)


def _check(model_admin: ModelAdmin[Location], request: HttpRequest, row: Location) -> HttpResponse:
    if not request.user.has_perm(CHECK):
        raise PermissionDenied
    try:
        report = access_check(row, **_who(request))
    except DomainError as error:
        return _page(model_admin, request, row, problem=str(error.message))
    fresh = model_admin.get_object(request, str(row.pk)) or row
    return _page(model_admin, request, fresh, report=report)


def _switch_on(request: HttpRequest, row: Location) -> HttpResponse:
    location_change(row, is_active=True, **_who(request))
    messages.success(request, _("The location is switched on. Its router is contacted now."))
    return HttpResponseRedirect(reverse("admin:locations_location_change", args=[row.pk]))


def _login(row: Location) -> RouterLogin | None:
    return RouterLogin.objects.filter(location=row).first()


def login_words(row: Location, login: RouterLogin | None) -> Words:
    """Which user is in use, and whether a prepared one waits."""
    if login is None and row.password:
        return Words(Tone.QUIET, "lock", _("User “%(name)s” is in use; it was not made here") % {"name": row.username})
    if login is None:
        return Words(Tone.WAITING, "schedule", _("No user prepared yet"))
    if login.proven_at is None:
        at = {"at": moment(login.prepared_at, row.timezone)}
        return Words(
            Tone.WAITING, "schedule", _("Commands printed %(at)s; waiting for you to paste them and check") % at
        )
    text = _("User “%(name)s” is in use, checked %(at)s")
    return Words(Tone.GOOD, "check_circle", text % {"name": row.username, "at": moment(login.proven_at, row.timezone)})


def report_lines(report: AccessReport) -> list[Words]:
    """What the check found, one sentence each; what is good is said too."""
    lines = []
    for one in report.features:
        if not one.missing:
            if one.is_chosen and report.granted is not None:
                lines.append(Words(Tone.GOOD, "check_circle", _("Works: %(what)s") % {"what": one.feature.label}))
            continue
        values = {"what": one.feature.label, "policies": ", ".join(one.missing)}
        if one.is_chosen:
            lines.append(Words(Tone.BAD, "error", _("Does not work: %(what)s. Missing: %(policies)s") % values))
        else:
            lines.append(Words(Tone.QUIET, "block", _("Not chosen: %(what)s (%(policies)s)") % values))
    return [*lines, *_warnings(report)]


def _warnings(report: AccessReport) -> list[Words]:
    found = []
    if report.granted is None:
        text = _("The router does not say which rights this user has. It may be known from a RADIUS server.")
        found.append(Words(Tone.WAITING, "help", text))
    if report.extra:
        text = _("More rights than needed: %(policies)s. Whoever gets this password has them too.")
        found.append(Words(Tone.WAITING, "warning", text % {"policies": ", ".join(report.extra)}))
    if report.granted is not None and not report.allowed_from:
        text = _("The user may log in from every address. Print the commands again with this server's address.")
        found.append(Words(Tone.WAITING, "warning", text))
    if report.open_services:
        text = _("Open to every address: %(services)s (IP, Services).")
        found.append(Words(Tone.WAITING, "warning", text % {"services": ", ".join(report.open_services)}))
    if report.seen_from:
        text = _("The router sees this server as %(addresses)s.")
        found.append(Words(Tone.QUIET, "router", text % {"addresses": ", ".join(report.seen_from)}))
    return found


def _page(
    model_admin: ModelAdmin[Location], request: HttpRequest, row: Location, *, form: ScriptForm | None = None,
    script: str = "", report: AccessReport | None = None, problem: str = "", status: int = 200,
) -> HttpResponse:  # fmt: skip
    login = _login(row)
    is_pinned = row.tls_mode == TlsMode.PINNED
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Prepare the router of %(name)s") % {"name": row.name}, "original": row, "opts": model_admin.opts,
        "form": form or ScriptForm(location=row, login=login), "script": script, "words": login_words(row, login),
        "core": ", ".join(CORE), "is_plain": row.tls_mode == TlsMode.NONE,
        "certificate_url": certificate_url(row.pk) if is_pinned else "",
        "certificate_words": question_words(certificate_state(row)) if is_pinned else None,
        "report": report, "lines": report_lines(report) if report else [], "problem": problem,
        "can_check": request.user.has_perm(CHECK) and bool(login or row.password),
        "can_switch_on": not row.is_active and login is not None and login.proven_at is not None,
        "back": reverse("admin:locations_location_change", args=[row.pk]),
    }  # fmt: skip
    response = TemplateResponse(request, "locations/admin/access.html", context, status=status)
    response["Cache-Control"] = "no-store"  # a password may stand on it
    return response


class ConnectForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("name of the place"), max_length=80)
    host = forms.CharField(
        label=gettext_lazy("address of the router"), max_length=255, required=False,
        help_text=gettext_lazy("Host name or IP address, as this server reaches it. Empty with a tunnel."),
    )  # fmt: skip

    way = forms.ChoiceField(
        label=gettext_lazy("how this server reaches it"), initial="",
        choices=[
            ("", gettext_lazy("at the address above")),
            (TunnelKind.WIREGUARD.value, gettext_lazy("it is behind NAT: a WireGuard tunnel (RouterOS 7)")),
            (TunnelKind.SSTP.value, gettext_lazy("it is behind NAT: an SSTP tunnel (RouterOS 6)")),
        ],
        required=False,
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        style_form(self)


def connect_page(request: HttpRequest) -> HttpResponseBase:
    """Step one of a new location: its name and address. It stays switched off until its router was prepared and checked."""
    form = ConnectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            location = location_connect(**form.cleaned_data, **_who(request))
        except DomainError as error:
            named = {key: text for key, text in error.fields.items() if key in form.fields}
            for key, text in named.items():
                form.add_error(key, text)
            if not named:
                form.add_error(None, str(error.message))
        else:
            leads_to = tunnel_url if form.cleaned_data["way"] else access_url
            return HttpResponseRedirect(leads_to(location.pk))
    context = {
        **admin.site.each_context(request),
        "title": _("Connect a router"), "form": form, "by_hand": reverse("admin:locations_location_add"),
        "back": reverse("admin:locations_location_changelist"),
    }  # fmt: skip
    return TemplateResponse(request, "locations/admin/connect.html", context, status=422 if form.errors else 200)


add_page(
    Page(
        "connect-router/", "router_connect", connect_page, permission=ADD, group="routers",
        title=gettext_lazy("Connect a router"), icon="lock", order=12,
    )
)  # fmt: skip
