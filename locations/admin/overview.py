"""The routers' numbers on the index."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin.paginator import COUNT_LIMIT, EstimatedPaginator
from core.formats import number
from core.panels import FirstStep, IndexPanel, Tile, add_first_step, add_index_panel
from core.words import Tone
from locations.admin.facts import accounts_url
from locations.choices import NOT_REACHED, Hold, Reach
from locations.models import NOT_SYNCED, Location
from locations.selectors import accounts_visible_to, certificates_unconfirmed, locations_visible_to
from locations.words_connection import certificate_sentence

CERTIFICATES_SHOWN = 4


def router_tiles(request: HttpRequest) -> list[Tile]:
    """Online and offline routers, changes that wait, changes that need a person."""
    user = request.user
    routers = locations_visible_to(user).filter(is_active=True).aggregate(  # type: ignore[arg-type]
        online=Count("pk", filter=Q(state__reach=Reach.ONLINE)),
        away=Count("pk", filter=Q(state__reach__in=NOT_REACHED)),
        unconfirmed=Count("pk", filter=Q(state__other_fingerprint__gt="")),
        unknown=Count("pk", filter=Q(state__reach=Reach.UNKNOWN) | Q(state=None)),
    )  # fmt: skip
    accounts = accounts_visible_to(user)  # type: ignore[arg-type]
    # counted to 10,000 at most: after a large batch a million rows wait, and this runs on every poll
    waiting = EstimatedPaginator(accounts.filter(NOT_SYNCED, hold=Hold.NONE), COUNT_LIMIT)
    held = accounts.exclude(hold=Hold.NONE).count()
    places = reverse("admin:locations_location_changelist")
    tiles = [
        Tile(_("Routers online"), number(routers["online"]), places, Tone.GOOD, "check_circle"),
        Tile(
            _("Routers not reached"), number(routers["away"]), places,
            Tone.BAD if routers["away"] else Tone.QUIET, "cloud_off",
            _("their changes wait") if routers["away"] else "",
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
    if routers["unconfirmed"]:
        tiles += certificate_tiles(user)
    if routers["unknown"]:
        tiles.insert(2, Tile(_("Not contacted yet"), number(routers["unknown"]), places, Tone.QUIET, "router"))
    return tiles


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
