from __future__ import annotations

import django_filters
from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.fields import plans_visible_to
from billing.api.serializers import PlanIn, PlanOut, PlanPatchIn, PlanRowOut, PublishIn
from billing.choices import PlanType
from billing.models import Plan, PlanLocation
from billing.services import plan_change, plan_create, plan_publish, plan_unpublish
from core.api.requests import who
from core.api.views import RoomViewSet
from locations.selectors import locations_visible_to


class PlanFilter(django_filters.FilterSet):  # type: ignore[misc]
    type = django_filters.ChoiceFilter(choices=PlanType.choices)
    is_active = django_filters.BooleanFilter()


class PlanViewSet(RoomViewSet):
    """What is sold. Those who make plans see all; others what is on sale at their locations."""

    model = Plan
    list_serializer = PlanRowOut
    detail_serializer = PlanOut
    filterset_class = PlanFilter
    http_method_names = ["get", "head", "post", "patch"]
    action_permissions = {
        "list": "billing.view_plan",
        "retrieve": "billing.view_plan",
        "create": "billing.add_plan",
        "partial_update": "billing.change_plan",
        "publish": "billing.publish_plan",
        "unpublish": "billing.publish_plan",
    }

    def visible(self) -> QuerySet[Plan]:
        plans = plans_visible_to(self.caller)
        if self.action == "list":
            return plans
        here = locations_visible_to(self.caller).values("pk")
        publications = PlanLocation.objects.filter(location__in=here).select_related("location", "profile")
        return plans.prefetch_related(Prefetch("publications", publications.order_by("location__name")))

    @extend_schema(request=PlanIn, responses={201: PlanOut})
    def create(self, request: Request) -> Response:
        """Make a plan. It is on no router until it is published."""
        plan = plan_create(**self.checked(PlanIn), **who(request))
        return self.answer(self.fresh(plan), 201)

    @extend_schema(request=PlanPatchIn, responses={200: PlanOut})
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a plan. Routers follow; vouchers already made keep their price."""
        plan = self.get_object()
        plan_change(plan, **self.checked(PlanPatchIn), **who(request))
        return self.answer(self.fresh(plan))

    @extend_schema(request=PublishIn, responses={200: PlanOut})
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Sell the plan at these locations, too: their routers get its profile."""
        plan = self.get_object()
        plan_publish(plan, self.checked(PublishIn)["locations"], **who(request))
        return self.answer(self.fresh(plan))

    @extend_schema(request=PublishIn, responses={200: PlanOut})
    @action(detail=True, methods=["post"])
    def unpublish(self, request: Request, pk: str) -> Response:
        """Sell the plan at these locations no longer. Vouchers already made there stay valid."""
        plan = self.get_object()
        plan_unpublish(plan, self.checked(PublishIn)["locations"], **who(request))
        return self.answer(self.fresh(plan))
