"""Money that goes out, and its categories, over REST."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.cash_selectors import expenses_visible_to
from billing.ledger import chart
from billing.models import Expense, ExpenseCategory
from billing.services.expenses import expense_reverse, expense_write
from core import clock
from core.api.filters import id_filter
from core.api.requests import request_key, who
from core.api.schema import IDEMPOTENCY
from core.api.serializers import MAX_ID, AmountField, StrictSerializer, TextField
from core.api.views import RoomViewSet
from core.errors import DomainError
from locations.api.fields import LocationField

DRAWER = "drawer"


class CategoryOut(serializers.ModelSerializer[ExpenseCategory]):
    class Meta:
        model = ExpenseCategory
        fields = ["id", "code", "name", "is_active"]
        read_only_fields = fields


class CategoryField(serializers.IntegerField):
    """The id of a category; the validated value is the ExpenseCategory."""

    def __init__(self, **kwargs: Any):
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> ExpenseCategory:
        number = super().run_validation(data)
        category = ExpenseCategory.objects.filter(pk=number).first()
        if category is None:
            raise serializers.ValidationError(_("No such category: %(id)s.") % {"id": number})
        return category


class ExpenseOut(serializers.ModelSerializer[Expense]):
    class Meta:
        model = Expense
        fields = [
            "id", "category", "location", "amount", "spent_on", "paid_from", "note", "created_by", "created_at",
            "reversed_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {
            "paid_from": {"help_text": "`cash:7` (the drawer of user 7), `bank:bca_01` or `owner`."},
            "reversed_at": {"help_text": "Set when it was taken back: the money is where it came from."},
        }


class ExpenseIn(StrictSerializer):
    category = CategoryField()
    amount = AmountField(help_text="Whole units of the currency, above 0.")
    spent_on = serializers.DateField(help_text="The day it counts on; not in the future.")
    paid_from = TextField(max_length=60, help_text="`drawer` (your own), `bank:bca_01` or `owner`.")
    location = LocationField(required=False, help_text="Whose cost it is; without one, of the whole business.")
    note = TextField(max_length=300, allow_blank=True, required=False)


class ExpenseReverseIn(StrictSerializer):
    reason = TextField(max_length=300)


class ExpenseFilter(django_filters.FilterSet):  # type: ignore[misc]
    category = id_filter("category_id")
    location = id_filter("location_id")
    spent_from = django_filters.DateFilter("spent_on", lookup_expr="gte", label="Spent on this day or later.")
    spent_until = django_filters.DateFilter("spent_on", lookup_expr="lte", label="Spent on this day or earlier.")


class ExpenseCategoryViewSet(RoomViewSet):
    """What money is spent on."""

    model = ExpenseCategory
    list_serializer = CategoryOut
    detail_serializer = CategoryOut
    http_method_names = ["get", "head"]
    action_permissions = {"list": "billing.view_expensecategory", "retrieve": "billing.view_expensecategory"}

    def visible(self) -> QuerySet[ExpenseCategory]:
        return ExpenseCategory.objects.all()


class ExpenseViewSet(RoomViewSet):
    """Money that went out. It never changes; one that was wrong is taken back."""

    model = Expense
    list_serializer = ExpenseOut
    detail_serializer = ExpenseOut
    filterset_class = ExpenseFilter
    http_method_names = ["get", "head", "post"]
    action_permissions = {
        "list": "billing.view_expense",
        "retrieve": "billing.view_expense",
        "create": "billing.add_expense",
        "reverse": "billing.reverse_expense",
    }

    def visible(self) -> QuerySet[Expense]:
        return expenses_visible_to(self.caller)

    @extend_schema(request=ExpenseIn, responses={201: ExpenseOut}, parameters=[IDEMPOTENCY])
    def create(self, request: Request) -> Response:
        """Write down money that went out of your own drawer, a bank account or the owner's pocket."""
        key, order = request_key(request), self.checked(ExpenseIn)
        if order["paid_from"] == DRAWER:
            order["paid_from"] = chart.cash(self.caller.pk)
        expense = expense_write(**order, **who(request), request_key=key, now=clock.now())
        _refuse_other(expense, order)
        return self.answer(expense, status=201)

    @extend_schema(request=ExpenseReverseIn, responses={200: ExpenseOut})
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, pk: str) -> Response:
        """Take it back: the money is where it came from again."""
        expense = self.get_object()
        return self.answer(expense_reverse(expense, **self.checked(ExpenseReverseIn), **who(request), now=clock.now()))


def _refuse_other(expense: Expense, order: dict[str, Any]) -> None:
    """A key that is used again for something else is a mistake of the caller, and must not look like success."""
    named = {"location": None, "note": ""} | order
    if any(getattr(expense, name) != value for name, value in named.items()):
        message = _("This Idempotency-Key was used for another expense; nothing was written now.")
        raise DomainError("idempotency.mismatch", message, status=409)
