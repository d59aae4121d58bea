"""Payments taken back: asked on the payment's page, with what it will do; above the limit decided here by somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.second_person import SecondPersonAdmin, asked_words
from billing.choices import AdjustmentStatus
from core import clock
from core.admin import Confirmation
from core.client_ip import client_ip
from core.errors import TransitionError
from core.formats import moment, money
from payments.admin.links import row_link, row_url
from payments.forms import ReversalForm
from payments.models import Payment, Reversal
from payments.selectors import reversals_visible_to
from payments.services import reversal_ask, reversal_decide, reversal_preview
from payments.words import reversal_sentences


def reverse_confirmation(request: HttpRequest, payment: Payment) -> Confirmation | None:
    """The question on the payment's page; nothing when there is nothing (more) to take back."""
    points = reversal_points(payment)
    if not points:
        return None
    actor: Any = request.user

    def run(data: dict[str, Any]) -> str:
        done = reversal_ask(
            payment, reason=data["reason"], request_key=data["request_key"], now=clock.now(), actor=actor,
            ip=client_ip(request),
        )  # fmt: skip
        if done.status == AdjustmentStatus.WAITING:
            return _("Asked; a second person has to approve it.")
        return _("Payment %(reference)s was taken back.") % {"reference": payment.reference}

    question = _("Take payment %(reference)s back, because it was booked by mistake? To hand money back to the customer, "
                 "use “Give money back” instead. This will happen:")  # fmt: skip
    return Confirmation(
        title=_("Take back"), button=_("Take back"), icon="undo", is_danger=True, form=ReversalForm, run=run, points=points,
        question=question % {"reference": payment.reference}, permission="payments.reverse_payment",
    )  # fmt: skip


def reversal_points(payment: Payment) -> Sequence[str]:
    """What taking it back would do now; nothing when it is not possible."""
    try:
        preview = reversal_preview(payment)
    except TransitionError:
        return ()
    return reversal_sentences(preview, payment.customer.merged_into or payment.customer)


def reversal_facts(payment: Payment, zone: str | None) -> list[dict[str, Any]]:
    """For the payment's page: who asked, who decided, what became of it."""
    rows = Reversal.objects.filter(payment=payment).select_related("requested_by", "decided_by").order_by("pk")
    return [
        {
            "words": asked_words(row), "amount": money(row.amount), "why": row.reason,
            "when": moment(row.requested_at, zone), "who": row.requested_by or _("the system"),
            "decided_by": row.decided_by, "url": row_url("payments_reversal", row.pk),
            "entry_url": row_url("billing_journalentry", row.entry_id),
        }
        for row in rows
    ]  # fmt: skip


@admin.register(Reversal)
class ReversalAdmin(SecondPersonAdmin[Reversal]):
    nav_icon, nav_order = "undo", 35
    list_display = (
        "requested",
        "payment_link",
        "customer_link",
        "amount_text",
        "reason",
        "state",
        "requested_by",
        "decided_by",
    )
    list_select_related = ("payment__customer__merged_into", "requested_by", "decided_by")
    search_fields = ("payment__reference__startswith",)
    search_help_text = gettext_lazy("Reference of the payment")
    uppercase_search = True
    fields = (
        "state", "payment_link", "customer_link", "amount_text", "reason", "requested", "requested_by", "decided_by",
        "entry_link",
    )  # fmt: skip
    readonly_fields = fields
    csv_fields = ("requested", "payment", "amount", "reason", "status", "requested_by", "decided_by")
    approve_permission = "payments.approve_reversal"
    empty_text = gettext_lazy(
        "Payments that were booked by mistake are taken back on their page; large ones wait here for a second person."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reversal]:
        rows = reversals_visible_to(request.user)  # type: ignore[arg-type]  # staff only
        return rows.select_related("payment__customer__merged_into", "requested_by", "decided_by").order_by("-id")

    @admin.display(description=gettext_lazy("payment"))
    def payment_link(self, row: Reversal) -> Any:
        return row_link("payments_payment", row.payment)

    @admin.display(description=gettext_lazy("customer"))
    def customer_link(self, row: Reversal) -> Any:
        return row_link("customers_customer", row.payment.customer)

    @admin.display(description=gettext_lazy("amount"))
    def amount_text(self, row: Reversal) -> str:
        return money(row.amount)

    @admin.display(description=gettext_lazy("in the books"))
    def entry_link(self, row: Reversal) -> Any:
        return row_link("billing_journalentry", row.entry)

    def approve_question(self, row: Reversal) -> str:
        values = {"reference": row.payment.reference, "amount": money(row.amount), "name": row.payment.customer,
                  "who": row.requested_by, "reason": row.reason}  # fmt: skip
        return _("Take payment %(reference)s of %(name)s back, %(amount)s? Asked by %(who)s: %(reason)s") % values

    def points(self, row: Reversal) -> Sequence[str]:
        return reversal_sentences(
            reversal_preview(row.payment, of=row), row.payment.customer.merged_into or row.payment.customer
        )

    def reject_question(self, row: Reversal) -> str:
        return _("Leave the payment as it is? No money moves.")

    def decide(self, request: HttpRequest, row: Reversal, *, is_approved: bool) -> str:
        user: Any = request.user
        reversal_decide(row, is_approved=is_approved, now=clock.now(), actor=user, ip=client_ip(request))
        if is_approved:
            return _("Payment %(reference)s was taken back.") % {"reference": row.payment.reference}
        return _("The payment stays as it is; no money moved.")
