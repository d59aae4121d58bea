"""What the dashboard adds to the admin: the way from a customer's form to the page that tells everything about him."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.panels import RowPanel, add_row_panel
from dashboard import links


def customer_link(request: HttpRequest, customer: Any) -> SafeString:
    return format_html(
        '<p class="mb-lead">{}</p><a class="mb-button" href="{}">{}</a>',
        _("Balance, services, why one is offline, bills, payments and everything that happened, on one page."),
        links.customer_page(customer.pk),
        _("Open the customer page"),
    )


def panels_add() -> None:
    panel = RowPanel(
        "customers.customer", gettext_lazy("At a glance"), customer_link, "customers.view_customer", order=10
    )
    add_row_panel(panel)
