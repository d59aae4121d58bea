"""The same step for many services: the page that counts first and then orders the run."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.choices import SubscriptionStatus
from billing.models import Plan
from billing.selectors import plans_on_sale
from billing.services.subscriptions_mass import (
    CHANGE_PLAN,
    ISOLATE,
    REOPEN,
    MassStep,
    Selection,
    mass_count,
    mass_order,
)
from core.admin import Page, add_page, style_form
from core.admin.confirm import TYPED_ABOVE
from core.client_ip import client_ip
from core.errors import DomainError
from core.numbers import whole_number
from locations.models import Location
from locations.selectors import locations_visible_to

MOST_IDS = 200
PERMISSION = "billing.mass_subscription"


class MassForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=[
        (REOPEN, gettext_lazy("Reopen who is isolated, with a promise to pay")),
        (ISOLATE, gettext_lazy("Isolate who is overdue now, before the days of grace end")),
        (CHANGE_PLAN, gettext_lazy("Another plan")),
    ])  # fmt: skip
    ids = forms.CharField(required=False, widget=forms.HiddenInput)
    location = forms.ModelChoiceField(Location.objects.none(), label=gettext_lazy("only at"), required=False)
    of_plan = forms.ModelChoiceField(Plan.objects.none(), label=gettext_lazy("only with the plan"), required=False)
    status = forms.ChoiceField(
        label=gettext_lazy("only in the state"), required=False, choices=[("", "–"), *SubscriptionStatus.choices]
    )
    until_on = forms.DateField(
        label=gettext_lazy("open until"), required=False, help_text=gettext_lazy("For reopening."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip
    plan = forms.ModelChoiceField(
        Plan.objects.none(), label=gettext_lazy("new plan"), required=False, help_text=gettext_lazy("For another plan.")
    )
    is_at_once = forms.BooleanField(
        label=gettext_lazy("change the plan now, with credit and bill by the day"), required=False
    )
    reason = forms.CharField(label=gettext_lazy("reason"), max_length=300, required=False)
    typed_count = forms.IntegerField(label=gettext_lazy("Type the number to confirm"), required=False)
    request_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plans = plans_on_sale(user).order_by("name")
        for name, rows in (
            ("location", locations_visible_to(user).order_by("name")),
            ("of_plan", Plan.objects.filter(pk__in=plans.values("pk")).order_by("name")),
            ("plan", plans),
        ):
            field: Any = self.fields[name]
            field.queryset = rows
        style_form(self)

    def step(self) -> MassStep:
        data = self.cleaned_data
        selection = Selection(
            ids=ids_of(data["ids"]), location_id=data["location"].pk if data["location"] else None,
            plan_id=data["of_plan"].pk if data["of_plan"] else None, status=data["status"],
        )  # fmt: skip
        return MassStep(
            data["kind"], selection, data["reason"], data["until_on"], data["plan"].pk if data["plan"] else None,
            data["is_at_once"],
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("kind") == CHANGE_PLAN and not data.get("plan"):
            self.add_error("plan", _("Choose a plan that is on sale."))
        return data


def ids_of(text: str) -> list[int]:
    return [number for part in text.split(",") if (number := whole_number(part)) is not None][:MOST_IDS]


def mass_page(request: HttpRequest) -> HttpResponseBase:
    """GET shows the form (the chosen of the list in `ids`), POST counts, and with `step=do` orders."""
    user: Any = request.user
    initial = {
        "ids": request.GET.get("ids", ""),
        "kind": request.GET.get("kind", REOPEN),
        "request_key": uuid.uuid4().hex,
    }
    form = MassForm(request.POST or None, user=user, initial=initial)
    context: dict[str, Any] = {"count": 0}
    if request.method == "POST" and form.is_valid():
        step = form.step()
        try:
            found = mass_count(step, user)
            if request.POST.get("step") == "do" and _is_confirmed(form, found.affected):
                run = mass_order(
                    step, request_key=form.cleaned_data["request_key"], actor=user, ip=client_ip(request)
                )  # fmt: skip
                messages.success(request, _("The run is ordered."))
                return HttpResponseRedirect(reverse("admin:billing_billingrun_change", args=[run.pk]))
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            context = {
                "count": found.affected,
                "others": found.chosen - found.affected,
                "question": _question(step, found.affected),
            }
            if not found.affected:
                form.add_error(None, _("None of the chosen services would be changed."))
    if context["count"] <= TYPED_ABOVE:
        del form.fields["typed_count"]
    context |= {
        **admin.site.each_context(request), "title": _("Many services at once"), "form": form,
        "is_danger": form.data.get("kind") == ISOLATE,
    }  # fmt: skip
    return TemplateResponse(request, "billing/admin/mass.html", context, status=422 if form.errors else 200)


def _is_confirmed(form: MassForm, affected: int) -> bool:
    if affected <= TYPED_ABOVE or form.cleaned_data["typed_count"] == affected:
        return True
    form.add_error("typed_count", _("Type %(n)d to confirm.") % {"n": affected})
    return False


def _question(step: MassStep, n: int) -> str:
    if step.kind == ISOLATE:
        return ngettext("Isolate %(n)d service?", "Isolate %(n)d services?", n) % {"n": n}
    if step.kind == REOPEN:
        return ngettext("Reopen %(n)d service?", "Reopen %(n)d services?", n) % {"n": n}
    return ngettext("Give %(n)d service another plan?", "Give %(n)d services another plan?", n) % {"n": n}


add_page(
    Page(
        "billing/many/", "billing_many", mass_page, PERMISSION, group="customers",
        title=gettext_lazy("Many services at once"), icon="inventory_2", order=30,
    )
)  # fmt: skip
