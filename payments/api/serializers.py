from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.choices import InvoiceStatus
from billing.models import Allocation, Invoice
from core.api.serializers import (
    MAX_ID,
    AmountField,
    OutSerializer,
    StrictBooleanField,
    StrictSerializer,
    TextField,
)
from customers.models import Customer
from customers.selectors import customers_visible_to
from payments.models import Payment, PaymentMethod, Refund, Reversal
from payments.selectors import methods_in_use
from payments.services import refundable_amount
from payments.services.reversals import MoneyAt, Preview
from payments.words import method_name


class CustomerField(serializers.IntegerField):
    """The id of a customer the caller may see; the validated value is the Customer."""

    def __init__(self, **kwargs: Any):
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Customer:
        number = super().run_validation(data)
        customer = customers_visible_to(self.context["request"].user).filter(pk=number).first()
        if customer is None:
            raise serializers.ValidationError(_("No such customer: %(id)s.") % {"id": number})
        return customer


class InvoiceField(serializers.IntegerField):
    """The id of an invoice of a customer the caller may see; the validated value is the Invoice."""

    def __init__(self, **kwargs: Any):
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Invoice:
        number = super().run_validation(data)
        seen = customers_visible_to(self.context["request"].user)
        issued = Invoice.objects.exclude(status=InvoiceStatus.DRAFT)
        invoice = issued.filter(pk=number, customer__in=seen).first()
        if invoice is None:
            raise serializers.ValidationError(_("No such invoice: %(id)s.") % {"id": number})
        return invoice


class MethodField(serializers.IntegerField):
    """The id of a payment method in use; the validated value is the PaymentMethod."""

    def __init__(self, **kwargs: Any):
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> PaymentMethod:
        number = super().run_validation(data)
        method = methods_in_use().filter(pk=number).first()
        if method is None:
            raise serializers.ValidationError(_("No such payment method: %(id)s.") % {"id": number})
        return method


class PaymentIn(StrictSerializer):
    customer = CustomerField()
    amount = AmountField(help_text="Whole units of the currency, above 0.")
    invoice = InvoiceField(required=False, help_text="Settled first; without it the oldest debts.")
    method = MethodField(required=False, help_text="A cash method; default: Cash.")
    is_for_balance = StrictBooleanField(default=False, help_text="Keep it as balance and settle nothing now.")
    note = TextField(max_length=300, allow_blank=True, required=False)


class RefundIn(StrictSerializer):
    amount = AmountField(help_text="At most what is left of the payment.")
    reason = TextField(max_length=300)


class PaymentRowOut(serializers.ModelSerializer[Payment]):
    method_name = serializers.SerializerMethodField()

    class Meta:
        model = Payment
        fields = [
            "id", "reference", "customer", "subscription", "invoice", "location", "method", "method_name", "amount",
            "status", "received_by", "note", "created_at", "updated_at", "confirmed_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_method_name(self, payment: Payment) -> str:
        return method_name(payment.method)


class SettledOut(OutSerializer):
    invoice = serializers.IntegerField(source="invoice_id")
    number = serializers.CharField(source="invoice.number")
    amount = AmountField()


class RefundOut(OutSerializer):
    id = serializers.IntegerField()
    amount = AmountField()
    reason = serializers.CharField()
    actor = serializers.IntegerField(source="actor_id", allow_null=True)
    at = serializers.DateTimeField()


class ReversalIn(StrictSerializer):
    reason = TextField(max_length=300, help_text="What went wrong. It stays with the money for good.")


class ReversalRowOut(serializers.ModelSerializer[Reversal]):
    class Meta:
        model = Reversal
        fields = [
            "id", "payment", "amount", "reason", "status", "requested_by", "requested_at", "decided_by", "decided_at", "entry",
        ]  # fmt: skip
        read_only_fields = fields


class ReversalOut(ReversalRowOut):
    owed_again = serializers.SerializerMethodField(help_text="What of bills is owed again since; empty until posted.")

    class Meta(ReversalRowOut.Meta):
        fields = [*ReversalRowOut.Meta.fields, "owed_again"]
        read_only_fields = fields

    @extend_schema_field(SettledOut(many=True))
    def get_owed_again(self, reversal: Reversal) -> Any:
        rows = Allocation.objects.filter(entry_id=reversal.entry_id).select_related("invoice").order_by("pk")
        return SettledOut(
            [_Owed(row.invoice, -row.amount) for row in rows] if reversal.entry_id else [], many=True
        ).data


@dataclass(frozen=True)
class _Owed:
    invoice: Invoice
    amount: Decimal

    @property
    def invoice_id(self) -> int:
        return self.invoice.pk


class ReversalPreviewOut(OutSerializer):
    """What taking a payment back would do now."""

    amount = AmountField(help_text="What is left of the payment.")
    refunded = AmountField(help_text="Given back before; it stays given back.")
    of_balance = AmountField(source="back.of_balance", help_text="So much less balance.")
    owed_again = serializers.SerializerMethodField(help_text="What of bills would be owed again.")
    missing = AmountField(
        source="back.missing", help_text="Above 0 it cannot be done: the money is not there any more."
    )
    account = serializers.CharField(help_text="The ledger account the money came into.")
    money_at = serializers.ChoiceField(
        choices=[where.value for where in MoneyAt],
        help_text="account: leaves it. counted: its drawer was counted since. handed_over: its drawer holds less. In the "
        "last two cases the drawer stays as it is and the amount goes to the cash differences.",
    )  # fmt: skip
    needs_second_person = serializers.BooleanField()

    @extend_schema_field(SettledOut(many=True))
    def get_owed_again(self, preview: Preview) -> Any:
        return SettledOut([_Owed(share.invoice, share.amount) for share in preview.back.shares], many=True).data


class PaymentOut(PaymentRowOut):
    settled = serializers.SerializerMethodField(help_text="What it paid; the rest is in the customer's balance.")
    refunds = serializers.SerializerMethodField()
    refundable = serializers.SerializerMethodField(help_text="What is left to give back.")
    reversals = ReversalRowOut(many=True, help_text="Taken back, or asked to be, because it was booked by mistake.")

    class Meta(PaymentRowOut.Meta):
        fields = [*PaymentRowOut.Meta.fields, "settled", "refunds", "refundable", "reversals"]
        read_only_fields = fields

    @extend_schema_field(SettledOut(many=True))
    def get_settled(self, payment: Payment) -> Any:
        rows = Allocation.objects.filter(entry_id=payment.entry_id).select_related("invoice").order_by("pk")
        return SettledOut(rows if payment.entry_id else [], many=True).data

    @extend_schema_field(RefundOut(many=True))
    def get_refunds(self, payment: Payment) -> Any:
        return RefundOut(Refund.objects.filter(payment=payment).order_by("pk"), many=True).data

    @extend_schema_field(serializers.DecimalField(18, 2))
    def get_refundable(self, payment: Payment) -> str:
        return f"{refundable_amount(payment):.2f}"


class MethodOut(serializers.ModelSerializer[PaymentMethod]):
    name = serializers.SerializerMethodField(help_text="In the caller's language.")

    class Meta:
        model = PaymentMethod
        fields = ["id", "name", "kind", "fee_type", "fee_amount", "bearer", "minimum", "maximum", "is_active"]
        read_only_fields = fields

    def get_name(self, method: PaymentMethod) -> str:
        return method_name(method)
