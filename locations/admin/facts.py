"""A router's facts for the screen, and the page of a connection test."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from core.clock import now
from core.formats import data_size, duration, number
from core.words import Tone, Words
from locations.choices import Reach
from locations.models import Location, RouterState
from locations.selectors import LICENCE_ALERT, licence_uses, replacement_progress
from locations.services import TestResult
from locations.words import pace_words, reach_words, replacement_words
from locations.words_connection import fingerprint_words
from locations.words_health import skew_text

if TYPE_CHECKING:
    from core.admin import ModelAdmin


def location_words(row: Location, waiting: int) -> Words:
    state: RouterState | None = getattr(row, "state", None)
    if not row.is_active:
        return Words(Tone.QUIET, "block", _("Switched off by us"))
    if state is None:
        return reach_words(Reach.UNKNOWN, None, None)
    return reach_words(state.reach, state.reach_since, state.seen_at, waiting=waiting, zone=row.timezone)


def accounts_url(location_id: int | None, state: str = "") -> str:
    query = [f"location__id__exact={location_id}"] if location_id else []
    query += [f"state={state}"] if state else []
    return reverse("admin:locations_accessaccount_changelist") + "?" + "&".join(query)


def entries_url(location_id: int, state: str = "") -> str:
    query = f"?location__id__exact={location_id}" + (f"&state={state}" if state else "")
    return reverse("admin:locations_routerentry_changelist") + query


def router_facts(state: RouterState | None) -> list[tuple[str, str]]:
    """What the router told us about itself; empty before the first contact."""
    if state is None:
        return []
    skew = state.clock_skew_seconds
    facts = [
        (_("Name on the router"), state.identity),
        (_("Model"), state.model),
        (_("RouterOS"), state.version),
        (_("Serial number"), state.serial),
        (_("Running for"), duration(state.uptime_seconds) if state.uptime_seconds is not None else ""),
        (_("Clock"), skew_text(skew) if skew is not None else ""),
        (_("CPU load"), f"{state.cpu_load} %" if state.cpu_load is not None else ""),
        (_("Pace of changes"), pace_words(state)),
        (_("Free memory"), data_size(state.free_memory) if state.free_memory is not None else ""),
        (_("Licence limit"), number(state.licence_limit) if state.licence_limit else ""),
        (_("Entries on the router"), number(state.entry_count) if state.entry_count is not None else ""),
    ]
    return [(label, value) for label, value in facts if value]


def licence_words(location_id: int) -> Words | None:
    """From 80 % of the licence on: soon the router turns people away."""
    use = next(iter(licence_uses(location_id)), None)
    if use is None or use.share < LICENCE_ALERT:
        return None
    text = _("%(n)s of %(limit)s sessions of its licence are used")
    return Words(Tone.BAD, "warning", text % {"n": number(use.sessions), "limit": number(use.limit)})


REPLACEMENT_SHOWN = timedelta(days=7)


def replacement_facts(row: Location) -> dict[str, Any]:
    """The steps of a new router, while they go on and a week after."""
    progress = replacement_progress(row)
    if progress is None or (progress.finished_at and now() - progress.finished_at > REPLACEMENT_SHOWN):
        return {}
    steps = replacement_words(progress.status, confirmed=progress.confirmed, total=progress.total, held=progress.held)
    return {"replacement": progress, "replacement_steps": steps}


def test_page(
    model_admin: ModelAdmin[Location], request: HttpRequest, row: Location, result: TestResult
) -> HttpResponse:
    """What the connection test found, and the certificate to trust when that is the open question."""
    facts = [
        (_("Name on the router"), result.identity),
        (_("Model"), result.model),
        (_("RouterOS"), result.version),
        (_("Serial number"), result.serial),
        (_("Clock"), skew_text(result.clock_skew_seconds) if result.clock_skew_seconds is not None else ""),
        (_("Licence limit"), number(result.licence_limit) if result.licence_limit else ""),
        (_("Certificate SHA-256"), fingerprint_words(result.fingerprint)),
        (_("Missing policies"), ", ".join(result.missing_policies)),
    ]
    is_open = result.problem in {"unconfirmed", "certificate"}
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Connection test"), "original": row, "opts": model_admin.opts, "result": result,
        "facts": [(label, value) for label, value in facts if value],
        "words": Words(Tone.GOOD if result.ok else Tone.BAD, "check_circle" if result.ok else "error", result.sentence),
        "back": reverse("admin:locations_location_change", args=[row.pk]),
        "certificate_url": reverse("admin:locations_location_certificate", args=[row.pk]) if is_open else "",
    }  # fmt: skip
    return TemplateResponse(request, "locations/admin/test_result.html", context)
