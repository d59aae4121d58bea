"""Agents' stock: giving and taking back for staff, and the agent's own page: deposit, stock, last sales."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.admin.agents import deposit_words
from billing.cash_selectors import agents_visible_to
from billing.models import Agent
from billing.services.agents import agent_of
from core import clock
from core.admin import ConfirmForm, Page, add_page
from core.client_ip import client_ip
from core.errors import DomainError
from core.formats import moment, money
from core.panels import RowPanel, add_row_panel
from vouchers.models import VoucherBatch, VoucherSale
from vouchers.selectors import sales_visible_to
from vouchers.services import stock_issue, stock_return
from vouchers.stock_selectors import batches_to_issue, stock_of

LAST_SALES = 20


class StockForm(ConfirmForm):
    batch = forms.ChoiceField(label=gettext_lazy("batch"))
    quantity = forms.IntegerField(label=gettext_lazy("how many"), min_value=1, max_value=100_000)

    def __init__(self, *args: Any, batches: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        batch: Any = self.fields["batch"]
        batch.choices = [(str(pk), text) for pk, text in batches]


def agent_stock(request: HttpRequest, agent_id: int) -> HttpResponseBase:
    """Two forms: vouchers to the agent, vouchers back."""
    user: Any = request.user
    agent = agents_visible_to(user).filter(pk=agent_id).first()
    if agent is None:
        raise Http404
    step = request.POST.get("do", "")
    issue, back = _forms(request, agent, step)
    form = {"issue": issue, "return": back}.get(step)
    if form is not None and form.is_valid():
        batch = VoucherBatch.objects.get(pk=int(form.cleaned_data["batch"]))
        move = stock_issue if step == "issue" else stock_return
        try:
            moved = move(
                batch, agent, quantity=form.cleaned_data["quantity"], now=clock.now(), actor=user, ip=client_ip(request)
            )
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            text = ngettext("%(n)d voucher moved.", "%(n)d vouchers moved.", moved) % {"n": moved}
            messages.success(request, text)
            return HttpResponseRedirect(reverse("admin:billing_agent_change", args=[agent.pk]))
    context = {
        **admin.site.each_context(request),
        "title": _("Vouchers of %(name)s") % {"name": agent.name}, "agent": agent, "issue": issue, "back_form": back,
        "piles": stock_of(agent), "back": reverse("admin:billing_agent_change", args=[agent.pk]),
    }  # fmt: skip
    status = 422 if form is not None and form.errors else 200
    return TemplateResponse(request, "vouchers/admin/agent_stock.html", context, status=status)


def _forms(request: HttpRequest, agent: Agent, step: str) -> tuple[StockForm, StockForm]:
    user: Any = request.user
    issue = [(batch.pk, f"{batch.name} · {batch.plan.name}") for batch in batches_to_issue(user)]
    there = [(pile.batch.pk, f"{pile.batch.name} ({pile.unsold})") for pile in stock_of(agent) if pile.unsold]
    return (
        StockForm(request.POST if step == "issue" else None, batches=issue, auto_id="issue_%s"),
        StockForm(request.POST if step == "return" else None, batches=there, auto_id="return_%s"),
    )


def stock_panel(request: HttpRequest, agent: Agent) -> SafeString:
    """On the agent's page."""
    context = {
        "piles": stock_of(agent),
        "url": reverse("admin:agent_stock", args=[agent.pk]) if request.user.has_perm("vouchers.issue_stock") else "",
    }
    return render_to_string("vouchers/admin/stock_panel.html", context, request)


def my_stock(request: HttpRequest) -> HttpResponseBase:
    """All an agent sees of the money: what he has, what he may still sell, what he sold."""
    user: Any = request.user
    agent = agent_of(user)
    if agent is None:  # a Super Admin may open every page, and has no stock himself
        return HttpResponseRedirect(reverse("admin:billing_agent_changelist"))
    sales = sales_visible_to(user).select_related("voucher").order_by("-id")[:LAST_SALES]
    context = {
        **admin.site.each_context(request),
        "title": _("My vouchers"), "agent": agent, "deposit": deposit_words(agent), "piles": stock_of(agent),
        "sales": [
            {"when": moment(sale.sold_at), "code": sale.voucher.code, "amount": money(sale.amount),
             "commission": money(sale.commission), "note": _sale_note(sale)}
            for sale in sales
        ],
    }  # fmt: skip
    return TemplateResponse(request, "vouchers/admin/my_stock.html", context)


def _sale_note(sale: VoucherSale) -> str:
    if sale.reverses_id is not None:
        return _("taken back")
    return _("used before it was sold") if sale.is_by_use else ""


add_page(
    Page(
        "agents/<int:agent_id>/stock/", "agent_stock", agent_stock, permission="vouchers.issue_stock",
        title=gettext_lazy("Vouchers of an agent"),
    )
)  # fmt: skip
add_page(
    Page(
        "my-stock/", "my_stock", my_stock, permission="billing.view_own_agent", group="sell", order=0, icon="inventory_2",
        title=gettext_lazy("My vouchers"),
    )
)  # fmt: skip
add_row_panel(RowPanel("billing.agent", gettext_lazy("Vouchers"), stock_panel, "billing.view_agent", order=10))
