"""How routers fare: a page for one and a page for all, with the strip of the last 24 hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock
from core.admin.pages import Page, add_page
from core.formats import duration
from core.numbers import page_number
from locations.admin.facts import location_words
from locations.choices import NOT_REACHED, Reach
from locations.models import Location, RouterState
from locations.selectors import licence_uses, locations_visible_to
from locations.selectors_health import (
    CELLS,
    Cell,
    Quarter,
    Run,
    alerts_open,
    quarters_of,
    reboot_shown,
    runs_of,
)
from locations.words_health import (
    HEIGHT,
    Graph,
    alert_words,
    cell_words,
    error_text,
    figure,
    graph,
    health_facts,
    hour_titles,
    memory_text,
    reboot_words,
    span_text,
    strip_sentence,
)

if TYPE_CHECKING:
    from core.admin import ModelAdmin

TAKEN_LOW = {Cell.UP: 0, Cell.PARTLY: 8, Cell.DOWN: 16, Cell.UNKNOWN: 22}  # where a bar of the strip begins, of 24
OUTAGES_SHOWN = 30
PER_PAGE = 250


def health_page(
    model_admin: ModelAdmin[Location], request: HttpRequest, object_id: str, *, is_live: bool
) -> HttpResponse:
    """One router: state, warnings, strip, graphs, outages, a restart under way. `is_live` is the poll's part alone."""
    row = model_admin.row_for(request, object_id)
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET"])
    context = {
        "original": row, "live_template": "locations/admin/health_facts.html",
        "live_url": reverse("admin:locations_location_health_live", args=[row.pk]), **_one(row),
    }  # fmt: skip
    if is_live:
        return TemplateResponse(request, "core/admin/live.html", context)
    context |= {
        **model_admin.admin_site.each_context(request), "title": _("Health of %(name)s") % {"name": row.name},
        "opts": model_admin.opts, "back": reverse("admin:locations_location_change", args=[row.pk]),
        "links": looking_links(request, row),
    }  # fmt: skip
    return TemplateResponse(request, "locations/admin/health.html", context)


def looking_links(request: HttpRequest, row: Location) -> list[tuple[str, str, str]]:
    """(address, icon, words) of what this person may look up on the router itself."""
    found = []
    for name, icon, words, permission in (
        ("log", "list", _("Router's log"), "locations.read_routerlog"),
        ("ping", "network_check", _("Ping from the router"), "locations.ping_location"),
    ):
        if request.user.has_perm(permission):
            found.append((reverse(f"admin:locations_location_{name}", args=[row.pk]), icon, words))
    return found


def _one(row: Location) -> dict[str, Any]:
    now, state = clock.now(), getattr(row, "state", None)
    quarters = quarters_of([row.pk], now)[row.pk]
    runs = runs_of(quarters)
    reboot = reboot_shown(row, now)
    graphs = [
        graph(_("Round trip"), quarters, "latency_ms", "ms", row.timezone, now),
        graph(_("CPU load"), quarters, "cpu_load", "%", row.timezone, now),
        graph(_("Free memory"), quarters, "free_memory", "bytes", row.timezone, now),
    ]
    drawn = [one for one in graphs if one is not None]
    outages = [run for run in runs if run.cell != Cell.UP][-OUTAGES_SHOWN:]
    use = next(iter(licence_uses(row.pk)), None)
    return {
        "words": location_words(row, 0),
        "alerts": [alert_words(alert, row.timezone, now) for alert in alerts_open([row.pk]).get(row.pk, [])],
        "reboot": reboot_words(reboot, row.timezone, now) if reboot else None,
        "last_error": error_text(state.last_error) if state and state.reach in NOT_REACHED else "",
        "facts": health_facts(state, row.timezone),
        "licence": _("%(n)s of %(limit)s") % {"n": use.sessions, "limit": use.limit} if use else "",
        "strip": strip(quarters, runs, row.timezone, now),
        "outages": [
            (span_text(run, row.timezone, now), cell_words(run.cell), error_text(run.error))
            for run in reversed(outages)
        ],
        "graphs": drawn, "height": HEIGHT,
        "hours": _hours(hour_titles(quarters, row.timezone), drawn),
        "legend": [cell_words(cell) for cell in Cell],
    }  # fmt: skip


def _hours(titles: list[str], graphs: list[Graph]) -> list[list[tuple[str, str]]]:
    """Rows of the table: (label, value) of each hour and graph."""
    return [
        [(_("From"), title), *((one.title, one.cells[index]) for one in graphs)] for index, title in enumerate(titles)
    ]


def strip(quarters: list[Quarter], runs: list[Run], zone: str | None, now: Any) -> dict[str, Any]:
    """A bar for every run of equal quarters: full height answered, lower the worse, so that colour is not alone."""
    bars = [(run.first, TAKEN_LOW[run.cell], run.length, 24 - TAKEN_LOW[run.cell], run.cell.value) for run in runs]
    return {"bars": bars, "cells": CELLS, "sentence": strip_sentence(quarters, runs, zone, now)}


def all_page(request: HttpRequest, *, is_live: bool = False) -> HttpResponse:
    """Every router this person sees, those that need somebody first."""
    page = page_number(request.GET.get("page", ""))
    wanted = request.GET.get("show", "")
    lines = _all(request)
    counts = {"": len(lines), "trouble": sum(line["is_trouble"] for line in lines)}
    if wanted == "trouble":
        lines = [line for line in lines if line["is_trouble"]]
    shown = lines[(page - 1) * PER_PAGE : page * PER_PAGE]
    _draw(shown)
    query = f"?show={wanted if wanted == 'trouble' else ''}&page={page}"
    context = {
        "lines": shown, "older": page + 1 if len(lines) > page * PER_PAGE else None,
        "newer": page - 1 if page > 1 else None, "show": wanted,
        "tabs": [("", _("All"), counts[""]), ("trouble", _("Need attention"), counts["trouble"])],
        "live_template": "locations/admin/health_all_facts.html",
        "live_url": reverse("admin:router_health_live") + query,
        "legend": [cell_words(cell) for cell in Cell],
    }  # fmt: skip
    if is_live:
        return TemplateResponse(request, "core/admin/live.html", context)
    from django.contrib import admin

    context |= {**admin.site.each_context(request), "title": _("Health of the routers")}
    return TemplateResponse(request, "locations/admin/health_all.html", context)


def all_live(request: HttpRequest) -> HttpResponse:
    return all_page(request, is_live=True)


def _all(request: HttpRequest) -> list[dict[str, Any]]:
    """One line per active location, without its strip: two queries, however many there are."""
    rows = list(locations_visible_to(request.user).filter(is_active=True).order_by("name"))  # type: ignore[arg-type]
    alerts = alerts_open([row.pk for row in rows])
    lines: list[dict[str, Any]] = []
    for row in rows:
        state: RouterState | None = getattr(row, "state", None)
        is_away = state is not None and state.reach in NOT_REACHED
        found = alerts.get(row.pk, [])
        lines.append(
            {"row": row, "state": state, "found": found, "is_trouble": is_away or bool(found), "is_away": is_away}
        )
    lines.sort(key=lambda line: (not line["is_away"], not line["is_trouble"], line["row"].name.casefold()))
    return lines


def _draw(lines: list[dict[str, Any]]) -> None:
    """What only the shown page needs."""
    now = clock.now()
    quarters = quarters_of([line["row"].pk for line in lines], now, is_strip_only=True)
    for line in lines:
        row, state = line["row"], line["state"]
        mine = quarters[row.pk]
        line |= {
            "url": reverse("admin:locations_location_health", args=[row.pk]),
            "words": location_words(row, 0),
            "alerts": [alert_words(alert, row.timezone, now) for alert in line["found"]],
            "strip": strip(mine, runs_of(mine), row.timezone, now),
            "figures": _figures(state),
        }


def _figures(state: RouterState | None) -> list[str]:
    """Round trip, CPU load, free memory, running for, version; a dash for what nobody told, or not any more."""
    if state is None or state.reach != Reach.ONLINE:
        return ["–"] * 4 + [state.version if state and state.version else "–"]
    return [
        figure(state.latency_ms, "ms") if state.latency_ms is not None else "–",
        figure(state.cpu_load, "%") if state.cpu_load is not None else "–",
        memory_text(state) or "–",
        duration(state.uptime_seconds) if state.uptime_seconds is not None else "–",
        state.version or "–",
    ]


add_page(
    Page(
        "routers/health/", "router_health", all_page, "locations.view_location", group="routers",
        title=gettext_lazy("Health of the routers"), icon="monitor_heart", order=12,
    )
)  # fmt: skip
add_page(Page("routers/health/live/", "router_health_live", all_live, "locations.view_location"))
