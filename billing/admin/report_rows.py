"""The rows behind numbers that are no postings: bills and who owes them, costs of vouchers, parts of a total."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.reports import asked_form, csv_link, drawn, page_context, page_url
from billing.reports.asking import AskForm
from billing.reports.catalogue import REPORTS, VIEW_BOOKS, VIEW_REPORTS, Report
from billing.reports.costs import CostQuery
from billing.reports.receivables import AGES, InvoiceQuery
from billing.reports.table import Cell, Column, Form, Table, summed
from billing.reports.writing import header, plain
from core import clock
from core.admin import Page, add_page
from core.admin.export import csv_response
from core.errors import DomainError
from core.formats import money, number
from core.numbers import page_number
from customers.models import Customer

ROWS_PER_PAGE = 100
MOST_COSTS, MOST_COSTS_IN_FILE = 500, 100_000
TEMPLATE = "billing/admin/report_rows.html"
BILLS = (
    Column("number", gettext_lazy("bill"), Form.TEXT), Column("customer", gettext_lazy("customer"), Form.TEXT),
    Column("due", gettext_lazy("due"), Form.DAY), Column("total", gettext_lazy("total")),
    Column("open", gettext_lazy("still to pay")),
)  # fmt: skip
OWING = (
    Column("number", gettext_lazy("customer number"), Form.TEXT), Column("customer", gettext_lazy("customer"), Form.TEXT),
    Column("bills", gettext_lazy("bills"), Form.COUNT), Column("open", gettext_lazy("still to pay")),
)  # fmt: skip
COSTS = (
    Column("at", gettext_lazy("when"), Form.MOMENT), Column("what", gettext_lazy("what"), Form.TEXT),
    Column("cost", gettext_lazy("cost")),
)  # fmt: skip


def receivable_rows(request: HttpRequest) -> HttpResponseBase:
    """The bills behind a number of the receivables, the longest due first; with `by=customer` who owes them."""
    report, user = REPORTS["receivables"], request.user
    form = asked_form(report, request)
    age, by = request.GET.get("age", ""), request.GET.get("by", "")
    title = _("Customers behind a number") if by else _("Bills behind a number")
    context = page_context(request, title, back=reverse("admin:report_receivables"))
    try:
        ask = form.ask()
        if age and age not in AGES:
            raise DomainError("report.filter", _("There is no such age."))
    except DomainError as error:
        return _refused(request, context, error)
    query = InvoiceQuery(ask.to_on, ask.now, ask.zone, ask.location_id, age, by)
    of_bills = query.rows(user).select_related("customer").order_by("due_on", "pk")  # type: ignore[arg-type]
    rows = query.customers(user) if by else of_bills  # type: ignore[arg-type]
    columns, read = (OWING, _owing) if by else (BILLS, _bills)
    if _is_file(request):
        # a million bills pass through one at a time; customers are counted by the database first
        every = rows if by else rows.iterator(chunk_size=2000)
        return _file(f"receivables-{ask.to_on}.csv", columns, (cells for cells, _urls in read(every)), ask.zone)
    page = page_number(request.GET.get("page", ""))
    found = list(rows[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE + 1])
    lines = list(read(found[:ROWS_PER_PAGE]))
    table = drawn(Table(columns, [cells for cells, _urls in lines]), ask.zone)
    for line, (_cells, urls) in zip(table["rows"], lines, strict=True):
        line[0]["url"], line[1]["url"] = urls
    sentence = _("%(age)s: %(amount)s") if age else _("All open bills: %(amount)s")
    words = {"age": capfirst(str(AGES[age][0])) if age else "", "amount": money(query.total(user))}  # type: ignore[arg-type]
    context |= {
        "drawn": table, "sentence": sentence % words, "csv_url": csv_link(request),
        "newer": _page_link(request, page - 1) if page > 1 else "",
        "older": _page_link(request, page + 1) if len(found) > ROWS_PER_PAGE else "",
    }  # fmt: skip
    return TemplateResponse(request, TEMPLATE, context)


Line = tuple[Sequence[Cell], tuple[str, str]]


def _bills(rows: Iterable[Any]) -> Iterator[Line]:
    for row in rows:
        cells = (Cell(str(row)), Cell(row.customer.name), Cell(row.due_on), Cell(row.total), Cell(row.open_amount))
        urls = (page_url("billing_invoice_change", row.pk), page_url("customers_customer_change", row.customer_id))
        yield cells, urls


def _owing(rows: Iterable[Any]) -> Iterator[Line]:
    found = list(rows)
    people = Customer.objects.only("number", "name").in_bulk([row["root"] for row in found])
    for row in found:
        customer = people[row["root"]]
        url = page_url("customers_customer_change", customer.pk)
        yield (Cell(customer.number), Cell(customer.name), Cell(row["bills"]), Cell(row["open"])), (url, url)


def cost_rows(request: HttpRequest) -> HttpResponseBase:
    """The costs behind a number of the profit."""
    user: Any = request.user
    form = AskForm(request.GET.dict(), user=user, now=clock.now(), groups=(), is_of_a_day=False)
    context = page_context(request, _("Costs behind a number"), back=reverse("admin:report_profit"))
    try:
        ask = form.ask()
    except DomainError as error:
        return _refused(request, context, error)
    query = CostQuery(ask.from_on, ask.to_on, ask.zone, ask.location_id)
    most = MOST_COSTS_IN_FILE if _is_file(request) else MOST_COSTS
    found = query.rows(user, most + 1)
    cells = [(Cell(row.at), Cell(row.text), Cell(row.amount)) for row in found[:most]]
    if _is_file(request):
        return _file(f"costs-{ask.from_on}-{ask.to_on}.csv", COSTS, cells, ask.zone)
    note = _("Only the newest %(n)s are shown.") % {"n": number(MOST_COSTS)} if len(found) > MOST_COSTS else ""
    context |= {
        "drawn": drawn(Table(COSTS, cells), ask.zone), "note": note, "csv_url": csv_link(request),
        "sentence": _("Cost of vouchers sold: %(amount)s") % {"amount": money(query.total(user))},
    }  # fmt: skip
    return TemplateResponse(request, TEMPLATE, context)


def part_rows(report: Report, request: HttpRequest) -> HttpResponseBase:
    """What a total of the report adds up; each of the numbers leads on to its own rows."""
    context = page_context(
        request, _("Numbers behind a total"), back=reverse(f"admin:report_{report.name.replace('-', '_')}")
    )
    column = request.GET.get("column", "")
    try:
        ask = asked_form(report, request).ask()
        table = report.run(ask, request.user)  # type: ignore[arg-type]  # the page's guard let only staff in
        if column not in {one.key for one in table.columns if one.is_number}:
            raise DomainError("report.filter", _("There is no such column."))
    except DomainError as error:
        return _refused(request, context, error)
    part = table.part(column)
    if _is_file(request):
        return _file(f"{report.name}-{column}-{ask.to_on}.csv", part.columns, part.rows, ask.zone)
    sentence = (
        f"{capfirst(str(table.columns[table.column(column)].label))}: {money(summed(part.rows, part.column(column)))}"
    )
    context |= {"drawn": drawn(part, ask.zone), "sentence": sentence, "csv_url": csv_link(request)}
    return TemplateResponse(request, TEMPLATE, context)


def _refused(request: HttpRequest, context: dict[str, Any], error: DomainError) -> HttpResponseBase:
    return TemplateResponse(request, TEMPLATE, {**context, "problem": error.message}, status=400)


def _is_file(request: HttpRequest) -> bool:
    return request.GET.get("format") == "csv"


def _file(name: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], zone: str) -> HttpResponseBase:
    def cells_of(row: Sequence[Cell]) -> list[str]:
        return [plain(cell.value, column, zone) for cell, column in zip(row, columns, strict=True)]

    return csv_response(name, header(Table(columns, [])), rows, cells_of)


def _page_link(request: HttpRequest, page: int) -> str:
    return "?" + urlencode({**request.GET.dict(), "page": page})


def _register(name: str) -> None:
    report = REPORTS[name]

    def view(request: HttpRequest) -> HttpResponseBase:
        return part_rows(report, request)

    url_name = f"report_{name.replace('-', '_')}_parts"
    add_page(Page(f"reports/{name}/parts/", url_name, view, report.permission))


for entry in ("profit", "shifts", "trial-balance"):
    _register(entry)
add_page(Page("reports/receivables/bills/", "report_receivables_rows", receivable_rows, VIEW_REPORTS))
add_page(Page("reports/profit/costs/", "report_costs_rows", cost_rows, VIEW_BOOKS))
