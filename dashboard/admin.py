"""The way from the back office's menu to our own pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy

from core.admin import Page, add_page


def to_dashboard(request: HttpRequest) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("dashboard:home"))


add_page(
    Page(
        "dashboard/",
        "dashboard",
        to_dashboard,
        permission="customers.view_customer",
        group="customers",
        title=gettext_lazy("Today and search"),
        icon="search",
        order=5,
    )  # fmt: skip
)
