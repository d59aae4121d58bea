"""Traffic as it is now: the page, and for htmx the part of it that changes."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse

from core import clock
from core.error_pages import is_fragment
from dashboard.selectors.watching import WatchPage, account_page, interface_page
from dashboard.views.pages import page, staff_of, staff_page


@staff_page("locations.view_location")
def interface_now(request: HttpRequest, pk: int) -> HttpResponse:
    """One interface of one router, `?interface=`; the busiest one without."""
    return _shown(request, interface_page(staff_of(request), pk, request.GET.get("interface", "")[:160], clock.now()))


@staff_page("locations.view_accessaccount")
def account_now(request: HttpRequest, pk: int) -> HttpResponse:
    """One login: all its sessions together."""
    return _shown(request, account_page(staff_of(request), pk, clock.now()))


def _shown(request: HttpRequest, shown: WatchPage | None) -> HttpResponse:
    if shown is None:
        raise Http404
    name = "dashboard/parts/watch.html" if is_fragment(request) else "dashboard/watch.html"
    return page(request, name, shown=shown, here=request.get_full_path())
