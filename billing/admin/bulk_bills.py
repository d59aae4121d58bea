"""One bill for many services: the order with its count, and a page that shows how far it is. Works without JavaScript."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.choices import RunStatus, TaxMode
from billing.models import BillingRun, Plan
from billing.services.invoices import BulkOrder, bills_run_cancel, bulk_count, bulk_order
from billing.services.invoices_runs import KIND
from core import clock
from core.admin import Page, add_page, style_form
from core.client_ip import client_ip
from core.errors import DomainError
from core.formats import local, moment, money, number
from core.words import Tone, Words
from locations.models import Location
from locations.selectors import locations_visible_to

PERMISSION = "billing.bill_many"
SHOWN = 20


class BulkForm(forms.Form):
    """Asked twice: first it counts, then the same form with `is_counted` orders it, above 50 with the number typed."""

    text = forms.CharField(label=gettext_lazy("what for"), max_length=200)
    amount = forms.DecimalField(label=gettext_lazy("amount for each"), min_value=1, max_digits=14, decimal_places=2)
    tax_mode = forms.ChoiceField(label=gettext_lazy("tax"), choices=TaxMode.choices, initial=TaxMode.NONE)
    due_on = forms.DateField(label=gettext_lazy("to pay by"), widget=forms.DateInput(attrs={"type": "date"}))
    location = forms.ModelChoiceField(
        Location.objects.none(), label=gettext_lazy("location"), required=False, empty_label=gettext_lazy("all")
    )
    plan = forms.ModelChoiceField(
        Plan.objects.none(), label=gettext_lazy("plan"), required=False, empty_label=gettext_lazy("all")
    )
    request_key = forms.CharField(max_length=40, widget=forms.HiddenInput)
    is_counted = forms.IntegerField(required=False, widget=forms.HiddenInput)
    typed_count = forms.IntegerField(label=gettext_lazy("type the number to confirm"), required=False)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["request_key"].initial = uuid.uuid4().hex
        self.fields["due_on"].initial = local(clock.now()).date() + timedelta(days=7)
        self.fields["location"].queryset = locations_visible_to(user).order_by("name")  # type: ignore[attr-defined]
        self.fields["plan"].queryset = Plan.objects.order_by("name")  # type: ignore[attr-defined]
        style_form(self)

    def order(self) -> BulkOrder:
        data = self.cleaned_data
        return BulkOrder(
            data["text"], data["amount"], data["due_on"], data["tax_mode"],
            data["location"].pk if data["location"] else None, data["plan"].pk if data["plan"] else None,
        )  # fmt: skip


def bulk_page(request: HttpRequest) -> HttpResponse:
    """GET: the form and the last runs. POST: count, then order."""
    user: Any = request.user
    form = BulkForm(request.POST.copy() if request.method == "POST" else None, user=user)
    count: int | None = None
    if request.method == "POST" and form.is_valid():
        try:
            count = bulk_count(form.order(), user)
            if is_confirmed(form, count):
                run = bulk_order(
                    form.order(), request_key=f"u{user.pk}:{form.cleaned_data['request_key']}", now=clock.now(),
                    actor=user, ip=client_ip(request),
                )  # fmt: skip
                return HttpResponseRedirect(reverse("admin:bulk_bill", args=[run.pk]))
        except DomainError as error:
            _refuse(form, error)
    if count is None or count <= 50:
        del form.fields["typed_count"]
    runs = [_row(run) for run in _runs(user)[:SHOWN]]
    context = {
        **admin.site.each_context(request), "title": _("Bill many"), "form": form, "count": count, "runs": runs,
        "question": _question(form, count) if count else "",
    }  # fmt: skip
    status = 422 if request.method == "POST" and not count else 200
    return TemplateResponse(request, "billing/admin/bulk_bills.html", context, status=status)


def is_confirmed(form: BulkForm, count: int) -> bool:
    """The count that was shown is still the count, and above 50 it was typed."""
    if form.cleaned_data["is_counted"] != count:
        cast("QueryDict", form.data)["is_counted"] = str(count)  # the form is shown again, with what it was asked for
        return False
    if count > 50 and form.cleaned_data["typed_count"] != count:
        form.add_error("typed_count", _("Type %(n)d to confirm.") % {"n": count})
        return False
    return True


def _refuse(form: BulkForm, error: DomainError) -> None:
    for name, text in error.fields.items():
        form.add_error(name if name in form.fields else None, str(text))
    if not error.fields:
        form.add_error(None, str(error.message))


def _question(form: BulkForm, count: int | None) -> str:
    sentence = ngettext(
        "Issue %(n)s bill of %(amount)s for “%(text)s”?", "Issue %(n)s bills of %(amount)s each for “%(text)s”?",
        count or 0,
    )  # fmt: skip
    data = form.cleaned_data
    return sentence % {"n": number(count or 0), "amount": money(data["amount"]), "text": data["text"]}


def run_page(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the run is; asked again by itself while it runs, and by the link without JavaScript."""
    run = _runs(request.user).filter(pk=pk).first()
    if run is None:
        raise Http404
    context = {"title": run.params.get("text", ""), "live_url": reverse("admin:bulk_bill", args=[pk]), **_facts(run)}
    if request.headers.get("HX-Request"):
        return TemplateResponse(request, "core/admin/live.html", context)
    return TemplateResponse(request, "billing/admin/bulk_bill.html", {**admin.site.each_context(request), **context})


def cancel_page(request: HttpRequest, pk: int) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    run = _runs(request.user).filter(pk=pk).first()
    if run is None:
        raise Http404
    try:
        bills_run_cancel(run, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
        messages.success(request, _("It is being stopped; bills that are issued stay."))
    except DomainError as error:
        messages.warning(request, error.message)
    return HttpResponseRedirect(reverse("admin:bulk_bill", args=[pk]))


def _runs(user: Any) -> Any:
    """Everything for people who see all places; for others the runs they ordered."""
    rows = BillingRun.objects.filter(kind=KIND).order_by("-id")
    return rows.filter(created_by=user) if locations_visible_to(user).query.where else rows


def _row(run: BillingRun) -> dict[str, Any]:
    return {
        "text": run.params.get("text", ""), "url": reverse("admin:bulk_bill", args=[run.pk]), "when": moment(run.created_at),
        "done": number(run.done), "total": number(run.total), "words": _words(run),
    }  # fmt: skip


def _words(run: BillingRun) -> Words:
    label = str(RunStatus(run.status).label)
    if run.status == RunStatus.DONE:
        return Words(Tone.GOOD, "check_circle", label)
    if run.status == RunStatus.FAILED:
        return Words(Tone.BAD, "error", label)
    if run.status == RunStatus.CANCELLED:
        return Words(Tone.QUIET, "block", label)
    return Words(Tone.WAITING, "schedule", label)


def _facts(run: BillingRun) -> dict[str, Any]:
    is_running = run.status in {RunStatus.QUEUED, RunStatus.RUNNING}
    seconds = ((run.heartbeat_at or clock.now()) - run.created_at).total_seconds()
    rate = round(run.done / seconds) if seconds > 0 else 0
    return {
        "run": run, "words": _words(run), "live_template": "billing/admin/bulk_bill_facts.html",
        "poll": f"every {2 if is_running else 20}s [document.visibilityState=='visible']",
        "amount": money(run.params["amount"]),
        "issued": number(run.outcome.get("issued", 0)),
        "bar": {
            "done": run.done, "total": run.total, "percent": round(100 * run.done / run.total) if run.total else 0,
            "rate": _("%(n)s per second") % {"n": number(rate)} if rate and is_running else "", "left": "",
        },
        "cancel_url": reverse("admin:bulk_bill_cancel", args=[run.pk]) if is_running else "",
    }  # fmt: skip


add_page(
    Page(
        "bulk-bills/", "bulk_bills", bulk_page, PERMISSION, group="money", title=gettext_lazy("Bill many"), icon="add",
        order=30,
    )
)  # fmt: skip
add_page(Page("bulk-bills/<int:pk>/", "bulk_bill", run_page, PERMISSION))
add_page(Page("bulk-bills/<int:pk>/cancel/", "bulk_bill_cancel", cancel_page, PERMISSION))
