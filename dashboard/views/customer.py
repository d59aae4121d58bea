"""The customer page, its live part and its timeline."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from core import clock
from core.error_pages import is_fragment
from dashboard import links
from dashboard.selectors.customer import customer_page, services_of
from dashboard.selectors.scope import Family, family_of, root_of
from dashboard.selectors.timeline import key_parse, timeline_page
from dashboard.views.pages import page, staff_of, staff_page


def _family(request: HttpRequest, root: int | None) -> Family:
    family = family_of(root, staff_of(request), clock.now()) if root is not None else None
    if family is None:
        raise Http404
    return family


@staff_page("customers.view_customer")
def customer(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about a customer. One who was merged into another is shown with him."""
    root = root_of(pk)
    family = _family(request, root)
    if root != pk:
        return HttpResponseRedirect(links.customer_page(family.customer.pk))
    return page(request, "dashboard/customer.html", shown=customer_page(family), **_ways(request, family))


def _ways(request: HttpRequest, family: Family) -> dict[str, str]:
    """Where the page leads besides its own parts, and whose clock it shows."""
    customer, may = family.customer, staff_of(request).has_perm
    bills = links.address("admin:billing_invoice_changelist", q=customer.number) if may("billing.view_invoice") else ""
    return {
        "zone": customer.location.timezone if customer.location else "",
        "all_invoices": bills,
        "admin_url": links.customer_admin(customer.pk),
    }


@staff_page("customers.view_customer")
def services(request: HttpRequest, pk: int) -> HttpResponse:
    """The services again, for the page that is open: who is online and what routers confirmed changes by itself."""
    if not request.user.has_perm("billing.view_subscription"):
        raise Http404
    family = _family(request, pk)
    return page(request, "dashboard/parts/services.html", services=services_of(family))


@staff_page("customers.view_customer")
def timeline(request: HttpRequest, pk: int) -> HttpResponse:
    """Older happenings: a part for htmx, a page of its own without."""
    family = _family(request, pk)
    found = timeline_page(family, key_parse(request.GET.get("before", "")))
    name = "dashboard/parts/timeline.html" if is_fragment(request) else "dashboard/timeline.html"
    return page(request, name, customer=family.customer, timeline=found)
