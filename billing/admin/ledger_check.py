"""The ledger check: what the last one found, row by row, and a button for another."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.reports import page_url
from billing.choices import CheckStatus
from billing.ledger.findings import explained
from billing.models import LedgerCheck
from billing.monitoring import last_check, ledger_check_state
from billing.services.ledger_checks import ledger_check_request
from core import clock
from core.admin import Page, add_page
from core.client_ip import client_ip
from core.words import Tone, Words

HISTORY = 15
PERMISSION = "core.view_health"  # like the health page: a Super Admin's


def ledger_check_page(request: HttpRequest) -> HttpResponseBase:
    """GET shows, POST orders a check."""
    if request.method == "POST":
        user: Any = request.user
        _row, is_new = ledger_check_request(now=clock.now(), actor=user, ip=client_ip(request))
        done = _("The check is ordered; it takes a few minutes at most.") if is_new else _("A check waits already.")
        messages.success(request, done)
        return HttpResponseRedirect(reverse("admin:ledger_check"))
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    state, last = ledger_check_state(), last_check()
    words = Words(Tone.GOOD if state.is_ok else Tone.BAD, "check_circle" if state.is_ok else "error", state.sentence)
    context = {
        **admin.site.each_context(request), "title": _("Ledger check"), "words": words,
        "findings": _findings(last) if last else [],
        "history": [(row, _state(row)) for row in LedgerCheck.objects.select_related("requested_by").order_by("-pk")[:HISTORY]],
        "is_busy": LedgerCheck.objects.filter(status__in=[CheckStatus.WAITING, CheckStatus.RUNNING]).exists(),
    }  # fmt: skip
    return TemplateResponse(request, "billing/admin/ledger_check.html", context)


def _findings(check: LedgerCheck) -> list[dict[str, Any]]:
    found = []
    for name, count in check.counts.items():
        what = explained(name)
        rows = [
            {"text": str(pk), "url": page_url(what.page, pk) if what.page else ""}
            for pk in check.findings.get(name, [])
        ]
        found.append({"name": name, "text": what.text, "todo": what.todo, "count": count, "rows": rows})
    return found


def _state(row: LedgerCheck) -> Words:
    if row.status == CheckStatus.FAILED:
        return Words(Tone.BAD, "error", _("could not be finished (%(problem)s)") % {"problem": row.error})
    if row.status != CheckStatus.DONE:
        return Words(Tone.WAITING, "schedule", str(CheckStatus(row.status).label))
    if row.counts:
        return Words(Tone.BAD, "error", ", ".join(f"{name}: {count}" for name, count in row.counts.items()))
    return Words(Tone.GOOD, "check_circle", _("every amount adds up"))


add_page(
    Page(
        "ledger-check/", "ledger_check", ledger_check_page, PERMISSION, group="system", title=gettext_lazy("Ledger check"),
        icon="check", order=5,
    )
)  # fmt: skip
