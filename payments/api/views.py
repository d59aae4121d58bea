from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.api.requests import request_key, who
from core.api.schema import IDEMPOTENCY
from core.api.serializers import NoInput
from core.api.views import RoomViewSet
from payments.api.filters import PaymentFilter, ReversalFilter
from payments.api.serializers import (
    MethodOut,
    PaymentIn,
    PaymentOut,
    PaymentRowOut,
    RefundIn,
    RefundOut,
    ReversalIn,
    ReversalOut,
    ReversalPreviewOut,
    ReversalRowOut,
)
from payments.models import Payment, PaymentMethod, Reversal
from payments.selectors import payments_visible_to, reversals_visible_to
from payments.services import (
    payment_cancel,
    payment_receive_cash,
    payment_refund,
    reversal_ask,
    reversal_decide,
    reversal_preview,
)


class PaymentViewSet(RoomViewSet):
    """Money customers gave, or are about to give."""

    model = Payment
    list_serializer = PaymentRowOut
    detail_serializer = PaymentOut
    filterset_class = PaymentFilter
    http_method_names = ["get", "head", "post"]
    action_permissions = {
        "list": "payments.view_payment",
        "retrieve": "payments.view_payment",
        "create": "payments.take_cash",
        "refund": "payments.refund_payment",
        "cancel": "payments.cancel_payment",
        "reverse": "payments.reverse_payment",
        "reverse_preview": "payments.reverse_payment",
    }

    def visible(self) -> QuerySet[Payment]:
        return payments_visible_to(self.caller).select_related("method")

    @extend_schema(request=PaymentIn, responses={201: PaymentOut}, parameters=[IDEMPOTENCY])
    def create(self, request: Request) -> Response:
        """Take cash into your own drawer: for the invoice, or the oldest debts; the rest becomes balance."""
        key, body = request_key(request), self.checked(PaymentIn)
        payment = payment_receive_cash(**body, **who(request), request_key=key, now=clock.now())
        return self.answer(Payment.objects.select_related("method").get(pk=payment.pk), status=201)

    @extend_schema(request=RefundIn, responses={201: RefundOut}, parameters=[IDEMPOTENCY])
    @action(detail=True, methods=["post"])
    def refund(self, request: Request, pk: str) -> Response:
        """Give cash back out of your own drawer: from the balance first, then invoices are owed again."""
        payment, key = self.get_object(), request_key(request)
        refund = payment_refund(payment, **self.checked(RefundIn), **who(request), request_key=key, now=clock.now())
        return Response(RefundOut(refund).data, status=201)

    @extend_schema(request=NoInput, responses={200: PaymentOut})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop waiting for a payment; money that still arrives is counted."""
        payment = self.get_object()
        self.checked(NoInput)
        payment_cancel(payment, **who(request), now=clock.now())
        return self.answer(self.fresh(payment))

    @extend_schema(request=ReversalIn, responses={201: ReversalOut}, parameters=[IDEMPOTENCY])
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, pk: str) -> Response:
        """Take a payment back that was booked by mistake: bills are owed again, the money leaves the account it came into.

        Above the limit of the settings it waits for a second person (`status` is "waiting").
        """
        payment, key = self.get_object(), request_key(request)
        done = reversal_ask(payment, **self.checked(ReversalIn), **who(request), request_key=key, now=clock.now())
        return Response(ReversalOut(done).data, status=201)

    @extend_schema(responses={200: ReversalPreviewOut})
    @action(detail=True, methods=["get"], url_path="reverse-preview")
    def reverse_preview(self, request: Request, pk: str) -> Response:
        """What `reverse` would do now. 409 when it is not possible."""
        return Response(ReversalPreviewOut(reversal_preview(self.get_object())).data)


class ReversalViewSet(RoomViewSet):
    """Payments that were taken back, or are asked to be."""

    model = Reversal
    list_serializer = ReversalRowOut
    detail_serializer = ReversalOut
    filterset_class = ReversalFilter
    http_method_names = ["get", "head", "post"]
    action_permissions = {
        "list": "payments.view_reversal",
        "retrieve": "payments.view_reversal",
        "approve": "payments.approve_reversal",
        "reject": "payments.approve_reversal",
    }

    def visible(self) -> QuerySet[Reversal]:
        return reversals_visible_to(self.caller)

    @extend_schema(request=NoInput, responses={200: ReversalOut})
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Do what somebody else asked for; never the same person."""
        return self._decide(request, is_approved=True)

    @extend_schema(request=NoInput, responses={200: ReversalOut})
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Leave the payment as it is."""
        return self._decide(request, is_approved=False)

    def _decide(self, request: Request, *, is_approved: bool) -> Response:
        reversal = self.get_object()
        self.checked(NoInput)
        reversal_decide(reversal, is_approved=is_approved, **who(request), now=clock.now())
        return self.answer(self.fresh(reversal))


class MethodViewSet(RoomViewSet):
    """Ways to pay."""

    model = PaymentMethod
    list_serializer = MethodOut
    detail_serializer = MethodOut
    http_method_names = ["get", "head"]
    action_permissions = {"list": "payments.view_paymentmethod", "retrieve": "payments.view_paymentmethod"}

    def visible(self) -> QuerySet[PaymentMethod]:
        return PaymentMethod.objects.all()
