"""Payments: found by reference among a million; their page is the receipt, what it settled and what went back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock
from core.admin import AutocompleteFilter, Confirmation, ModelAdmin, ReadOnlyMixin
from core.client_ip import client_ip
from core.formats import moment, money
from payments.admin.links import row_link, row_url
from payments.admin.reversal import reversal_facts, reverse_confirmation
from payments.choices import PaymentStatus
from payments.forms import RefundForm
from payments.models import Payment, Refund
from payments.selectors import payments_visible_to
from payments.services import payment_cancel, payment_refund, refundable_amount
from payments.words import method_name, payment_words, receipt_of


@admin.register(Payment)
class PaymentAdmin(ReadOnlyMixin, ModelAdmin[Payment]):
    nav_group, nav_icon, nav_order = "money", "receipt_long", 20
    list_display = ("reference_text", "customer_link", "amount_text", "state", "way", "taken_by", "when")
    list_select_related = ("customer", "method", "received_by", "location")
    list_filter = ("status", ("received_by", AutocompleteFilter), ("location", AutocompleteFilter))
    search_fields = ("reference__startswith",)
    search_help_text = gettext_lazy("Reference or its beginning")
    uppercase_search = True
    sortable_by = ()
    ordering = ("-id",)
    confirmations = ("refund", "reverse", "cancel")
    live_template = "payments/admin/payment_facts.html"
    is_facts_only = True
    csv_fields = ("when", "reference", "customer", "amount", "way", "status", "taken_by")
    empty_text = gettext_lazy("Open a customer or an invoice and press “Take cash”. Every payment is kept here.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        rows = payments_visible_to(request.user)  # type: ignore[arg-type]  # staff only
        return rows.select_related("customer__merged_into", "method", "received_by", "location").order_by("-id")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("payments.view_payment")

    # --- columns ----------------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("reference"))
    def reference_text(self, row: Payment) -> str:
        return row.reference

    @admin.display(description=gettext_lazy("customer"))
    def customer_link(self, row: Payment) -> Any:
        return row_link("customers_customer", row.customer)

    @admin.display(description=gettext_lazy("amount"))
    def amount_text(self, row: Payment) -> str:
        return money(row.amount)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Payment) -> Any:
        return payment_words(row).html()

    @admin.display(description=gettext_lazy("method"))
    def way(self, row: Payment) -> str:
        return method_name(row.method)

    @admin.display(description=gettext_lazy("taken by"))
    def taken_by(self, row: Payment) -> str:
        return str(row.received_by) if row.received_by else "–"

    @admin.display(description=gettext_lazy("when"))
    def when(self, row: Payment) -> str:
        return moment(row.confirmed_at or row.created_at, row.location.timezone if row.location else None)

    # --- page -------------------------------------------------------------------------------------------------------

    def facts(self, request: HttpRequest, row: Payment) -> dict[str, Any]:
        zone = row.location.timezone if row.location else None
        refunds = Refund.objects.filter(payment=row).select_related("actor").order_by("pk")
        return {
            "payment": row,
            "words": payment_words(row),
            "amount": money(row.amount),
            "method": method_name(row.method),
            "customer_url": row_url("customers_customer", row.customer_id),
            "invoice": row.invoice,
            "invoice_url": row_url("billing_invoice", row.invoice_id),
            "entry_url": row_url("billing_journalentry", row.entry_id),
            "receipt": receipt_of(row),
            "when": moment(row.confirmed_at or row.created_at, zone),
            "refunds": [
                {
                    "amount": money(r.amount),
                    "when": moment(r.at, zone),
                    "who": r.actor or _("the system"),
                    "why": r.reason,
                }
                for r in refunds
            ],
            "reversals": reversal_facts(row, zone),
        }

    def refund(self, request: HttpRequest, row: Payment) -> Confirmation | None:
        left = refundable_amount(row)
        if left <= 0:
            return None
        actor: Any = request.user

        def run(data: dict[str, Any]) -> str:
            done = payment_refund(
                row, amount=data["amount"], reason=data["reason"], request_key=data["request_key"], now=clock.now(),
                actor=actor, ip=client_ip(request),
            )  # fmt: skip
            return _("%(amount)s was given back out of your drawer.") % {"amount": money(done.amount)}

        question = _("Give money of payment %(reference)s back out of your drawer? At most %(amount)s. It comes from the "
                     "balance first; then what was paid is owed again.")  # fmt: skip
        return Confirmation(
            title=_("Give money back"), button=_("Give back"), run=run, icon="undo", form=RefundForm, is_danger=True,
            question=question % {"reference": row.reference, "amount": money(left)}, permission="payments.refund_payment",
            initial={"amount": f"{left.normalize():f}"},
        )  # fmt: skip

    def reverse(self, request: HttpRequest, row: Payment) -> Confirmation | None:
        return reverse_confirmation(request, row)

    def cancel(self, request: HttpRequest, row: Payment) -> Confirmation | None:
        if row.status != PaymentStatus.PENDING:
            return None
        actor: Any = request.user

        def run(data: dict[str, Any]) -> str:
            payment_cancel(row, now=clock.now(), actor=actor, ip=client_ip(request))
            return _("Payment %(reference)s is not waited for any more.") % {"reference": row.reference}

        return Confirmation(
            title=_("Cancel"), button=_("Cancel the payment"), run=run, icon="cancel", is_danger=True,
            question=_("Stop waiting for payment %(reference)s? Money that still arrives is counted.")
            % {"reference": row.reference},
            permission="payments.cancel_payment",
        )  # fmt: skip
