"""The configuration page of a location: its backup, its versions, what differs between two, and taking one out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from core import clock
from core.client_ip import client_ip
from core.errors import DomainError
from core.formats import data_size, moment, number
from core.numbers import whole_number
from core.panels import Tile
from core.words import Tone
from locations.admin.servers import SET_UP, server_url
from locations.models import ConfigBackup, ConfigVersion, Location
from locations.routeros.exports import masked
from locations.selectors_configs import backup_last, version_before, version_changes, versions_open
from locations.services import config_acknowledge, config_backup_ask, config_download
from locations.words_configs import backup_words, counts_text, version_words

if TYPE_CHECKING:
    from core.admin import ModelAdmin

VIEW, TAKE = "locations.view_configversion", "locations.add_configbackup"
ACKNOWLEDGE, DOWNLOAD = "locations.acknowledge_configversion", "locations.download_configversion"
VERSIONS_SHOWN, BACKUPS_SHOWN, CHANGES_SHOWN, LINES_SHOWN, TILES_SHOWN = 90, 10, 500, 3000, 3


def config_url(location_id: int) -> str:
    return reverse("admin:locations_location_configuration", args=[location_id])


def config_page(model_admin: ModelAdmin[Location], request: HttpRequest, object_id: str) -> HttpResponse:
    """GET shows; POST takes a backup now, notes that a change was looked at, or hands a version out with its secrets."""
    row = model_admin.row_for(request, object_id, VIEW)
    if request.method == "POST":
        return _act(request, row)
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    return TemplateResponse(request, "locations/admin/configuration.html", _context(model_admin, request, row))


def _act(request: HttpRequest, row: Location) -> HttpResponse:
    steps = {"take": TAKE, "seen": ACKNOWLEDGE, "download": DOWNLOAD}
    step = request.POST.get("do", "")
    if step not in steps:
        raise Http404
    if not request.user.has_perm(steps[step]):
        raise PermissionDenied
    who: dict[str, Any] = {"actor": request.user, "ip": client_ip(request)}
    back = config_url(row.pk)
    try:
        if step == "take":
            config_backup_ask(row, now=clock.now(), **who)
            messages.success(request, _("The router is asked for its configuration now. Look again in a moment."))
        else:
            version = _version(row, request.POST.get("version", ""))
            if version is None:
                raise Http404
            if step == "download":
                return _file(row, version, config_download(version, **who))
            config_acknowledge(version, now=clock.now(), **who)
            messages.success(request, _("Noted that you looked at this change."))
            back += f"?version={version.number}"
    except DomainError as error:
        messages.error(request, error.message)
    return HttpResponseRedirect(back)


def _file(row: Location, version: ConfigVersion, text: str) -> HttpResponse:
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="router-{row.pk}-{version.number}.rsc"'
    answer["Cache-Control"] = "no-store"
    return answer


def _version(row: Location, text: str) -> ConfigVersion | None:
    number = whole_number(text, digits=8)
    return None if number is None else ConfigVersion.objects.filter(location=row, number=number).first()


def _context(model_admin: ModelAdmin[Location], request: HttpRequest, row: Location) -> dict[str, Any]:
    now = clock.now()
    versions = list(ConfigVersion.objects.filter(location=row).defer("packed").order_by("-number")[:VERSIONS_SHOWN])
    backups = ConfigBackup.objects.filter(location=row).order_by("-pk")[:BACKUPS_SHOWN]
    return {
        **model_admin.admin_site.each_context(request),
        "title": _("Configuration of %(name)s") % {"name": row.name}, "original": row, "opts": model_admin.opts,
        "back": reverse("admin:locations_location_change", args=[row.pk]),
        "state_words": backup_words(backup_last(row.pk), row, now), "can_take": request.user.has_perm(TAKE),
        "can_acknowledge": request.user.has_perm(ACKNOWLEDGE), "can_download": request.user.has_perm(DOWNLOAD),
        "versions": [
            {
                "number": one.number, "taken": moment(one.taken_at, row.timezone), "counts": counts_text(one),
                "seen": moment(one.seen_at, row.timezone), "words": version_words(one),
                "secrets": _("with passwords") if one.has_secrets else _("without passwords"),
            }
            for one in versions
        ],
        "backups": [
            {
                "asked": moment(one.requested_at, row.timezone), "reason": one.get_reason_display(),
                "words": backup_words(one, row, now),
            }
            for one in backups
        ],
        **_shown(row, request),
    }  # fmt: skip


def _shown(row: Location, request: HttpRequest) -> dict[str, Any]:
    """One version and what differs from another one."""
    version = _version(row, request.GET.get("version", ""))
    if version is None:
        return {"version": None}
    other = _version(row, request.GET.get("with", "")) or version_before(version)
    older, newer = (other, version) if other is None or other.number < version.number else (version, other)
    found = version_changes(older, newer)
    lines = version.lines
    return {
        "version": version, "other": other, "older": older, "newer": newer, "changes": found[:CHANGES_SHOWN],
        "changes_left": max(0, len(found) - CHANGES_SHOWN), "version_words": version_words(version),
        "text": "\n".join(masked(line) for line in lines[:LINES_SHOWN]),
        "lines_left": max(0, len(lines) - LINES_SHOWN),
        "version_facts": [
            (_("First seen"), moment(version.taken_at, row.timezone)),
            (_("Last seen"), moment(version.seen_at, row.timezone)),
            (_("RouterOS"), version.router_version),
            (_("Serial number"), version.router_serial),
            (_("Size"), f"{number(version.line_count)} · {data_size(version.size)}"),
            (_("Passwords"), _("kept, encrypted") if version.has_secrets else _("not in it: the router user may not see them")),
            (_("Lines of this system, left out"), number(version.left_out)),
        ],
    }  # fmt: skip


def config_facts(request: HttpRequest, row: Location) -> dict[str, Any]:
    """What the location's page says about its configuration backup."""
    shown: dict[str, Any] = {}
    if request.user.has_perm(SET_UP):
        shown["server_url"] = server_url(row.pk)
    if not request.user.has_perm(VIEW):
        return shown
    return {
        **shown,
        "config_words": backup_words(backup_last(row.pk), row, clock.now()),
        "config_url": config_url(row.pk),
    }


def config_tiles(user: Any) -> list[Tile]:
    """One per router whose configuration others changed, until somebody looked."""
    if not user.has_perm(VIEW):
        return []
    rows = versions_open(user).select_related("location").order_by("-pk")[:TILES_SHOWN]
    return [
        Tile(
            _("Configuration changed"), row.location.name, f"{config_url(row.location_id)}?version={row.number}",
            Tone.BAD, "warning", counts_text(row),
        )
        for row in rows
    ]  # fmt: skip
