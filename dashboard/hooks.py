"""What the dashboard adds to the pages of the admin: the customer's page, use of a login, traffic of a router."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock
from core.panels import RowLink, RowPanel, add_row_link, add_row_panel
from dashboard import links
from dashboard.selectors.traffic import use_of
from locations.models import AccessAccount

VIEW_LOGIN = "locations.view_accessaccount"


def customer_link(request: HttpRequest, customer: Any) -> SafeString:
    return format_html(
        '<p class="mb-lead">{}</p><a class="mb-button" href="{}">{}</a>',
        _("Balance, services, why one is offline, bills, payments and everything that happened, on one page."),
        links.customer_page(customer.pk),
        _("Open the customer page"),
    )


def login_use(request: HttpRequest, account: AccessAccount) -> SafeString:
    """What this login used at its location in 30 days, day by day, and its last sessions there."""
    today = clock.local_date(account.location.timezone, clock.now())
    use = use_of([(account.location_id, account.kind, account.name)], today)
    return render_to_string("dashboard/admin/use.html", {"use": use, "zone": account.location.timezone}, request)


def panels_add() -> None:
    panel = RowPanel(
        "customers.customer", gettext_lazy("At a glance"), customer_link, "customers.view_customer", order=10
    )
    add_row_panel(panel)
    add_row_panel(RowPanel("locations.accessaccount", gettext_lazy("Use"), login_use, VIEW_LOGIN, order=30))
    for target, label, name, permission in (
        ("locations.accessaccount", gettext_lazy("Traffic now"), "dashboard:account_now", VIEW_LOGIN),
        ("locations.location", gettext_lazy("Traffic"), "dashboard:traffic", "locations.view_location"),
    ):
        add_row_link(RowLink(target, label, "speed", name, permission, order=40))
