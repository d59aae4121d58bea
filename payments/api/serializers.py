from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

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
from payments.models import Payment, PaymentMethod, Refund
from payments.selectors import methods_in_use
from payments.services import refundable_amount
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
        invoice = Invoice.objects.filter(pk=number, customer__in=seen).first()
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


class PaymentOut(PaymentRowOut):
    settled = serializers.SerializerMethodField(help_text="What it paid; the rest is in the customer's balance.")
    refunds = serializers.SerializerMethodField()
    refundable = serializers.SerializerMethodField(help_text="What is left to give back.")

    class Meta(PaymentRowOut.Meta):
        fields = [*PaymentRowOut.Meta.fields, "settled", "refunds", "refundable"]
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
