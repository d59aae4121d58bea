"""Cash shifts over REST."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.cash_forms import colleagues
from billing.cash_selectors import shifts_visible_to
from billing.models import CashShift
from billing.services.cash import shift_count, shift_hand_over, shift_open
from core import clock
from core.api.requests import who
from core.api.serializers import AmountField, StrictSerializer, TextField
from core.api.views import RoomViewSet


class ShiftOut(serializers.ModelSerializer[CashShift]):
    class Meta:
        model = CashShift
        fields = [
            "id", "user", "location", "status", "opened_at", "opening_amount", "counted_at", "counted_amount",
            "expected_amount", "handed_over_at", "handed_over_amount", "handed_over_to", "note",
        ]  # fmt: skip
        read_only_fields = fields


class ShiftOpenIn(StrictSerializer):
    counted = AmountField(help_text="What lies in the drawer, with the change money.")
    from_owner = AmountField(default="0", help_text="Change money the owner has just put in.")
    note = TextField(max_length=300, allow_blank=True, required=False)


class ShiftCountIn(StrictSerializer):
    counted = AmountField(help_text="What really lies in the drawer; a difference is posted.")
    note = TextField(max_length=300, allow_blank=True, required=False)


class ShiftHandOverIn(StrictSerializer):
    amount = AmountField(help_text="0 closes the shift and hands nothing over.")
    to_user = serializers.IntegerField(required=False, min_value=1, help_text="A colleague; without one the owner.")
    to_bank = TextField(max_length=40, required=False, help_text="Or a bank account, for example bca_01.")

    def validate_to_user(self, value: int) -> object:
        person = colleagues(self.context["request"].user).filter(pk=value).first()
        if person is None:
            raise serializers.ValidationError(_("There is no such colleague."))
        return person


class ShiftViewSet(RoomViewSet):
    """Drawers from opening to hand-over; your own, or everybody's for those who manage them."""

    model = CashShift
    list_serializer = ShiftOut
    detail_serializer = ShiftOut
    http_method_names = ["get", "head", "post"]
    action_permissions = {
        "list": "billing.view_cashshift",
        "retrieve": "billing.view_cashshift",
        "create": "billing.use_cashshift",
        "count": "billing.use_cashshift",
        "hand_over": "billing.use_cashshift",
    }

    def visible(self) -> QuerySet[CashShift]:
        return shifts_visible_to(self.caller)

    @extend_schema(request=ShiftOpenIn, responses={201: ShiftOut})
    def create(self, request: Request) -> Response:
        """Open your shift."""
        shift = shift_open(**self.checked(ShiftOpenIn), **who(request), now=clock.now())
        return self.answer(shift, status=201)

    @extend_schema(request=ShiftCountIn, responses={200: ShiftOut})
    @action(detail=True, methods=["post"])
    def count(self, request: Request, pk: str) -> Response:
        """Close the shift with what was counted."""
        shift = self.get_object()
        return self.answer(shift_count(shift, **self.checked(ShiftCountIn), **who(request), now=clock.now()))

    @extend_schema(request=ShiftHandOverIn, responses={200: ShiftOut})
    @action(detail=True, methods=["post"], url_path="hand-over")
    def hand_over(self, request: Request, pk: str) -> Response:
        """Hand counted money over to a colleague, a bank account or the owner."""
        shift = self.get_object()
        return self.answer(shift_hand_over(shift, **self.checked(ShiftHandOverIn), **who(request), now=clock.now()))
