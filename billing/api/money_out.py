"""What a step would do to the money, as an answer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.services.money_preview import BillPreview
from core.api.serializers import AmountField, OutSerializer


class BillLineOut(OutSerializer):
    words = serializers.CharField(help_text="In the caller's language.")
    amount = AmountField(min_value=None, help_text="With tax.")


class BillPreviewOut(OutSerializer):
    total = AmountField()
    due_on = serializers.DateField()
    lines = serializers.SerializerMethodField()

    @extend_schema_field(BillLineOut(many=True))
    def get_lines(self, bill: BillPreview) -> Any:
        return BillLineOut([{"words": words, "amount": amount} for words, amount in bill.lines], many=True).data


class MoneyPreviewOut(OutSerializer):
    """What a step would do to the money. Nothing of it was done."""

    bills = BillPreviewOut(many=True)
    credited = AmountField()
    balance_before = AmountField()
    debt_before = AmountField()
    balance = AmountField(help_text="Of the customer afterwards.")
    debt = AmountField()
