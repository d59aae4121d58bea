"""Agents over REST: for staff all of them, for an agent his own account."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.cash_selectors import agents_visible_to
from billing.models import Agent
from billing.services.agents import agent_deposit, agent_of, agent_pay_out
from core import clock
from core.api.requests import request_key, who
from core.api.schema import IDEMPOTENCY
from core.api.serializers import AmountField, StrictSerializer
from core.api.views import HouseView, RoomViewSet
from core.errors import DomainError


class AgentOut(serializers.ModelSerializer[Agent]):
    class Meta:
        model = Agent
        fields = [
            "id", "user", "name", "phone", "location", "commission_percent", "credit_limit", "balance", "is_active",
            "created_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {"balance": {"help_text": "His deposit; below 0 he owes."}}


class DepositIn(StrictSerializer):
    amount = AmountField(help_text="Whole units of the currency, above 0.")


class AgentViewSet(RoomViewSet):
    """People who sell vouchers of their own stock against a deposit."""

    model = Agent
    list_serializer = AgentOut
    detail_serializer = AgentOut
    http_method_names = ["get", "head", "post"]
    action_permissions = {
        "list": "billing.view_agent",
        "retrieve": "billing.view_agent",
        "deposit": "billing.take_deposit",
        "pay_out": "billing.take_deposit",
    }

    def visible(self) -> QuerySet[Agent]:
        return agents_visible_to(self.caller)

    @extend_schema(request=DepositIn, responses={200: AgentOut}, parameters=[IDEMPOTENCY])
    @action(detail=True, methods=["post"])
    def deposit(self, request: Request, pk: str) -> Response:
        """Take cash of the agent into your own drawer and onto his deposit."""
        agent, key = self.get_object(), request_key(request)
        agent_deposit(agent, **self.checked(DepositIn), **who(request), request_key=key, now=clock.now())
        return self.answer(self.fresh(agent))

    @extend_schema(request=DepositIn, responses={200: AgentOut}, parameters=[IDEMPOTENCY])
    @action(detail=True, methods=["post"], url_path="pay-out")
    def pay_out(self, request: Request, pk: str) -> Response:
        """Give the agent money of his deposit back, out of your own drawer."""
        agent, key = self.get_object(), request_key(request)
        agent_pay_out(agent, **self.checked(DepositIn), **who(request), request_key=key, now=clock.now())
        return self.answer(self.fresh(agent))


class OwnAgentView(HouseView):
    """What an agent sees of himself."""

    action_permissions = {"get": "billing.view_own_agent"}

    @extend_schema(responses={200: AgentOut}, operation_id="own_agent")
    def get(self, request: Request) -> Response:
        """My deposit, commission and credit limit."""
        agent = agent_of(self.caller)
        if agent is None:
            raise DomainError("agent.none", _("This login is not an agent."), status=404)
        return Response(AgentOut(agent).data)
