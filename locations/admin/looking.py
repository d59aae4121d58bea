"""The router's log and pings from it: asked while the person waits, through `router_ask`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin.widgets import style_form
from core.client_ip import client_ip
from core.errors import DomainError
from core.formats import number
from core.words import Tone, Words
from locations.models import Location
from locations.services import PingResult, router_log, router_ping
from locations.services.looking import MOST_PINGS

if TYPE_CHECKING:
    from core.admin import ModelAdmin

READ_LOG = "locations.read_routerlog"
PING = "locations.ping_location"


class LogForm(forms.Form):
    """Which lines; its topics are those the router's log has."""

    text = forms.CharField(required=False, max_length=100, label=gettext_lazy("Text"))
    topic = forms.ChoiceField(required=False, label=gettext_lazy("Topic"))

    def __init__(self, topics: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        field: Any = self.fields["topic"]
        field.choices = [("", _("All")), *((one, one) for one in topics)]
        style_form(self)


class PingForm(forms.Form):
    address = forms.CharField(
        max_length=253, label=gettext_lazy("Address"),
        help_text=gettext_lazy("IP address or host name, as the router knows it."),
    )  # fmt: skip
    count = forms.IntegerField(
        min_value=1, max_value=MOST_PINGS, initial=4, label=gettext_lazy("How often"),
        help_text=gettext_lazy("One a second, ten at most; then the page comes back by itself."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        style_form(self)


def _context(model_admin: ModelAdmin[Location], request: HttpRequest, row: Location, title: str) -> dict[str, Any]:
    return {
        **model_admin.admin_site.each_context(request), "title": title % {"name": row.name}, "original": row,
        "opts": model_admin.opts, "back": reverse("admin:locations_location_health", args=[row.pk]),
    }  # fmt: skip


def log_page(model_admin: ModelAdmin[Location], request: HttpRequest, object_id: str) -> HttpResponse:
    """GET reads the router's log now; `topic` and `text` choose lines."""
    row = model_admin.row_for(request, object_id, READ_LOG)
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET"])
    topic, text = request.GET.get("topic", "")[:64], request.GET.get("text", "").strip()[:100]
    context = _context(model_admin, request, row, _("Log of %(name)s")) | {"form_classes": {}}
    chosen = {"topic": topic, "text": text}
    try:
        context["log"] = log = router_log(row, topic=topic, text=text)
    except DomainError as error:
        context["words"] = Words(Tone.BAD, "error", str(error.message))
        context["form"] = LogForm([topic] if topic else [], initial=chosen)
        return TemplateResponse(request, "locations/admin/log.html", context)
    values = {"n": number(len(log.lines)), "matching": number(log.matching), "total": number(log.total)}
    sentence = _("The newest %(n)s of %(matching)s lines that fit, of %(total)s the router keeps.") % values
    context["words"] = Words(Tone.GOOD, "check_circle", sentence)
    context["form"] = LogForm(sorted({*log.topics, topic} - {""}), initial=chosen)
    return TemplateResponse(request, "locations/admin/log.html", context)


def ping_page(model_admin: ModelAdmin[Location], request: HttpRequest, object_id: str) -> HttpResponse:
    """GET asks what to ping; POST pings and shows what came back."""
    row = model_admin.row_for(request, object_id, PING)
    if request.method not in {"GET", "HEAD", "POST"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    form = PingForm(request.POST if request.method == "POST" else None)
    context = _context(model_admin, request, row, _("Ping from %(name)s")) | {"form": form, "form_classes": {}}
    if request.method == "POST" and form.is_valid():
        actor: Any = request.user
        try:
            context |= _answer(router_ping(row, **form.cleaned_data, actor=actor, ip=client_ip(request)))
        except DomainError as error:
            form.add_error("address" if error.fields else None, str(error.message))
    status = 422 if form.errors else 200
    return TemplateResponse(request, "locations/admin/ping.html", context, status=status)


def _answer(found: PingResult) -> dict[str, Any]:
    counts = {"address": found.address, "received": found.received, "sent": found.sent}
    text = _("%(received)d of %(sent)d pings to %(address)s came back.") % counts
    tone = Tone.GOOD if found.received == found.sent else Tone.WAITING if found.received else Tone.BAD
    facts = [
        (_("Sent"), number(found.sent)), (_("Came back"), number(found.received)),
        (_("Lost"), f"{number(found.loss_percent)} %"), (_("Shortest"), milliseconds(found.shortest)),
        (_("Average"), milliseconds(found.average)), (_("Longest"), milliseconds(found.longest)),
    ]  # fmt: skip
    lines = [(index, milliseconds(line.milliseconds) if line.milliseconds is not None else line.status or "–")
             for index, line in enumerate(found.lines, 1)]  # fmt: skip
    return {
        "words": Words(tone, "check_circle" if tone == Tone.GOOD else "error", text),
        "facts": facts,
        "lines": lines,
    }


def milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} ms"
