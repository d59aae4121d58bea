"""Runs of the engine and of mass steps, and the page that shows a night before it happens."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.choices import RunStatus
from billing.models import BillingRun, Subscription
from billing.selectors import runs_visible_to
from billing.service_words import COUNTS, counts_rows, day_text, run_words
from billing.services.engine import nights
from billing.services.engine.preview import Preview, engine_preview
from billing.services.subscriptions_mass import CHANGE_PLAN, ISOLATE, REOPEN
from billing.words import days_words
from core import clock
from core.admin import Confirmation, ModelAdmin, Page, ReadOnlyMixin, add_page, style_form
from core.client_ip import client_ip
from core.formats import moment, money
from locations.selectors import locations_visible_to

SHOWN_ROWS = 200
KINDS: dict[str, Any] = {
    nights.KIND: gettext_lazy("Night"),
    ISOLATE: gettext_lazy("Isolate many"),
    REOPEN: gettext_lazy("Reopen many"),
    CHANGE_PLAN: gettext_lazy("Change the plan of many"),
    "invoices": gettext_lazy("Bill many"),
}


def run_title(run: BillingRun) -> str:
    """`Night · Pos 1 · 22 Dec 2026`."""
    parts = [str(KINDS.get(run.kind, run.kind)), str(run.location or ""), day_text(run.day) if run.day else ""]
    return " · ".join(part for part in parts if part)


@admin.register(BillingRun)
class BillingRunAdmin(ReadOnlyMixin, ModelAdmin[BillingRun]):
    nav_group, nav_icon, nav_order = "money", "schedule", 90
    list_display = ("title_text", "state", "progress", "created_at", "finished_at")
    list_select_related = ("location", "created_by")
    list_filter = ("status",)
    sortable_by = ()
    ordering = ("-id",)
    confirmations = ("cancel", "again")
    live_template = "billing/admin/run_facts.html"
    is_facts_only = True
    csv_fields = (
        "id", "csv_kind", "location", "day", "status", "done", "total", "csv_outcome", "error", "created_by", "created_at",
        "finished_at",
    )  # fmt: skip
    is_file_linked = True
    empty_text = gettext_lazy(
        "Every night each location's bills are made, and every step for many services is a run, too."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillingRun]:
        return runs_visible_to(request.user).select_related("location", "created_by")  # type: ignore[arg-type]

    @admin.display(description=gettext_lazy("run"))
    def title_text(self, row: BillingRun) -> str:
        return run_title(row)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: BillingRun) -> Any:
        return run_words(row).html()

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, row: BillingRun) -> str:
        return _("%(done)d of %(total)d") % {"done": row.done, "total": row.total}

    @admin.display(description=gettext_lazy("kind"))
    def csv_kind(self, row: BillingRun) -> str:
        return str(KINDS.get(row.kind, row.kind))

    @admin.display(description=gettext_lazy("outcome"))
    def csv_outcome(self, row: BillingRun) -> str:
        return ", ".join(f"{label}: {value}" for label, value in counts_rows(row.outcome))

    def facts(self, request: HttpRequest, row: BillingRun) -> dict[str, Any]:
        row.refresh_from_db()
        zone = row.location.timezone if row.location else None
        facts = [
            (_("Ordered"), moment(row.created_at, zone)),
            (_("By"), str(row.created_by) if row.created_by else _("the system")),
            (_("Ended"), moment(row.finished_at, zone) if row.finished_at else ""),
            (_("Reason"), str(row.params.get("reason", ""))),
        ]
        is_running = row.status in {RunStatus.QUEUED, RunStatus.RUNNING}
        return {
            "run": row, "title_text": run_title(row), "words": run_words(row), "counts": counts_rows(row.outcome),
            "fact_rows": [(label, value) for label, value in facts if value], "left_out": _left_out(row),
            "poll": "every 2s [document.visibilityState=='visible']" if is_running else "",
        }  # fmt: skip

    def cancel(self, request: HttpRequest, row: BillingRun) -> Confirmation | None:
        if row.status not in {RunStatus.QUEUED, RunStatus.RUNNING} or row.kind not in nights.WORK:
            return None

        def run(data: dict[str, Any]) -> str:
            nights.run_cancel(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("The run stops after the services it is at; what it did stays done.")

        return Confirmation(
            title=_("Stop"), button=_("Stop"), run=run, icon="block", is_danger=True,
            question=_("Stop this run? What it did stays done."), permission="billing.manage_billingrun",
        )  # fmt: skip

    def again(self, request: HttpRequest, row: BillingRun) -> Confirmation | None:
        if row.status not in {RunStatus.FAILED, RunStatus.CANCELLED} or row.kind not in nights.WORK:
            return None

        def run(data: dict[str, Any]) -> str:
            nights.run_again(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("The run goes on with what is left.")

        return Confirmation(
            title=_("Go on"), button=_("Go on"), run=run, icon="check", is_primary=True,
            question=_("Go on with this run? It does what is left."), permission="billing.manage_billingrun",
        )  # fmt: skip


def _left_out(run: BillingRun) -> list[dict[str, str]]:
    """Services that the night could not do, each with what was wrong."""
    named = run.outcome.get(nights.LEFT_OUT, [])
    names = dict(Subscription.objects.filter(pk__in=[pk for pk, _why in named]).values_list("pk", "username"))
    return [
        {"name": names[pk], "url": reverse("admin:billing_subscription_change", args=[pk]), "why": why}
        for pk, why in named
        if pk in names
    ]


def preview_page(request: HttpRequest) -> HttpResponseBase:
    """Choose a location and a day; see what its run would do."""
    places = locations_visible_to(request.user).order_by("name")  # type: ignore[arg-type]

    class PreviewForm(forms.Form):
        location = forms.ModelChoiceField(places, label=gettext_lazy("location"))
        day = forms.DateField(
            label=gettext_lazy("day"), required=False, help_text=gettext_lazy("Empty: tonight."),
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        )  # fmt: skip

    form = PreviewForm(request.GET or None)
    style_form(form)
    context: dict[str, Any] = {
        **admin.site.each_context(request), "title": _("What tonight will do"), "form": form, "form_classes": {},
    }  # fmt: skip
    if form.is_bound and form.is_valid():
        location = form.cleaned_data["location"]
        day = form.cleaned_data["day"] or nights.next_night(location, now=clock.now())
        context |= _shown(engine_preview(location, day))
    return TemplateResponse(request, "billing/admin/night_preview.html", context)


def _shown(preview: Preview) -> dict[str, Any]:
    report = preview.report
    names = dict(
        Subscription.objects.filter(pk__in={row.subscription_id for row in report.rows}).values_list("pk", "username")
    )
    rows = [
        {
            "name": names.get(row.subscription_id, ""),
            "url": reverse("admin:billing_subscription_change", args=[row.subscription_id]),
            "what": str(COUNTS.get(row.what, row.what)),
            "days": _days(row.start, row.end),
            "amount": "" if row.amount is None else money(row.amount),
        }
        for row in report.rows[:SHOWN_ROWS]
    ]
    heading = _("%(place)s on %(day)s") % {"place": preview.location.name, "day": day_text(preview.day)}
    counts = counts_rows({**report.counts, "billed": report.billed})
    return {
        "preview": preview, "counts": counts, "rows": rows, "more": len(report.rows) - len(rows), "heading": heading,
    }  # fmt: skip


def _days(start: date | None, end: date | None) -> str:
    return days_words(start, end) if start and end else ""


add_page(
    Page(
        "billing/tonight/", "billing_tonight", preview_page, "billing.manage_billingrun", group="money",
        title=gettext_lazy("What tonight will do"), icon="more_time", order=95,
    )
)  # fmt: skip
