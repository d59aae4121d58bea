"""Corrections by hand: asked for on a customer's page, decided in a queue."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.reports import page_url
from billing.admin.second_person import SecondPersonAdmin
from billing.cash_forms import AdjustForm
from billing.cash_selectors import adjustments_visible_to
from billing.choices import AdjustmentStatus
from billing.models import Adjustment
from billing.services.adjustments import adjustment_ask, adjustment_decide
from billing.services.second_person import LIMIT
from core import clock
from core.admin import Page, add_page
from core.client_ip import client_ip
from core.errors import DomainError
from core.formats import money
from core.panels import RowPanel, add_row_panel
from core.settings_registry import setting
from customers.models import Customer
from customers.selectors import customers_visible_to


def amount_words(adjustment: Adjustment) -> str:
    text = _("%(amount)s in his favour") if adjustment.amount > 0 else _("%(amount)s more to pay")
    return text % {"amount": money(abs(adjustment.amount))}


@admin.register(Adjustment)
class AdjustmentAdmin(SecondPersonAdmin[Adjustment]):
    nav_icon, nav_order = "edit", 40
    list_display = ("requested", "customer_link", "amount_text", "reason", "state", "requested_by", "decided_by")
    list_select_related = ("customer", "requested_by", "decided_by")
    fields = ("state", "customer_link", "amount_text", "reason", "requested", "requested_by", "decided_by")
    readonly_fields = fields
    csv_fields = ("requested", "customer", "amount", "reason", "status", "requested_by", "decided_by")
    approve_permission = "billing.approve_adjustment"
    empty_text = gettext_lazy(
        "Corrections are asked for on a customer's page; large ones wait here for a second person."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Adjustment]:
        rows = adjustments_visible_to(request.user)  # type: ignore[arg-type]  # staff only
        return rows.select_related("customer", "requested_by", "decided_by").order_by("-id")

    @admin.display(description=gettext_lazy("customer"))
    def customer_link(self, row: Adjustment) -> Any:
        url = page_url("customers_customer_change", row.customer_id)
        return format_html('<a href="{}">{}</a>', url, row.customer) if url else str(row.customer)

    @admin.display(description=gettext_lazy("amount"))
    def amount_text(self, row: Adjustment) -> str:
        return amount_words(row)

    def approve_question(self, row: Adjustment) -> str:
        values = {"amount": amount_words(row), "name": row.customer, "who": row.requested_by, "reason": row.reason}
        return _("Approve: %(amount)s, for %(name)s? Asked by %(who)s: %(reason)s") % values

    def reject_question(self, row: Adjustment) -> str:
        return _("Reject this correction? No money moves.")

    def decide(self, request: HttpRequest, row: Adjustment, *, is_approved: bool) -> str:
        user: Any = request.user
        adjustment_decide(row, is_approved=is_approved, now=clock.now(), actor=user, ip=client_ip(request))
        if is_approved:
            return _("The correction is in the books.")
        return _("The correction was rejected; no money moved.")


def adjust(request: HttpRequest, customer_id: int) -> HttpResponseBase:
    """Ask for a correction; up to the limit it is done at once."""
    user: Any = request.user
    customer = customers_visible_to(user).select_related("merged_into").filter(pk=customer_id).first()
    if customer is None:
        raise Http404
    customer = customer.merged_into or customer
    form = AdjustForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            done = adjustment_ask(
                customer=customer, amount=data["amount"], reason=data["reason"], request_key=data["request_key"],
                now=clock.now(), actor=user, ip=client_ip(request),
            )  # fmt: skip
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            is_waiting = done.status == AdjustmentStatus.WAITING
            messages.success(
                request,
                _("Asked; a second person has to approve it.") if is_waiting else _("The correction is in the books."),
            )
            return HttpResponseRedirect(reverse("admin:billing_adjustment_change", args=[done.pk]))
    context = {
        **admin.site.each_context(request),
        "title": _("Correct the account of %(name)s") % {"name": customer.name}, "customer": customer, "form": form,
        "limit": money(int(setting(LIMIT))), "balance": money(customer.balance), "debt": money(customer.debt),
        "back": page_url("customers_customer_change", customer.pk) or reverse("admin:billing_adjustment_changelist"),
    }  # fmt: skip
    return TemplateResponse(request, "billing/admin/adjust.html", context, status=422 if form.errors else 200)


def adjust_panel(request: HttpRequest, customer: Customer) -> SafeString:
    """The button on the customer's page."""
    url = reverse("admin:billing_adjust", args=[customer.merged_into_id or customer.pk])
    return format_html('<p><a class="mb-button" href="{}">{}</a></p>', url, _("Correct the account"))


add_page(
    Page(
        "adjust/<int:customer_id>/", "billing_adjust", adjust, permission="billing.add_adjustment",
        title=gettext_lazy("Correct the account"),
    )
)  # fmt: skip
add_row_panel(
    RowPanel("customers.customer", gettext_lazy("Corrections"), adjust_panel, "billing.add_adjustment", order=60)
)
