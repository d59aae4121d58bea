"""Used, never sold: how many codes per location and for how much, and which they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import get_default_timezone_name
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.admin.reports import drawn
from billing.reports.table import Cell, Column, Form, Table, summed
from billing.reports.writing import header, lines
from core.admin import Page, add_page
from core.admin.export import csv_response
from core.formats import money, number
from vouchers.models import Voucher
from vouchers.selectors_unsold import ROAMING, unsold_places, used_unsold_at

MOST_ROWS = 500


def used_unsold_page(request: HttpRequest) -> HttpResponseBase:
    """By location; with `?place=7` the codes of one (0: those good at several), with `&format=csv` either as a file."""
    place = request.GET.get("place", "")
    if place.isdecimal() and len(place) < 19:
        return _codes(request, int(place))
    found = unsold_places(request.user)  # type: ignore[arg-type]  # the page's guard let only staff in
    cells = [
        (
            Cell(line.location.name if line.location else _("several places")), Cell(line.count), Cell(line.amount),
            Cell(line.oldest_at),
        )
        for line in found
    ]  # fmt: skip
    totals = (Cell(_("Total")), Cell(summed(cells, 1)), Cell(summed(cells, 2)), Cell(None)) if cells else ()
    columns = (
        Column("place", gettext_lazy("location"), Form.TEXT), Column("count", gettext_lazy("vouchers"), Form.COUNT),
        Column("amount", gettext_lazy("price of them")), Column("oldest", gettext_lazy("oldest use"), Form.MOMENT),
    )  # fmt: skip
    urls = ["?" + urlencode({"place": line.location.pk if line.location else ROAMING}) for line in found]
    count, amount = sum(line.count for line in found), summed(cells, 2)
    sentence = ngettext(
        "%(n)s voucher was used and no sale of it is recorded: %(amount)s.",
        "%(n)s vouchers were used and no sale of them is recorded: %(amount)s.", count,
    ) % {"n": number(count), "amount": money(amount)}  # fmt: skip
    table = Table(columns, cells, totals)
    return _answer(request, table, urls, 1, sentence, back=reverse("admin:index"))


def _codes(request: HttpRequest, place: int) -> HttpResponseBase:
    rows = used_unsold_at(request.user, place).select_related("batch", "agent").order_by("-id")  # type: ignore[arg-type]  # as above
    found: list[Voucher] = list(rows[: MOST_ROWS + 1])
    columns = (
        Column("code", gettext_lazy("code"), Form.TEXT), Column("batch", gettext_lazy("batch"), Form.TEXT),
        Column("agent", gettext_lazy("agent"), Form.TEXT), Column("used", gettext_lazy("first login"), Form.MOMENT),
        Column("price", gettext_lazy("price")),
    )  # fmt: skip
    cells = [
        (Cell(row.code), Cell(row.batch.name), Cell(str(row.agent or "")), Cell(row.used_at), Cell(row.batch.price))
        for row in found[:MOST_ROWS]
    ]
    urls = [reverse("admin:vouchers_voucher_change", args=[row.pk]) for row in found[:MOST_ROWS]]
    sentence = _("Open a voucher and press “Sell”: the money goes to your drawer; write 0 for one that was given away.")
    note = _("Only the newest %(n)s are shown.") % {"n": number(MOST_ROWS)} if len(found) > MOST_ROWS else ""
    return _answer(
        request, Table(columns, cells), urls, 0, sentence, back=reverse("admin:used_unsold"), note=note
    )  # fmt: skip


def _answer(
    request: HttpRequest, table: Table, urls: Iterable[str], linked: int, sentence: str, **more: str
) -> HttpResponseBase:
    zone = get_default_timezone_name()
    if request.GET.get("format") == "csv":
        return csv_response("used-unsold.csv", header(table), lines(table, zone), list)
    shown = drawn(table, zone)
    for row, url in zip(shown["rows"], urls, strict=True):
        row[linked]["url"] = url
    query = urlencode({**request.GET.dict(), "format": "csv"})
    context: dict[str, Any] = {
        **admin.site.each_context(request), "title": _("Used, never sold"), "drawn": shown, "sentence": sentence,
        "csv_url": f"?{query}", **more,
    }  # fmt: skip
    return TemplateResponse(request, "billing/admin/report_rows.html", context)


add_page(
    Page(
        "used-unsold/", "used_unsold", used_unsold_page, permission="billing.view_reports", group="reports",
        title=gettext_lazy("Used, never sold"), icon="wifi", order=90,
    )
)  # fmt: skip
