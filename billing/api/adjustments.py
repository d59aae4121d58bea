"""Corrections of customers' accounts over REST: asked for, and decided by a second person above the limit."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.invoices import CustomerField
from billing.cash_selectors import adjustments_visible_to
from billing.choices import AdjustmentStatus
from billing.models import Adjustment
from billing.services.adjustments import adjustment_ask, adjustment_decide
from billing.services.roots import family_ids
from core import clock
from core.api.filters import id_filter
from core.api.requests import request_key, who
from core.api.schema import IDEMPOTENCY
from core.api.serializers import AmountField, NoInput, StrictSerializer, TextField
from core.api.views import RoomViewSet
from core.errors import DomainError

SIGNED = "Positive: in the customer's favour. Negative: he owes more, which becomes an invoice."


class AdjustmentOut(serializers.ModelSerializer[Adjustment]):
    class Meta:
        model = Adjustment
        fields = [
            "id", "customer", "amount", "reason", "status", "requested_by", "requested_at", "decided_by", "decided_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {
            "amount": {"help_text": SIGNED},
            "decided_by": {"help_text": "null: nobody yet, or it was small enough to be posted at once."},
        }


class AdjustmentIn(StrictSerializer):
    customer = CustomerField()
    amount = AmountField(min_value=None, help_text=SIGNED)
    reason = TextField(max_length=300, help_text="Stays with the money for good; the customer may read it.")


class AdjustmentFilter(django_filters.FilterSet):  # type: ignore[misc]
    status = django_filters.ChoiceFilter(choices=AdjustmentStatus.choices)
    customer = id_filter("customer_id", method="by_customer")

    def by_customer(self, rows: QuerySet[Adjustment], name: str, value: int) -> QuerySet[Adjustment]:
        # with those who were merged into the customer
        return rows.filter(customer_id__in=family_ids([value]))


class AdjustmentViewSet(RoomViewSet):
    """Corrections by hand. Above the limit of the settings one waits for a second person."""

    model = Adjustment
    list_serializer = AdjustmentOut
    detail_serializer = AdjustmentOut
    filterset_class = AdjustmentFilter
    http_method_names = ["get", "head", "post"]
    action_permissions = {
        "list": "billing.view_adjustment",
        "retrieve": "billing.view_adjustment",
        "create": "billing.add_adjustment",
        "approve": "billing.approve_adjustment",
        "reject": "billing.approve_adjustment",
    }

    def visible(self) -> QuerySet[Adjustment]:
        return adjustments_visible_to(self.caller)

    @extend_schema(request=AdjustmentIn, responses={201: AdjustmentOut}, parameters=[IDEMPOTENCY])
    def create(self, request: Request) -> Response:
        """Ask for a correction: `posted` at once up to the limit, else `waiting`."""
        key, order = request_key(request), self.checked(AdjustmentIn)
        customer = order["customer"].merged_into or order["customer"]
        row = adjustment_ask(**{**order, "customer": customer}, **who(request), request_key=key, now=clock.now())
        if (row.customer_id, row.amount, row.reason) != (customer.pk, order["amount"], order["reason"]):
            message = _("This Idempotency-Key was used for another correction; nothing was asked now.")
            raise DomainError("idempotency.mismatch", message, status=409)
        return self.answer(row, status=201)

    @extend_schema(request=NoInput, responses={200: AdjustmentOut})
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Post what somebody else asked for. Who asked cannot approve (403 `adjustment.same_person`)."""
        return self._decide(is_approved=True)

    @extend_schema(request=NoInput, responses={200: AdjustmentOut})
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Refuse it: no money moves."""
        return self._decide(is_approved=False)

    def _decide(self, *, is_approved: bool) -> Response:
        row = self.get_object()
        self.checked(NoInput)
        done = adjustment_decide(row, is_approved=is_approved, **who(self.request), now=clock.now())
        return self.answer(done)
