"""The pages of the reports, the rows behind their numbers, and their files for spreadsheets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse

from billing.reports.asking import Ask, AskForm
from billing.reports.catalogue import REPORTS, Report
from billing.reports.chart import column_chart, line_chart
from billing.reports.table import Cell, Form, RowsBehind, Table
from billing.reports.writing import header, lines, shown
from core import clock
from core.admin import Page, add_page, style_form
from core.admin.export import csv_response
from core.errors import DomainError

_LISTS = {
    "postings": "admin:billing_posting_changelist", "invoices": "admin:report_receivables_rows",
    "costs": "admin:report_costs_rows", "parts:profit": "admin:report_profit_parts",
    "parts:shifts": "admin:report_shifts_parts", "parts:trial-balance": "admin:report_trial_balance_parts",
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
    context = page_context(request, report.title, about=report.about, form=form, report=report)
    try:
        ask = form.ask()
        table = report.run(ask, request.user)  # type: ignore[arg-type]  # the page's guard let only staff in
    except DomainError:
        return TemplateResponse(request, "billing/admin/report.html", context, status=400)
    if request.GET.get("format") == "csv":
        return csv_response(file_name(report, ask), header(table), lines(table, ask.zone), list)
    context |= {
        "table": table, "drawn": drawn(table, ask.zone), "chart": chart_of(table, ask.zone), "zone": ask.zone,
        "csv_url": csv_link(request), "see": see_link(table, ask),
    }  # fmt: skip
    return TemplateResponse(request, "billing/admin/report.html", context)


def see_link(table: Table, ask: Ask) -> dict[str, Any] | None:
    """The report that answers what this one cannot, for the same days and place."""
    if not table.see:
        return None
    place = {"location": ask.location_id} if ask.location_id else {}
    query = urlencode({"from": ask.from_on, "to": ask.to_on, **place})
    return {"title": REPORTS[table.see].title, "url": f"{reverse(f'admin:report_{table.see}')}?{query}"}


def csv_link(request: HttpRequest) -> str:
    """The same question, answered as a file."""
    return "?" + urlencode({**request.GET.dict(), "format": "csv"})


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


def page_context(request: HttpRequest, title: Any, **more: Any) -> dict[str, Any]:
    return {**admin.site.each_context(request), "title": title, **more}


def file_name(report: Report, ask: Ask) -> str:
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
