"""What a location's admin offers beyond its form: health, log, ping, and a restart that two people want."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from core import clock
from core.admin import Confirmation, ConfirmForm
from core.client_ip import client_ip
from core.panels import RowLink, add_row_link
from locations.admin.health import health_page
from locations.admin.looking import PING, READ_LOG, log_page, ping_page
from locations.choices import RebootStatus
from locations.models import Location, RouterReboot
from locations.selectors_health import CONFIRM_REBOOT, has_second_person, reboot_open
from locations.services import reboot_ask, reboot_cancel, reboot_confirm

if TYPE_CHECKING:
    from core.admin import ModelAdmin

    Base = ModelAdmin[Location]
else:
    Base = object

ASK_REBOOT = "locations.reboot_location"


class RebootForm(ConfirmForm):
    typed_name = forms.CharField(max_length=80, label=gettext_lazy("Type the location's name"))


class CareMixin(Base):
    """URLs and actions of one location; for `LocationAdmin`."""

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, Callable[[HttpRequest, str], HttpResponse]] = {
            "health": lambda request, object_id: health_page(self, request, object_id, is_live=False),
            "health/live": lambda request, object_id: health_page(self, request, object_id, is_live=True),
            "log": lambda request, object_id: log_page(self, request, object_id),
            "ping": lambda request, object_id: ping_page(self, request, object_id),
        }
        wrap = self.admin_site.admin_view
        own = [
            path(f"<path:object_id>/{where}/", wrap(page), name=f"locations_location_{where.replace('/', '_')}")
            for where, page in reversed(pages.items())
        ]
        return [*own, *super().get_urls()]

    def reboot(self, request: HttpRequest, row: Location) -> Confirmation | None:
        if not row.is_active or _under_way(row) is not None:
            return None
        actor: Any = request.user

        def run(data: dict[str, Any]) -> str:
            reboot_ask(row, typed_name=data["typed_name"], actor=actor, now=clock.now(), ip=client_ip(request))
            return _("Asked for. Now somebody else has to confirm it on this page.")

        return Confirmation(
            title=_("Restart the router"), question=lazy(_reboot_question, str)(row, actor),
            button=_("Ask for a restart"), run=run, form=RebootForm, icon="refresh", is_danger=True, permission=ASK_REBOOT,
        )  # fmt: skip

    def confirm_reboot(self, request: HttpRequest, row: Location) -> Confirmation | None:
        asked = _under_way(row)
        actor: Any = request.user
        if asked is None or asked.status != RebootStatus.ASKED or asked.asked_by_id == actor.pk:
            return None

        def run(data: dict[str, Any]) -> str:
            reboot_confirm(asked, actor=actor, now=clock.now(), ip=client_ip(request))
            return _("Confirmed. The router is told now; follow it on the health page.")

        return Confirmation(
            title=_("Confirm the restart"),
            question=_(
                "%(who)s wants to restart the router of “%(name)s”. Everybody there is offline for one to two minutes."
            )
            % {"who": asked.asked_by or "?", "name": row.name},
            button=_("Restart it now"), run=run, icon="refresh", is_danger=True, permission=CONFIRM_REBOOT,
        )  # fmt: skip

    def cancel_reboot(self, request: HttpRequest, row: Location) -> Confirmation | None:
        asked = _under_way(row)
        if asked is None or asked.status == RebootStatus.SENT:
            return None
        actor: Any = request.user

        def run(data: dict[str, Any]) -> str:
            reboot_cancel(asked, actor=actor, now=clock.now(), ip=client_ip(request))
            return _("The restart is cancelled; the router was not told.")

        return Confirmation(
            title=_("Cancel the restart"), question=_("Cancel the restart of “%(name)s”?") % {"name": row.name},
            button=_("Cancel the restart"), run=run, icon="block", permission=ASK_REBOOT,
        )  # fmt: skip


def _under_way(row: Location) -> RouterReboot | None:
    """The restart under way, asked for once per page: three actions want to know."""
    if not hasattr(row, "_reboot"):
        row._reboot = reboot_open(row)  # type: ignore[attr-defined]
    return getattr(row, "_reboot", None)


def _reboot_question(row: Location, actor: User) -> str:
    question = _(
        "Restart the router of “%(name)s”? Everybody there is offline for one to two minutes. Another person "
        "has to confirm it within half an hour."
    ) % {"name": row.name}
    if has_second_person(actor):
        return question
    return question + " " + _("There is nobody else who may: add a person first, or restart it at the router.")


for _name, _label, _icon, _permission in (
    ("health", gettext_lazy("Health"), "monitor_heart", "locations.view_location"),
    ("log", gettext_lazy("Router's log"), "list", READ_LOG),
    ("ping", gettext_lazy("Ping from the router"), "network_check", PING),
):
    add_row_link(
        RowLink("locations.location", _label, _icon, f"admin:locations_location_{_name}", _permission, order=30)
    )
