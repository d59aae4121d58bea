"""Services over REST: look, make, and every step of their life; runs of the engine and tonight's before it happens."""

from __future__ import annotations

from functools import partial
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.money_out import MoneyPreviewOut
from billing.api.services_in import (
    ActivateIn,
    AddonEndIn,
    AddonIn,
    ChangeLoginIn,
    ChangePlanIn,
    ChargeIn,
    CouponIn,
    EndIn,
    IsolateIn,
    MoveServiceIn,
    PauseIn,
    PayAheadIn,
    PrepayDiscountsIn,
    PromiseIn,
    ResumeIn,
    SubscriptionIn,
    SubscriptionPatchIn,
    TonightIn,
    WaitingChargeIn,
)
from billing.api.services_out import (
    RunOut,
    SubscriptionEventOut,
    SubscriptionOut,
    SubscriptionRowOut,
    TonightOut,
)
from billing.choices import PlanType, RunStatus, SubscriptionStatus
from billing.models import BillingRun, PlanChange, Promise, Subscription, SubscriptionEvent
from billing.selectors import runs_visible_to, subscriptions_visible_to
from billing.services.engine import nights
from billing.services.engine.preview import engine_preview
from billing.services.paying_ahead import pay_ahead_preview, prepay_discounts_put, subscription_pay_ahead
from billing.services.subscriptions import (
    subscription_activate,
    subscription_change,
    subscription_create,
    subscription_end,
)
from billing.services.subscriptions_access import subscription_change_login, subscription_move
from billing.services.subscriptions_extras import (
    addon_add,
    addon_end,
    charge_add,
    charge_bill_now,
    charge_drop,
    coupon_use,
    coupon_use_end,
)
from billing.services.subscriptions_pausing import subscription_pause, subscription_resume
from billing.services.subscriptions_plans import plan_change_cancel, plan_change_preview, subscription_change_plan
from billing.services.subscriptions_promises import promise_cancel, promise_to_pay, subscription_isolate
from core import clock
from core.api.filters import id_filter
from core.api.requests import request_key, who
from core.api.schema import IDEMPOTENCY
from core.api.serializers import NoInput
from core.api.views import RoomViewSet
from core.errors import TransitionError

CHANGE = "billing.change_subscription"


class SubscriptionFilter(django_filters.FilterSet):  # type: ignore[misc]
    username = django_filters.CharFilter(field_name="username", max_length=64, label="Exactly this user name.")
    username_prefix = django_filters.CharFilter(
        field_name="username", lookup_expr="startswith", min_length=2, max_length=64, label="User names that begin so."
    )
    status = django_filters.ChoiceFilter(choices=SubscriptionStatus.choices)
    type = django_filters.ChoiceFilter(choices=PlanType.choices)
    customer = id_filter("customer_id")
    plan = id_filter("plan_id")
    location = id_filter("location_id")


class SubscriptionViewSet(RoomViewSet):
    """What customers have month by month."""

    model = Subscription
    list_serializer = SubscriptionRowOut
    detail_serializer = SubscriptionOut
    filterset_class = SubscriptionFilter
    http_method_names = ["get", "head", "post", "patch"]
    action_permissions = {
        "list": "billing.view_subscription",
        "retrieve": "billing.view_subscription",
        "events": "billing.view_subscription",
        "create": "billing.add_subscription",
        "promise": "billing.promise_subscription",
        "cancel_promise": "billing.promise_subscription",
        "isolate": "billing.isolate_subscription",
        "end": "billing.end_subscription",
        **dict.fromkeys(
            [
                "partial_update", "activate", "pause", "resume", "change_plan", "change_plan_preview", "cancel_plan_change",
                "pay_ahead", "pay_ahead_preview", "prepay_discounts",
                "change_login", "move", "addon", "end_addon", "charge", "bill_charge", "drop_charge", "coupon", "end_coupon",
            ],
            CHANGE,
        ),
    }  # fmt: skip

    def visible(self) -> QuerySet[Subscription]:
        rows = subscriptions_visible_to(self.caller).select_related("customer", "plan", "location__state", "account")
        return rows.defer("customer__search")

    @extend_schema(request=SubscriptionIn, responses={201: SubscriptionOut}, parameters=[IDEMPOTENCY])
    def create(self, request: Request) -> Response:
        """Draft a service. Nothing is on a router and nothing is owed until it is started."""
        key = request_key(request)
        return self.answer(
            self.fresh(subscription_create(**self.checked(SubscriptionIn), **who(request), request_key=key)), 201
        )

    @extend_schema(request=SubscriptionPatchIn, responses={200: SubscriptionOut})
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what was agreed; it holds from the next bill on."""
        return self._command(subscription_change, SubscriptionPatchIn)

    @extend_schema(request=ActivateIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, pk: str) -> Response:
        """Start it: the login goes to the router, the first bill is made as its terms say."""
        return self._command(subscription_activate, ActivateIn)

    @extend_schema(request=PauseIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Switch it off for a while; no bills meanwhile."""
        return self._command(subscription_pause, PauseIn)

    @extend_schema(request=ResumeIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Let it come back; paused days that were paid are credited."""
        return self._command(subscription_resume, ResumeIn)

    @extend_schema(request=ChangePlanIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"], url_path="change-plan")
    def change_plan(self, request: Request, pk: str) -> Response:
        """Another plan of the same type, now (credit and bill by the day) or with the next period."""
        return self._command(subscription_change_plan, ChangePlanIn)

    @extend_schema(request=ChangePlanIn, responses={200: MoneyPreviewOut})
    @action(detail=True, methods=["post"], url_path="change-plan-preview")
    def change_plan_preview(self, request: Request, pk: str) -> Response:
        """What the change would bill and credit today, to the rupiah. Nothing is done."""
        found = plan_change_preview(self.get_object(), **self.checked(ChangePlanIn), actor=self.caller)
        return Response(MoneyPreviewOut(found).data)

    @extend_schema(request=NoInput, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"], url_path="cancel-plan-change")
    def cancel_plan_change(self, request: Request, pk: str) -> Response:
        """Forget the change of plan that waits for the next period."""
        row = self.get_object()
        self.checked(NoInput)
        change = PlanChange.objects.filter(subscription=row, status="waiting").first()
        return self._of_newest(row, change, plan_change_cancel, "plan_change.none")

    @extend_schema(request=PayAheadIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"], url_path="pay-ahead")
    def pay_ahead(self, request: Request, pk: str) -> Response:
        """Bill the next months now, on one bill, with the discount for so many."""
        return self._command(subscription_pay_ahead, PayAheadIn)

    @extend_schema(request=PayAheadIn, responses={200: MoneyPreviewOut})
    @action(detail=True, methods=["post"], url_path="pay-ahead-preview")
    def pay_ahead_preview(self, request: Request, pk: str) -> Response:
        """What these months would cost. Nothing is done."""
        found = pay_ahead_preview(self.get_object(), **self.checked(PayAheadIn), actor=self.caller)
        return Response(MoneyPreviewOut(found).data)

    @extend_schema(request=PrepayDiscountsIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"], url_path="prepay-discounts")
    def prepay_discounts(self, request: Request, pk: str) -> Response:
        """Other discounts for months paid at once than the plan's."""
        row = self.get_object()
        asked = self.checked(PrepayDiscountsIn)["discounts"]
        found = None if asked is None else {one["months"]: one["percent"] for one in asked}
        prepay_discounts_put(row, discounts=found, **who(request))
        return self.answer(self.fresh(row))

    @extend_schema(request=PromiseIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"])
    def promise(self, request: Request, pk: str) -> Response:
        """Open it until a day though a bill is overdue; it isolates itself again when nothing is paid."""
        return self._command(promise_to_pay, PromiseIn)

    @extend_schema(request=NoInput, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"], url_path="cancel-promise")
    def cancel_promise(self, request: Request, pk: str) -> Response:
        """Take the open promise back."""
        row = self.get_object()
        self.checked(NoInput)
        promise = Promise.objects.filter(subscription=row, status="open").first()
        return self._of_newest(row, promise, promise_cancel, "promise.none")

    @extend_schema(request=IsolateIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"])
    def isolate(self, request: Request, pk: str) -> Response:
        """Hold an overdue service back now; refused when nothing is overdue."""
        return self._command(subscription_isolate, IsolateIn)

    @extend_schema(request=EndIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """End it for good. What is owed stays owed."""
        return self._command(subscription_end, EndIn)

    @extend_schema(request=ChangeLoginIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"], url_path="change-login")
    def change_login(self, request: Request, pk: str) -> Response:
        """Another user name, password, address or device; the router follows."""
        return self._command(subscription_change_login, ChangeLoginIn)

    @extend_schema(request=MoveServiceIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Serve it at another location from now on."""
        return self._command(subscription_move, MoveServiceIn)

    @extend_schema(request=AddonIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"])
    def addon(self, request: Request, pk: str) -> Response:
        """Something more on every bill."""
        return self._command(addon_add, AddonIn)

    @extend_schema(request=ChargeIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"])
    def charge(self, request: Request, pk: str) -> Response:
        """A one-off amount, on the next bill or at once."""
        row = self.get_object()
        charge_add(customer=row.customer, subscription=row, **self.checked(ChargeIn), **who(request))
        return self.answer(self.fresh(row))

    @extend_schema(request=CouponIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"])
    def coupon(self, request: Request, pk: str) -> Response:
        """Enter a coupon for the next bills."""
        return self._command(coupon_use, CouponIn)

    @extend_schema(request=AddonEndIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"], url_path="end-addon")
    def end_addon(self, request: Request, pk: str) -> Response:
        """End an add-on with what is billed, or today with a credit for days not used."""
        row = self.get_object()
        values = self.checked(AddonEndIn)
        addon = row.addons.filter(pk=values.pop("addon")).first()
        return self._of_newest(row, addon, partial(addon_end, **values), "addon.none")

    @extend_schema(request=WaitingChargeIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"], url_path="bill-charge")
    def bill_charge(self, request: Request, pk: str) -> Response:
        """Bill a one-off charge today instead of with the next bill."""
        row = self.get_object()
        charge = row.charges.filter(pk=self.checked(WaitingChargeIn)["charge"]).first()
        return self._of_newest(row, charge, charge_bill_now, "charge.none")

    @extend_schema(request=WaitingChargeIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"], url_path="drop-charge")
    def drop_charge(self, request: Request, pk: str) -> Response:
        """Forget a one-off charge that is on no bill yet."""
        row = self.get_object()
        charge = row.charges.filter(pk=self.checked(WaitingChargeIn)["charge"]).first()
        return self._of_newest(row, charge, charge_drop, "charge.none")

    @extend_schema(request=CouponIn, responses={200: SubscriptionOut})
    @action(detail=True, methods=["post"], url_path="end-coupon")
    def end_coupon(self, request: Request, pk: str) -> Response:
        """Take a coupon off the bills to come; what it took off before stays."""
        row = self.get_object()
        code = self.checked(CouponIn)["code"]
        use = row.coupon_uses.filter(coupon__code__iexact=code).select_related("coupon").first()
        return self._of_newest(row, use, coupon_use_end, "coupon.none")

    @extend_schema(responses={200: SubscriptionEventOut(many=True)}, filters=False)
    @action(detail=True, methods=["get"])
    def events(self, request: Request, pk: str) -> Response:
        """Everything that happened to it, newest first."""
        page = self.paginate_queryset(SubscriptionEvent.objects.filter(subscription=self.get_object()))
        return self.get_paginated_response(SubscriptionEventOut(page, many=True).data)

    def _command(self, service: Any, serializer_class: Any) -> Response:
        row = self.get_object()
        service(row, **self.checked(serializer_class), **who(self.request))
        return self.answer(self.fresh(row))

    def _of_newest(self, row: Subscription, subject: Any, service: Any, code: str) -> Response:
        if subject is None:
            raise TransitionError(_("There is none to take back."), code=code)
        service(subject, **who(self.request))
        return self.answer(self.fresh(row))


class RunFilter(django_filters.FilterSet):  # type: ignore[misc]
    status = django_filters.ChoiceFilter(choices=RunStatus.choices)
    location = id_filter("location_id")


class RunViewSet(RoomViewSet):
    """Runs: each location's nights, and steps for many services."""

    model = BillingRun
    list_serializer = RunOut
    detail_serializer = RunOut
    filterset_class = RunFilter
    http_method_names = ["get", "head", "post"]
    action_permissions = {
        "list": "billing.view_billingrun",
        "retrieve": "billing.view_billingrun",
        "cancel": "billing.manage_billingrun",
        "again": "billing.manage_billingrun",
        "tonight": "billing.manage_billingrun",
    }

    def visible(self) -> QuerySet[BillingRun]:
        return runs_visible_to(self.caller)

    @extend_schema(request=NoInput, responses={200: RunOut})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop it after what it is at; what it did stays done."""
        row = self.get_object()
        self.checked(NoInput)
        nights.run_cancel(row, **who(request))
        return self.answer(self.fresh(row))

    @extend_schema(request=NoInput, responses={200: RunOut})
    @action(detail=True, methods=["post"])
    def again(self, request: Request, pk: str) -> Response:
        """Go on with a run that failed or was stopped."""
        row = self.get_object()
        self.checked(NoInput)
        nights.run_again(row, **who(request))
        return self.answer(self.fresh(row))

    @extend_schema(request=TonightIn, responses={200: TonightOut})
    @action(detail=False, methods=["post"])
    def tonight(self, request: Request) -> Response:
        """What a location's night would do now, service by service. Nothing is done."""
        asked = self.checked(TonightIn)
        day = asked.get("day") or nights.next_night(asked["location"], now=clock.now())
        return Response(TonightOut(engine_preview(asked["location"], day)).data)
