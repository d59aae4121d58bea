"""The tunnel of a router behind NAT: commands for both sides, the key that comes back, and whether it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin.vendor import INPUT_CLASSES
from core.client_ip import client_ip
from core.errors import DomainError
from core.formats import data_size, moment
from core.numbers import whole_number
from core.settings_registry import setting
from core.words import Tone, Words
from locations.choices import TunnelKind
from locations.models import Location, RouterTunnel
from locations.services import (
    Issued,
    TunnelReport,
    tunnel_check,
    tunnel_key_put,
    tunnel_print,
    tunnel_remove,
    tunnel_use,
)
from locations.services.tunnels import server_address
from locations.tunnel_settings import ENDPOINT

if TYPE_CHECKING:
    from core.admin import ModelAdmin

CHANGE, CHECK = "locations.change_location", "locations.test_location"


def tunnel_url(location_id: int) -> str:
    return reverse("admin:locations_location_tunnel", args=[location_id])


def tunnel_page(model_admin: ModelAdmin[Location], request: HttpRequest, object_id: str) -> HttpResponse:
    """GET shows the steps. POST: `issue`, `key`, `check`, `use`, `remove`."""
    row = model_admin.row_for(request, object_id, CHANGE)
    if request.method in {"GET", "HEAD"}:
        return _page(model_admin, request, row)
    if request.method != "POST":
        return HttpResponseNotAllowed(["GET", "POST"])
    if request.POST.get("do") == "check" and not request.user.has_perm(CHECK):
        raise PermissionDenied
    try:
        return _act(model_admin, request, row)
    except DomainError as error:
        return _page(model_admin, request, row, problem=str(error.message), status=422)


def _act(model_admin: ModelAdmin[Location], request: HttpRequest, row: Location) -> HttpResponse:
    who: dict[str, Any] = {"actor": request.user, "ip": client_ip(request)}
    match request.POST.get("do"):
        case "issue":
            kind = TunnelKind.SSTP if request.POST.get("kind") == TunnelKind.SSTP else TunnelKind.WIREGUARD
            issued = tunnel_print(row, kind=kind, is_sure=bool(request.POST.get("sure")), **who)
            return _page(model_admin, request, row, issued=issued)
        case "key":
            key = request.POST.get("public_key", "")[:200]
            return _page(model_admin, request, row, issued=tunnel_key_put(row, public_key=key, **who))
        case "check":
            return _page(model_admin, request, row, report=tunnel_check(row))
        case "use":
            tunnel_use(row, **who)
            messages.success(request, _("From now on the router is reached through the tunnel."))
        case "remove":
            tunnel_remove(row, **who)
            messages.success(request, _("The tunnel is forgotten. Run tunnel_config on the server once more."))
    return HttpResponseRedirect(tunnel_url(row.pk))


def tunnel_words(row: Location, tunnel: RouterTunnel | None) -> Words:
    """How far the tunnel is, as far as this server knows."""
    if tunnel is None:
        return Words(Tone.QUIET, "block", _("No tunnel"))
    if tunnel.issued_at is None:
        return Words(Tone.WAITING, "schedule", _("Commands not printed yet"))
    if tunnel.kind == TunnelKind.WIREGUARD and not tunnel.public_key:
        return Words(Tone.WAITING, "schedule", _("Waiting for the public key that the router printed"))
    if row.host != tunnel.address:
        return Words(
            Tone.WAITING, "schedule", _("Prepared; the router is still reached at %(host)s") % {"host": row.host}
        )
    return Words(Tone.GOOD, "check_circle", _("The router is reached through it, at %(host)s") % {"host": row.host})


def report_lines(report: TunnelReport) -> list[Words]:
    """What the check found, step by step."""
    lines = []
    if report.connect_ms is not None:
        text = _("The address in the tunnel answers, after %(n)s ms")
        lines.append(Words(Tone.GOOD, "check_circle", text % {"n": report.connect_ms}))
    if report.ask_ms is not None:
        text = _("Logged in: RouterOS %(version)s, an answer takes %(n)s ms")
        lines.append(Words(Tone.GOOD, "check_circle", text % {"version": report.version, "n": report.ask_ms}))
    if report.problem:
        lines.append(Words(Tone.BAD, "error", report.problem))
    elif report.handshake:
        text = _("Last handshake of WireGuard, says the router: %(ago)s ago, %(size)s received")
        size = "–" if (received := whole_number(report.received)) is None else data_size(received)
        lines.append(Words(Tone.GOOD, "check_circle", text % {"ago": report.handshake, "size": size}))
    else:
        text = _("The router does not say when the tunnel was last set up; its interface may have another name.")
        lines.append(Words(Tone.QUIET, "help", text))
    return lines


def _page(
    model_admin: ModelAdmin[Location], request: HttpRequest, row: Location, *, issued: Issued | None = None,
    report: TunnelReport | None = None, problem: str = "", status: int = 200,
) -> HttpResponse:  # fmt: skip
    tunnel = RouterTunnel.objects.filter(location=row).first()
    is_sstp = tunnel is not None and tunnel.kind == TunnelKind.SSTP
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Tunnel to %(name)s") % {"name": row.name}, "original": row, "opts": model_admin.opts,
        "tunnel": tunnel, "words": tunnel_words(row, tunnel), "issued": issued, "is_sstp": is_sstp,
        "endpoint": setting(ENDPOINT), "server": server_address(), "kinds": TunnelKind.choices,
        "setting_url": reverse("admin:core_setting_change", args=[ENDPOINT]), "problem": problem,
        "may_set": request.user.has_perm("core.change_setting"),
        "issued_at": moment(tunnel.issued_at, row.timezone) if tunnel and tunnel.issued_at else "",
        "lines": report_lines(report) if report else [], "input_classes": " ".join(INPUT_CLASSES),
        "is_used": tunnel is not None and row.host == tunnel.address,
        "is_ready": tunnel is not None and (is_sstp or bool(tunnel.public_key)) and bool(tunnel.issued_at),
        "back": reverse("admin:locations_location_change", args=[row.pk]),
        "access_url": reverse("admin:locations_location_access", args=[row.pk]),
    }  # fmt: skip
    response = TemplateResponse(request, "locations/admin/tunnel.html", context, status=status)
    response["Cache-Control"] = "no-store"  # secrets may stand on it
    return response
