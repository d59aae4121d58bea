"""Take cash: how much and what for, then what it will do in words, then the receipt. Three plain pages, no script."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.choices import InvoiceKind, InvoiceStatus
from billing.models import Invoice
from billing.services.drawers import SHIFT_NEEDED, drawer_amount, open_shift
from billing.services.settling import Split, settling_preview
from core import clock
from core.admin import Page, add_page
from core.client_ip import client_ip
from core.errors import DomainError
from core.formats import money
from core.numbers import whole_number
from core.settings_registry import setting
from customers.models import Customer
from customers.selectors import customers_visible_to
from payments.admin.links import row_url
from payments.forms import BALANCE, INVOICE, TakeCashForm
from payments.services import payment_receive_cash
from payments.words import split_sentences, standing_words


def take_cash(request: HttpRequest, customer_id: int) -> HttpResponseBase:
    """GET asks; a first POST shows what would happen; a POST with `confirmed` does it, once per form."""
    user: Any = request.user
    customer = customers_visible_to(user).select_related("merged_into").filter(pk=customer_id).first()
    if customer is None:
        raise Http404
    customer = customer.merged_into or customer
    invoice = _invoice(request, customer)
    form = TakeCashForm(request.POST or None, invoice=invoice, initial=_initial(customer, invoice))
    sentences: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            if "confirmed" in request.POST:
                return _take(request, customer, invoice, form.cleaned_data)
            if "change" not in request.POST:
                sentences = split_sentences(_preview(customer, invoice, form.cleaned_data))
        except DomainError as error:
            form.add_error(None, str(error.message))
    context = _context(request, customer, invoice, form, sentences)
    status = 422 if form.errors else 200
    return TemplateResponse(request, "payments/admin/take_cash.html", context, status=status)


def _invoice(request: HttpRequest, customer: Customer) -> Invoice | None:
    number = whole_number(request.GET.get("invoice", ""))
    if number is None:
        return None
    rows = Invoice.objects.filter(pk=number, kind=InvoiceKind.INVOICE).select_related("customer")
    invoice = rows.exclude(status=InvoiceStatus.DRAFT).first()
    if invoice is None or (invoice.customer.merged_into_id or invoice.customer_id) != customer.pk:
        raise Http404
    return invoice


def _initial(customer: Customer, invoice: Invoice | None) -> dict[str, Any]:
    owed = invoice.total - invoice.settled_amount if invoice else customer.debt
    return {"amount": f"{owed.normalize():f}" if owed else ""}


def _preview(customer: Customer, invoice: Invoice | None, data: dict[str, Any]) -> Split:
    if data["purpose"] == BALANCE:
        return Split([], data["amount"])
    given = invoice.pk if invoice and data["purpose"] == INVOICE else None
    return settling_preview(customer.pk, data["amount"], given)


def _take(
    request: HttpRequest, customer: Customer, invoice: Invoice | None, data: dict[str, Any]
) -> HttpResponseRedirect:
    user: Any = request.user
    payment = payment_receive_cash(
        customer=customer, amount=data["amount"], request_key=data["request_key"], now=clock.now(), actor=user,
        ip=client_ip(request), invoice=invoice if data["purpose"] == INVOICE else None,
        is_for_balance=data["purpose"] == BALANCE, note=data["note"],
    )  # fmt: skip
    text = _("%(amount)s taken from %(name)s. It is in your drawer.")
    messages.success(request, text % {"amount": money(payment.amount), "name": customer.name})
    return HttpResponseRedirect(reverse("admin:payments_payment_change", args=[payment.pk]))


def _context(
    request: HttpRequest, customer: Customer, invoice: Invoice | None, form: TakeCashForm, sentences: list[str]
) -> dict[str, Any]:
    user: Any = request.user
    shift = open_shift(user)
    return {
        **admin.site.each_context(request),
        "title": _("Take cash of %(name)s") % {"name": customer.name}, "customer": customer, "form": form,
        "standing": standing_words(customer.balance, customer.debt), "sentences": sentences, "shift": shift,
        "is_shift_missing": shift is None and bool(setting(SHIFT_NEEDED)),
        "drawer": money(drawer_amount(user.pk)), "amount": money(form.cleaned_data["amount"]) if sentences else "",
        "back": row_url("billing_invoice", invoice.pk if invoice else None)
        or row_url("customers_customer", customer.pk)
        or reverse("admin:payments_payment_changelist"),
    }  # fmt: skip


add_page(
    Page(
        "take-cash/<int:customer_id>/", "payments_take_cash", take_cash, permission="payments.take_cash",
        title=gettext_lazy("Take cash"),
    )
)  # fmt: skip
