"""Agents: what was agreed, their deposit, and taking or giving money of it. Their stock is shown by the voucher room."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.cash_forms import AgentForm, AmountForm
from billing.cash_selectors import agents_visible_to
from billing.models import Agent
from billing.services.agents import FIELDS, agent_change, agent_create, agent_deposit, agent_pay_out
from core import clock
from core.admin import Confirmation, ModelAdmin
from core.client_ip import client_ip
from core.formats import money


def deposit_words(agent: Agent) -> str:
    """What we hold of him, or what he owes, and how far he may still sell."""
    room = agent.balance + agent.credit_limit
    text = _("Deposit %(amount)s") if agent.balance >= 0 else _("Owes %(amount)s")
    if room < 0:
        left = _("%(amount)s more than agreed; no more sales until a deposit is paid") % {"amount": money(-room)}
    else:
        left = _("may still sell for %(amount)s") % {"amount": money(room)}
    return f"{text % {'amount': money(abs(agent.balance))}}, {left}"


@admin.register(Agent)
class AgentAdmin(ModelAdmin[Agent]):
    nav_group, nav_icon, nav_order = "sell", "handyman", 40
    form = AgentForm
    is_small_table = True
    list_display = ("name", "user", "deposit_text", "commission_percent", "is_active")
    list_select_related = ("user", "location")
    list_filter = ("is_active",)
    search_fields = ("name", "user__username")
    autocomplete_fields = ("user", "location")
    ordering = ("name",)
    confirmations = ("deposit", "pay_out")
    audit_noun = ""
    empty_text = gettext_lazy("An agent sells vouchers of his own stock against a deposit, and keeps a commission.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        return agents_visible_to(request.user).select_related("user", "location")  # type: ignore[arg-type]  # staff only

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        agreed = ("name", "phone", "location", "commission_percent", "credit_limit")
        return ("username", "password", *agreed) if obj is None else ("deposit_text", *agreed, "is_active")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("deposit_text",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Agent, form: Any, change: bool) -> None:
        actor: Any = request.user
        data = form.cleaned_data
        if change:
            fields = {name: data[name] for name in FIELDS & set(form.changed_data)}
            agent_change(obj, actor=actor, ip=client_ip(request), **fields)
            return
        agreed = {name: data[name] for name in ("phone", "location", "commission_percent", "credit_limit")}
        made = agent_create(
            username=data["username"], password=data["password"], name=data["name"], actor=actor, ip=client_ip(request),
            **agreed,
        )  # fmt: skip
        obj.__dict__.update(made.__dict__)

    @admin.display(description=gettext_lazy("deposit"))
    def deposit_text(self, row: Agent) -> str:
        return deposit_words(row)

    def deposit(self, request: HttpRequest, row: Agent) -> Confirmation | None:
        actor: Any = request.user

        def run(data: dict[str, Any]) -> str:
            agent_deposit(
                row, amount=data["amount"], request_key=data["request_key"], now=clock.now(), actor=actor,
                ip=client_ip(request),
            )  # fmt: skip
            return _("%(amount)s taken from %(name)s. It is in your drawer.") % {
                "amount": money(data["amount"]), "name": row.name,
            }  # fmt: skip

        return Confirmation(
            title=_("Take a deposit"), button=_("Take"), run=run, icon="inbox", form=AmountForm, is_primary=True,
            question=_("How much does %(name)s give you in cash?") % {"name": row.name},
            permission="billing.take_deposit",
        )  # fmt: skip

    def pay_out(self, request: HttpRequest, row: Agent) -> Confirmation | None:
        if row.balance <= 0:
            return None
        actor: Any = request.user

        def run(data: dict[str, Any]) -> str:
            agent_pay_out(
                row, amount=data["amount"], request_key=data["request_key"], now=clock.now(), actor=actor,
                ip=client_ip(request),
            )  # fmt: skip
            return _("%(amount)s was given back out of your drawer.") % {"amount": money(data["amount"])}

        return Confirmation(
            title=_("Give deposit back"), button=_("Give back"), run=run, icon="undo", form=AmountForm, is_danger=True,
            question=_("How much of his deposit does %(name)s get back? At most %(amount)s.")
            % {"name": row.name, "amount": money(row.balance)},
            permission="billing.take_deposit",
        )  # fmt: skip
