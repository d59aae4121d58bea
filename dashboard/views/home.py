"""Where staff begin on a phone: search, and what needs somebody today."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from core import clock
from dashboard.selectors.home import home_lists
from dashboard.selectors.search import SHOWS, customers_page
from dashboard.views.pages import page, staff_of, staff_page


@staff_page()
def home(request: HttpRequest) -> HttpResponse:
    return page(request, "dashboard/home.html", lists=home_lists(staff_of(request), clock.now()))


@staff_page("customers.view_customer")
def customers(request: HttpRequest) -> HttpResponse:
    """Search by anything people say on the phone, or one of the lists of the landing page."""
    query, show = request.GET.get("q", "").strip()[:100], request.GET.get("show", "")
    before = request.GET.get("before", "")
    found = customers_page(staff_of(request), query, show, before, clock.now())
    titles = [(key, title) for key, (title, _rows) in SHOWS.items()]
    return page(request, "dashboard/customers.html", query=query, show=show, found=found, shows=titles)
