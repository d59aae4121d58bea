"""The wizard that sets up a hotspot or PPPoE server: questions, the exact commands to review, their progress, their undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock
from core.admin import style_form
from core.client_ip import client_ip
from core.errors import DomainError
from core.formats import moment
from core.numbers import whole_number
from locations.choices_servers import PlanStatus, ServerKind
from locations.models import Location, ServerPlan
from locations.server_plans import LOGIN_WAYS, Answers, interfaces, steps_of
from locations.server_plans import plan as plan_steps
from locations.services import (
    server_facts,
    server_plan_confirm,
    server_plan_discard,
    server_plan_make,
    server_plan_undo,
)
from locations.words_servers import plan_words, step_words

if TYPE_CHECKING:
    from core.admin import ModelAdmin

SET_UP = "locations.set_up_server"
PLANS_SHOWN = 20
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$"


def server_url(location_id: int) -> str:
    return reverse("admin:locations_location_server", args=[location_id])


class ServerForm(forms.Form):
    """Both kinds; what a kind does not ask is taken out."""

    interface = forms.ChoiceField(label=gettext_lazy("interface"))
    name = forms.RegexField(
        NAME, label=gettext_lazy("name"), help_text=gettext_lazy("Pool, profile and server get this name on the router."),
    )  # fmt: skip
    service_name = forms.RegexField(NAME, label=gettext_lazy("PPPoE service name"))
    network = forms.CharField(
        max_length=18, label=gettext_lazy("network of the customers"), help_text=gettext_lazy("Like 10.20.0.0/24."),
    )  # fmt: skip
    gateway = forms.GenericIPAddressField(protocol="IPv4", label=gettext_lazy("the router's address in it"))
    first = forms.GenericIPAddressField(protocol="IPv4", label=gettext_lazy("first address for customers"))
    last = forms.GenericIPAddressField(protocol="IPv4", label=gettext_lazy("last address for customers"))
    dns_name = forms.RegexField(
        r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$", required=False, max_length=253,
        label=gettext_lazy("name of the login page"),
    )  # fmt: skip
    login_by = forms.MultipleChoiceField(
        choices=[(way, way) for way in LOGIN_WAYS], initial=["http-chap", "cookie"],
        widget=forms.CheckboxSelectMultiple, label=gettext_lazy("ways to log in"),
    )  # fmt: skip

    def __init__(self, *args: Any, kind: str, names: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        for name in ("service_name",) if kind == ServerKind.HOTSPOT else ("dns_name", "login_by"):
            del self.fields[name]
        self.fields["interface"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]
        style_form(self)

    def answers(self) -> Answers:
        data = dict(self.cleaned_data)
        data["login_by"] = ",".join(data.get("login_by") or [])
        return Answers(kind=self.kind, **data)


def server_page(model_admin: ModelAdmin[Location], request: HttpRequest, object_id: str) -> HttpResponse:
    """`?kind=` asks, `?plan=` shows one; POST plans, confirms, undoes or discards."""
    row = model_admin.row_for(request, object_id, SET_UP)
    if request.method not in {"GET", "HEAD", "POST"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    kind = request.GET.get("kind", "")
    if kind in ServerKind.values:
        return _ask(model_admin, request, row, kind)
    if request.method == "POST":
        return _act(request, row)
    return _render(model_admin, request, row, _shown(row, request))


def _ask(model_admin: ModelAdmin[Location], request: HttpRequest, row: Location, kind: str) -> HttpResponse:
    """The questions, with the interfaces that the router has just now."""
    try:
        names = interfaces(server_facts(row))
    except DomainError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(server_url(row.pk))
    form = ServerForm(request.POST if request.method == "POST" else None, kind=kind, names=names)
    if request.method == "POST" and form.is_valid():
        try:
            plan = server_plan_make(
                row, form.answers(), now=clock.now(), actor=request.user, ip=client_ip(request)  # type: ignore[arg-type]
            )  # fmt: skip
        except DomainError as error:
            for name, text in error.fields.items():
                form.add_error(name if name in form.fields else None, text)
            if not error.fields:
                form.add_error(None, str(error.message))
        else:
            return HttpResponseRedirect(f"{server_url(row.pk)}?plan={plan.pk}")
    context = {"form": form, "kind_label": ServerKind(kind).label}
    return _render(model_admin, request, row, context, status=422 if form.is_bound else 200)


def _act(request: HttpRequest, row: Location) -> HttpResponse:
    plan = _plan(row, request.POST.get("plan", ""))
    if plan is None:
        raise Http404
    who: dict[str, Any] = {"actor": request.user, "ip": client_ip(request)}
    try:
        match request.POST.get("do"):
            case "confirm":
                needs_backup = "without_backup" not in request.POST
                server_plan_confirm(plan, needs_backup=needs_backup, now=clock.now(), **who)
                said = _("The commands are on their way. This page shows which the router has.")
            case "undo":
                server_plan_undo(plan, **who)
                said = _("What was done is taken back, the last command first.")
            case "discard":
                server_plan_discard(plan, now=clock.now(), **who)
                said = _("Discarded. Nothing was sent to the router.")
            case _:
                raise Http404
        messages.success(request, said)
    except DomainError as error:
        messages.error(request, error.message)
    return HttpResponseRedirect(f"{server_url(row.pk)}?plan={plan.pk}")


def _plan(row: Location, text: str) -> ServerPlan | None:
    plans = ServerPlan.objects.filter(location=row, pk=whole_number(text) or 0)
    return plans.select_related("location", "confirmed_by").first()


def _shown(row: Location, request: HttpRequest) -> dict[str, Any]:
    plans = ServerPlan.objects.filter(location=row).select_related("location").order_by("-pk")[:PLANS_SHOWN]
    context: dict[str, Any] = {
        "plans": [
            {"pk": one.pk, "kind": one.get_kind_display(), "at": moment(one.created_at, row.timezone), "words": plan_words(one)}
            for one in plans
        ],
        "kinds": ServerKind.choices,
    }  # fmt: skip
    plan = _plan(row, request.GET.get("plan", ""))
    if plan is None:
        return context
    steps = steps_of(plan.steps)
    whys = [step.why for step in plan_steps(Answers(**plan.answers))]  # in the reader's language
    done = sum(bool(step.router_id) and not step.is_undone for step in steps)
    return {
        **context, "plan": plan, "plan_words": plan_words(plan), "done": done, "total": len(steps),
        "steps": [
            {"command": step.command, "undo": step.undo, "why": why, "words": step_words(step)}
            for step, why in zip(steps, whys, strict=True)
        ],
        "can_confirm": plan.status == PlanStatus.REVIEW,
        "can_undo": plan.status in {PlanStatus.DONE, PlanStatus.FAILED} and any(s.is_sent and not s.is_undone for s in steps),
    }  # fmt: skip


def _render(
    model_admin: ModelAdmin[Location], request: HttpRequest, row: Location, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    common = {
        **model_admin.admin_site.each_context(request),
        "title": _("Server on %(name)s") % {"name": row.name}, "original": row, "opts": model_admin.opts,
        "back": reverse("admin:locations_location_change", args=[row.pk]), "here": server_url(row.pk),
    }  # fmt: skip
    return TemplateResponse(request, "locations/admin/server.html", {**common, **context}, status=status)
