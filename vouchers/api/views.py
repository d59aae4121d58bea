from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.renderers import CsvRenderer
from core.api.requests import request_key, who
from core.api.schema import IDEMPOTENCY
from core.api.serializers import NoInput
from core.api.views import RoomViewSet
from core.client_ip import client_ip
from core.errors import DomainError
from core.events import emit
from core.staff_events import StaffActed
from locations.selectors import choice_for
from vouchers.api.filters import BatchFilter, VoucherFilter
from vouchers.api.output import BatchCreatedOut, BatchOut, VoucherOut
from vouchers.api.serializers import (
    BatchIn,
    BatchRowOut,
    EventOut,
    ExtendIn,
    MoveIn,
    SaleOut,
    SellIn,
    VoidIn,
    VoucherRowOut,
)
from vouchers.models import Voucher, VoucherBatch, VoucherEvent, VoucherSale
from vouchers.printing import csv_rows
from vouchers.selectors import batches_visible_to, event_made, vouchers_visible_to
from vouchers.services import (
    batch_cancel,
    batch_create,
    voucher_extend,
    voucher_move,
    voucher_sale_undo,
    voucher_sell,
    voucher_void,
)


class BatchViewSet(RoomViewSet):
    """Orders for vouchers; they are generated in the background."""

    model = VoucherBatch
    list_serializer = BatchRowOut
    detail_serializer = BatchOut
    filterset_class = BatchFilter
    http_method_names = ["get", "head", "post"]
    action_permissions = {
        "list": "vouchers.view_voucherbatch",
        "retrieve": "vouchers.view_voucherbatch",
        "create": "vouchers.add_voucherbatch",
        "cancel": "vouchers.cancel_voucherbatch",
        "csv": "vouchers.print_voucher",
    }

    def visible(self) -> QuerySet[VoucherBatch]:
        return batches_visible_to(self.caller).select_related("plan").prefetch_related("locations")

    @extend_schema(request=BatchIn, responses={201: BatchCreatedOut}, parameters=[IDEMPOTENCY])
    def create(self, request: Request) -> Response:
        """Order vouchers. Answers at once; `progress` grows until the status is `ready`."""
        key, order = request_key(request), self.checked(BatchIn)
        batch = self.fresh(batch_create(**order, **who(request), request_key=key))
        _refuse_other_order(batch, order)
        return Response(BatchCreatedOut(batch, context=self.get_serializer_context()).data, status=201)

    @extend_schema(request=NoInput, responses={200: BatchOut})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop generating: no code of this batch will exist."""
        batch = self.get_object()
        self.checked(NoInput)
        batch_cancel(batch, **who(request))
        return self.answer(self.fresh(batch))

    @extend_schema(responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="One line per code.")})
    @action(detail=True, methods=["get"], renderer_classes=[JSONRenderer, CsvRenderer])
    def csv(self, request: Request, pk: str) -> StreamingHttpResponse:
        """The batch's codes for a spreadsheet, made harmless where a spreadsheet would see a formula."""
        batch = self.get_object()
        details = {"batch": batch.pk, "name": batch.name}
        with transaction.atomic():  # who took the codes out of the house is written down, as in the admin
            emit(StaffActed(self.caller.pk, "batch.exported", details, client_ip(request._request)))
        answer = StreamingHttpResponse(csv_rows(batch), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="vouchers-{batch.pk}.csv"'
        return answer


def _refuse_other_order(batch: VoucherBatch, order: dict[str, Any]) -> None:
    """A key that is used again for something else is a mistake of the caller, and must not look like success."""
    places = {location.pk for location in batch.locations.all()}
    group = order.get("group")
    wanted = {location.pk for location in order.get("locations", ())}
    chosen = choice_for(f"voucherbatch:{batch.pk}")
    is_place_same = places == wanted if group is None else chosen is not None and chosen.group_id == group.pk
    is_same = is_place_same and all(
        getattr(batch, name) == order[name] for name in ("plan", "quantity", "length", "charset", "mode", "push_at")
    )
    if not is_same:
        message = _("This Idempotency-Key was used for another order; nothing was ordered now.")
        raise DomainError("idempotency.mismatch", message, status=409)


class VoucherViewSet(RoomViewSet):
    """Codes, and what becomes of them."""

    model = Voucher
    list_serializer = VoucherRowOut
    detail_serializer = VoucherOut
    filterset_class = VoucherFilter
    http_method_names = ["get", "head", "post"]
    action_permissions = {
        "list": "vouchers.view_voucher",
        "retrieve": "vouchers.view_voucher",
        "events": "vouchers.view_voucher",
        "sell": "vouchers.sell_voucher",
        "undo": "vouchers.undo_vouchersale",
        "void": "vouchers.void_voucher",
        "extend": "vouchers.extend_voucher",
        "move": "vouchers.move_voucher",
    }

    def visible(self) -> QuerySet[Voucher]:
        return vouchers_visible_to(self.caller).select_related("plan")

    @extend_schema(request=SellIn, responses={201: SaleOut}, parameters=[IDEMPOTENCY])
    @action(detail=True, methods=["post"])
    def sell(self, request: Request, pk: str) -> Response:
        """Record the sale, and put the code on its routers if it is not there yet."""
        voucher = self.get_object()
        key = request_key(request)
        sale = voucher_sell(voucher, **self.checked(SellIn), **who(request), request_key=key)
        return Response(SaleOut(sale).data, status=201)

    @extend_schema(request=NoInput, responses={200: SaleOut})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Take the last sale back, within 60 s and while nobody used the code."""
        voucher = self.get_object()
        self.checked(NoInput)
        sale = VoucherSale.objects.filter(voucher=voucher, reverses=None).order_by("-pk").first()
        if sale is None:
            raise DomainError("voucher.not_sold", _("This voucher was never sold."), status=409)
        return Response(SaleOut(voucher_sale_undo(sale, **who(request))).data)

    @extend_schema(request=VoidIn, responses={200: VoucherOut})
    @action(detail=True, methods=["post"])
    def void(self, request: Request, pk: str) -> Response:
        """End the voucher for good: it leaves its routers and its session is closed."""
        return self._command(voucher_void, VoidIn)

    @extend_schema(request=ExtendIn, responses={200: VoucherOut})
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, pk: str) -> Response:
        """Give more time; an expired voucher becomes usable again."""
        return self._command(voucher_extend, ExtendIn)

    @extend_schema(request=MoveIn, responses={200: VoucherOut})
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Make the voucher good at another location instead."""
        return self._command(voucher_move, MoveIn)

    @extend_schema(responses={200: EventOut(many=True)}, filters=False)
    @action(detail=True, methods=["get"])
    def events(self, request: Request, pk: str) -> Response:
        """Everything that happened to the voucher, newest first; the last page ends with how it was made."""
        voucher = self.get_object()
        page = self.paginate_queryset(VoucherEvent.objects.filter(voucher=voucher)) or []
        answer = self.get_paginated_response(EventOut(page, many=True).data)
        if answer.data["next"] is None and (page or "cursor" not in request.query_params):
            answer.data["results"].append(EventOut(event_made(voucher)).data)
        return answer

    def _command(self, service: Any, serializer_class: Any) -> Response:
        voucher = self.get_object()
        service(voucher, **self.checked(serializer_class), **who(self.request))
        return self.answer(self.fresh(voucher))
