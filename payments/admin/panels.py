"""What the pages of customers and invoices show of payments: the standing, the last payments, and the button."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from billing.choices import InvoiceKind, InvoiceStatus
from billing.models import Invoice
from billing.services.roots import family_ids
from core.formats import moment_short, money
from core.panels import RowPanel, add_row_panel
from customers.models import Customer
from payments.models import Payment
from payments.words import method_name, payment_words, standing_words

SHOWN = 5


def customer_panel(request: HttpRequest, customer: Customer) -> SafeString:
    root = customer.merged_into or customer
    rows = (
        Payment.objects.filter(customer_id__in=family_ids([root.pk])).select_related("method").order_by("-id")[:SHOWN]
    )
    return _panel(request, rows, reverse("admin:payments_take_cash", args=[root.pk]), root)


def invoice_panel(request: HttpRequest, invoice: Invoice) -> SafeString:
    rows = Payment.objects.filter(invoice=invoice).select_related("method").order_by("-id")[:SHOWN]
    url = ""
    if invoice.kind == InvoiceKind.INVOICE and invoice.status == InvoiceStatus.OPEN:
        url = f"{reverse('admin:payments_take_cash', args=[invoice.customer_id])}?invoice={invoice.pk}"
    return _panel(request, rows, url, None)


def _panel(request: HttpRequest, rows: Iterable[Payment], take_url: str, root: Customer | None) -> SafeString:
    payments = [
        {
            "url": reverse("admin:payments_payment_change", args=[row.pk]),
            "when": moment_short(row.confirmed_at or row.created_at),
            "amount": money(row.amount),
            "method": method_name(row.method),
            "words": payment_words(row),
        }
        for row in rows
    ]
    context = {
        "payments": payments,
        "take_url": take_url if request.user.has_perm("payments.take_cash") else "",
        "standing": standing_words(root.balance, root.debt) if root else "",
    }
    return render_to_string("payments/admin/payments_panel.html", context, request)


for _target, _render in (("customers.customer", customer_panel), ("billing.invoice", invoice_panel)):
    add_row_panel(RowPanel(_target, gettext_lazy("Payments"), _render, "payments.view_payment", order=20))
