"""The routers' numbers on the index."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.admin.paginator import COUNT_LIMIT, EstimatedPaginator
from core.formats import moment_short, number
from core.panels import FirstStep, IndexPanel, Tile, add_first_step, add_index_panel
from core.words import Tone
from locations.admin.configs import config_tiles
from locations.admin.facts import accounts_url
from locations.choices import NOT_REACHED, Hold, Reach, RebootStatus
from locations.models import NOT_SYNCED, Location, RouterAlert, RouterReboot
from locations.selectors import accounts_visible_to, certificates_unconfirmed, locations_visible_to
from locations.selectors_health import CONFIRM_REBOOT, alerts_visible_to, reboots_asked
from locations.words_connection import certificate_sentence

CERTIFICATES_SHOWN = 4


def router_tiles(request: HttpRequest) -> list[Tile]:
    """Online and offline routers, changes that wait, changes that need a person."""
    user = request.user
    alerts = RouterAlert.objects.filter(location=OuterRef("pk"), told_at__isnull=False, ended_at=None)
    reboots = RouterReboot.objects.filter(location=OuterRef("pk"), status=RebootStatus.ASKED)
    routers = locations_visible_to(user).filter(is_active=True).aggregate(  # type: ignore[arg-type]
        online=Count("pk", filter=Q(state__reach=Reach.ONLINE)),
        away=Count("pk", filter=Q(state__reach__in=NOT_REACHED)),
        unconfirmed=Count("pk", filter=Q(state__other_fingerprint__gt="")),
        warned=Count("pk", filter=Exists(alerts)),
        asked=Count("pk", filter=Exists(reboots)),
        unknown=Count("pk", filter=Q(state__reach=Reach.UNKNOWN) | Q(state=None)),
    )  # fmt: skip
    accounts = accounts_visible_to(user)  # type: ignore[arg-type]
    # counted to 10,000 at most: after a large batch a million rows wait, and this runs on every poll
    waiting = EstimatedPaginator(accounts.filter(NOT_SYNCED, hold=Hold.NONE).order_by("pk"), COUNT_LIMIT)
    held = accounts.exclude(hold=Hold.NONE).count()
    places = reverse("admin:locations_location_changelist")
    health = reverse("admin:router_health") + "?show=trouble"
    tiles = [
        Tile(_("Routers online"), number(routers["online"]), places, Tone.GOOD, "check_circle"),
        Tile(
            _("Routers not reached"), number(routers["away"]), health if routers["away"] else places,
            Tone.BAD if routers["away"] else Tone.QUIET, "cloud_off",
            away_hint(user, routers["away"]) if routers["away"] else "",
        ),
        Tile(
            _("Waiting changes"), waiting.count_text, accounts_url(None, "waiting"),
            Tone.WAITING if waiting.count else Tone.QUIET, "schedule",
        ),
        Tile(
            _("Need a decision"), number(held), accounts_url(None, "held"), Tone.BAD if held else Tone.QUIET, "error",
            _("the router refused them") if held else "",
        ),
    ]  # fmt: skip
    if routers["warned"]:
        hint = alert_hint(user, routers["warned"])
        tiles.append(Tile(_("Routers with warnings"), number(routers["warned"]), health, Tone.BAD, "warning", hint))
    if routers["asked"]:
        tiles += reboot_tiles(user)
    if routers["unconfirmed"]:
        tiles += certificate_tiles(user)
    tiles += config_tiles(user)
    if routers["unknown"]:
        tiles.insert(2, Tile(_("Not contacted yet"), number(routers["unknown"]), places, Tone.QUIET, "router"))
    return tiles


def away_hint(user: Any, count: int) -> str:
    """Which router is away longest, since when."""
    rows = locations_visible_to(user).filter(is_active=True, state__reach__in=NOT_REACHED)
    first = rows.order_by("state__reach_since", "name").first()
    if first is None or first.state.reach_since is None:
        return _("their changes wait")
    values = {"name": first.name, "since": moment_short(first.state.reach_since, first.timezone)}
    return _and_more(_("“%(name)s” since %(since)s") % values, count) + "; " + _("their changes wait")


def alert_hint(user: Any, count: int) -> str:
    """The oldest warning that holds, since when."""
    first = alerts_visible_to(user).filter(ended_at=None, location__is_active=True).order_by("since", "pk").first()
    if first is None:
        return ""
    values = {
        "name": first.location.name, "what": first.get_kind_display(),
        "since": moment_short(first.since, first.location.timezone),
    }  # fmt: skip
    return _and_more(_("“%(name)s”: %(what)s since %(since)s") % values, count)


def _and_more(text: str, count: int) -> str:
    if count < 2:
        return text
    return text + " " + ngettext("and %(n)d more", "and %(n)d more", count - 1) % {"n": count - 1}


def reboot_tiles(user: Any) -> list[Tile]:
    """Restarts that wait for this person, when he may confirm them."""
    if not user.has_perm(CONFIRM_REBOOT):
        return []
    return [
        Tile(
            _("Confirm a restart"), row.location.name,
            reverse("admin:locations_location_change", args=[row.location_id]), Tone.WAITING, "refresh",
            _("asked for by %(who)s") % {"who": row.asked_by or "?"},
        )
        for row in reboots_asked(user).order_by("asked_at")[:CERTIFICATES_SHOWN]
    ]  # fmt: skip


def certificate_tiles(user: Any) -> list[Tile]:
    """One per router that shows a certificate nobody confirmed; old and new fingerprint, shortened."""
    waiting = certificates_unconfirmed(user)[:CERTIFICATES_SHOWN]
    return [
        Tile(
            _("Certificate not confirmed"), row.name, reverse("admin:locations_location_certificate", args=[row.pk]),
            Tone.BAD, "lock", certificate_sentence(row, groups=2),
        )
        for row in waiting
    ]  # fmt: skip


add_index_panel(IndexPanel(gettext_lazy("Routers"), router_tiles, "locations.view_location", order=20))
add_first_step(
    FirstStep(
        title=gettext_lazy("Add your first router"),
        text=gettext_lazy(
            "A location is one MikroTik router and the place it serves. You need its address and a user."
        ),
        button=gettext_lazy("Connect a router"),
        url_name="admin:router_connect",
        permission="locations.add_location",
        is_done=Location.objects.exists,
        order=10,
    )
)
