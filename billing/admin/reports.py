"""The pages of the reports, the rows behind their numbers, and their files for spreadsheets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.reports.asking import Ask, AskForm
from billing.reports.catalogue import REPORTS, VIEW_BOOKS, VIEW_REPORTS, Report
from billing.reports.chart import column_chart, line_chart
from billing.reports.costs import CostQuery
from billing.reports.receivables import AGES, InvoiceQuery
from billing.reports.table import Cell, Column, Form, RowsBehind, Table
from billing.reports.writing import header, lines, shown
from core import clock
from core.admin import Page, add_page, style_form
from core.admin.export import csv_response
from core.errors import DomainError
from core.formats import money, number
from core.numbers import page_number

ROWS_PER_PAGE = 100
MOST_COSTS = 500
_LISTS = {
    "postings": "admin:billing_posting_changelist", "invoices": "admin:report_receivables_rows",
    "costs": "admin:report_costs_rows",
}  # fmt: skip


def rows_url(rows: RowsBehind | None) -> str:
    """Where the rows behind a number are shown."""
    return f"{reverse(_LISTS[rows.target])}?{urlencode(rows.params())}" if rows else ""


def page_url(name: str, *args: Any) -> str:
    """The address of a page, or nothing while its room has none."""
    try:
        return reverse(f"admin:{name}", args=args)
    except NoReverseMatch:
        return ""


def asked_form(report: Report, request: HttpRequest) -> AskForm:
    user: Any = request.user
    form = AskForm(request.GET.dict(), user=user, now=clock.now(), groups=report.groups, is_of_a_day=report.is_of_a_day)
    style_form(form)
    return form


def report_page(report: Report, request: HttpRequest) -> HttpResponseBase:
    """Filter, sentence, chart and table; with `?format=csv` the same table as a file."""
    form = asked_form(report, request)
    context = _context(request, report.title, about=report.about, form=form, report=report)
    try:
        ask = form.ask()
        table = report.run(ask, request.user)  # type: ignore[arg-type]  # the page's guard let only staff in
    except DomainError:
        return TemplateResponse(request, "billing/admin/report.html", context, status=400)
    if request.GET.get("format") == "csv":
        return csv_response(_file_name(report, ask), header(table), lines(table, ask.zone), list)
    query = {name: value for name, value in request.GET.items() if name != "format"}
    context |= {
        "table": table, "drawn": drawn(table, ask.zone), "chart": chart_of(table, ask.zone), "zone": ask.zone,
        "csv_url": "?" + urlencode({**query, "format": "csv"}),
    }  # fmt: skip
    return TemplateResponse(request, "billing/admin/report.html", context)


def drawn(table: Table, zone: str) -> dict[str, Any]:
    """The table as the template needs it: texts, addresses and labels."""

    def row_of(cells: Sequence[Cell]) -> list[dict[str, Any]]:
        return [
            {
                "text": shown(cell.value, column, zone), "url": rows_url(cell.rows), "label": str(column.label),
                "is_number": column.is_number,
            }
            for cell, column in zip(cells, table.columns, strict=True)
        ]  # fmt: skip

    return {
        "columns": list(zip(header(table), table.columns, strict=True)),
        "rows": [row_of(row) for row in table.rows],
        "totals": row_of(table.totals) if table.totals else [],
    }


def chart_of(table: Table, zone: str) -> Any:
    points = [(shown(value, column, zone), amount) for column, value, amount in table.points()]
    if not any(amount for _label, amount in points):
        return ""
    is_time = table.columns[0].form in {Form.DAY, Form.MONTH}
    return (column_chart if is_time else line_chart)(points, table.sentence)


def receivable_rows(request: HttpRequest) -> HttpResponseBase:
    """The bills behind a number of the receivables, the longest due first."""
    report, user = REPORTS["receivables"], request.user
    form = asked_form(report, request)
    age = request.GET.get("age", "")
    context = _context(request, _("Bills behind a number"), back=reverse("admin:report_receivables"))
    try:
        ask = form.ask()
        if age and age not in AGES:
            raise DomainError("report.filter", _("There is no such age."))
    except DomainError as error:
        context["problem"] = error.message
        return TemplateResponse(request, "billing/admin/report_rows.html", context, status=400)
    query = InvoiceQuery(ask.to_on, ask.now, ask.zone, ask.location_id, age)
    page = page_number(request.GET.get("page", ""))
    rows = query.rows(user).select_related("customer").order_by("due_on", "pk")  # type: ignore[arg-type]
    found = list(rows[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE + 1])
    sentence = _("%(age)s: %(amount)s") if age else _("All open bills: %(amount)s")
    words = {"age": str(AGES[age][0]).capitalize() if age else "", "amount": money(query.total(user))}  # type: ignore[arg-type]
    context |= {
        "drawn": _bills(found[:ROWS_PER_PAGE], ask), "sentence": sentence % words,
        "newer": _page_link(request, page - 1) if page > 1 else "",
        "older": _page_link(request, page + 1) if len(found) > ROWS_PER_PAGE else "",
    }  # fmt: skip
    return TemplateResponse(request, "billing/admin/report_rows.html", context)


def _bills(rows: Sequence[Any], ask: Ask) -> dict[str, Any]:
    columns = (
        Column("number", gettext_lazy("bill"), Form.TEXT), Column("customer", gettext_lazy("customer"), Form.TEXT),
        Column("due", gettext_lazy("due"), Form.DAY), Column("total", gettext_lazy("total")),
        Column("open", gettext_lazy("still to pay")),
    )  # fmt: skip
    cells = [
        (Cell(str(row)), Cell(row.customer.name), Cell(row.due_on), Cell(row.total), Cell(row.open_amount))
        for row in rows
    ]
    found = drawn(Table(columns, cells), ask.zone)
    for row, line in zip(rows, found["rows"], strict=True):
        line[0]["url"] = page_url("billing_invoice_change", row.pk)
        line[1]["url"] = page_url("customers_customer_change", row.customer_id)
    return found


def cost_rows(request: HttpRequest) -> HttpResponseBase:
    """The costs behind a number of the profit."""
    user: Any = request.user
    form = AskForm(request.GET.dict(), user=user, now=clock.now(), groups=(), is_of_a_day=False)
    context = _context(request, _("Costs behind a number"), back=reverse("admin:report_profit"))
    try:
        ask = form.ask()
    except DomainError as error:
        context["problem"] = error.message
        return TemplateResponse(request, "billing/admin/report_rows.html", context, status=400)
    query = CostQuery(ask.from_on, ask.to_on, ask.zone, ask.location_id)
    columns = (
        Column("at", gettext_lazy("when"), Form.MOMENT), Column("what", gettext_lazy("what"), Form.TEXT),
        Column("cost", gettext_lazy("cost")),
    )  # fmt: skip
    found = query.rows(user, MOST_COSTS + 1)
    cells = [(Cell(row.at), Cell(row.text), Cell(row.amount)) for row in found[:MOST_COSTS]]
    note = _("Only the newest %(n)s are shown.") % {"n": number(MOST_COSTS)} if len(found) > MOST_COSTS else ""
    context |= {
        "drawn": drawn(Table(columns, cells), ask.zone), "note": note,
        "sentence": _("Cost of vouchers sold: %(amount)s") % {"amount": money(query.total(user))},
    }  # fmt: skip
    return TemplateResponse(request, "billing/admin/report_rows.html", context)


def _context(request: HttpRequest, title: Any, **more: Any) -> dict[str, Any]:
    return {**admin.site.each_context(request), "title": title, **more}


def _page_link(request: HttpRequest, page: int) -> str:
    return "?" + urlencode({**request.GET.dict(), "page": page})


def _file_name(report: Report, ask: Ask) -> str:
    days = f"{ask.to_on}" if report.is_of_a_day else f"{ask.from_on}-{ask.to_on}"
    return f"{report.name}-{days}.csv"


def _register(report: Report, order: int) -> None:
    def view(request: HttpRequest) -> HttpResponseBase:
        return report_page(report, request)

    name = f"report_{report.name.replace('-', '_')}"
    add_page(
        Page(
            f"reports/{report.name}/", name, view, report.permission, group="reports", title=report.title, icon=report.icon,
            order=order,
        )
    )  # fmt: skip


for place, entry in enumerate(REPORTS.values(), start=1):
    _register(entry, place * 10)
add_page(Page("reports/receivables/bills/", "report_receivables_rows", receivable_rows, VIEW_REPORTS))
add_page(Page("reports/profit/costs/", "report_costs_rows", cost_rows, VIEW_BOOKS))
