"""Reports over REST: the table of the page as JSON or CSV. Each number says where the rows behind it are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.http import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import override
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from billing.reports.asking import Ask, AskForm
from billing.reports.catalogue import REPORTS, Report
from billing.reports.table import Cell, Column, Form, RowsBehind, Table
from billing.reports.writing import header, lines, plain
from core import clock
from core.admin.export import csv_response
from core.api.renderers import CsvRenderer
from core.api.serializers import OutSerializer
from core.api.views import HouseView


class ColumnOut(OutSerializer):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of the answer, not this serializer's own label
    form = serializers.ChoiceField(choices=[form.value for form in Form])


class CellOut(OutSerializer):
    value = serializers.CharField(
        allow_null=True, help_text='Amounts as text ("15000.00"), days and months as ISO 8601.'
    )
    rows = serializers.CharField(allow_null=True, help_text="Where the postings are whose sum this is.")


class ReportOut(OutSerializer):
    name = serializers.CharField()
    title = serializers.CharField()
    sentence = serializers.CharField()
    is_right = serializers.BooleanField(help_text="false: something that must add up does not.")
    zone = serializers.CharField(help_text="Days begin and end by the clock of this zone.")
    columns = ColumnOut(many=True)
    rows = serializers.ListField(child=CellOut(many=True))
    totals = CellOut(many=True)
    notes = serializers.ListField(child=serializers.CharField())


class ReportView(HouseView):
    """One report; the classes are made below, one per entry of the catalogue."""

    report: ClassVar[Report]

    def get(self, request: Request) -> HttpResponseBase:
        ask, table = self.made(request)
        report = self.report
        return Response(
            {
                "name": report.name, "title": str(report.title), "sentence": table.sentence, "is_right": table.is_right,
                "zone": ask.zone, "notes": list(table.notes),
                "columns": [
                    {"key": column.key, "label": capfirst(str(column.label)), "form": column.form.value}
                    for column in table.columns
                ],
                "rows": [_cells(row, table, ask.zone) for row in table.rows],
                "totals": _cells(table.totals, table, ask.zone),
            }
        )  # fmt: skip

    def made(self, request: Request) -> tuple[Ask, Table]:
        """The report as asked. Raises DomainError for values, ValidationError for names that mean nothing."""
        report = self.report
        asked = request.query_params.dict()
        form = AskForm(asked, user=self.caller, now=clock.now(), groups=report.groups, is_of_a_day=report.is_of_a_day)
        if unknown := {name[:80]: [_("There is no such filter.")] for name in asked if name not in form.fields}:
            raise ValidationError(unknown)
        ask = form.ask()
        return ask, report.run(ask, self.caller)


class ReportCsvView(ReportView):
    renderer_classes = (JSONRenderer, CsvRenderer)

    def get(self, request: Request) -> HttpResponseBase:
        ask, table = self.made(request)
        return csv_response(f"{self.report.name}.csv", header(table), lines(table, ask.zone), list)


def _cells(cells: Any, table: Table, zone: str) -> list[dict[str, str | None]]:
    return [
        {"value": _value(cell, column, zone), "rows": _rows(cell.rows)}
        for cell, column in zip(cells, table.columns, strict=True)
    ]


def _value(cell: Cell, column: Column, zone: str) -> str | None:
    if cell.value is None:
        return None
    if column.form == Form.MONEY and isinstance(cell.value, Decimal | int):
        return f"{cell.value:.2f}"
    return plain(cell.value, column, zone)


def _rows(rows: RowsBehind | None) -> str | None:
    """The list of postings; rows of other kinds have no list in this API."""
    if rows is None or rows.target != "postings":
        return None
    return f"{reverse('posting-list')}?{urlencode(rows.params())}"


def _views(report: Report) -> tuple[type[ReportView], type[ReportCsvView]]:
    with override(
        "en"
    ):  # built by whoever asks first, in any language; the document is in English like every docstring
        about = str(report.about)
    facts = {"report": report, "action_permissions": {"get": report.permission}, "__doc__": about}
    day = OpenApiTypes.DATE
    parameters = [OpenApiParameter("to", day, description="The last day; today when missing.")]
    if not report.is_of_a_day:
        parameters.insert(
            0, OpenApiParameter("from", day, description="The first day; that of this month when missing.")
        )
    parameters.append(OpenApiParameter("location", int, description="Only this location, and days by its clock."))
    if len(report.groups) > 1:
        parameters.append(OpenApiParameter("by", str, enum=report.groups, description="What the rows stand for."))
    name = report.name.replace("-", "_")
    csv = OpenApiResponse(OpenApiTypes.STR, description="The same table for a spreadsheet.")
    json_view = extend_schema_view(
        get=extend_schema(operation_id=f"reports_{name}", parameters=parameters, responses={200: ReportOut})
    )(type(f"Report_{name}", (ReportView,), facts))
    csv_view = extend_schema_view(
        get=extend_schema(operation_id=f"reports_{name}_csv", parameters=parameters, responses={(200, "text/csv"): csv})
    )(type(f"ReportCsv_{name}", (ReportCsvView,), dict(facts)))
    return json_view, csv_view


def report_urls() -> list[URLPattern]:
    """`reports/<name>/` and `reports/<name>/csv/` for every report."""
    found = []
    for report in REPORTS.values():
        json_view, csv_view = _views(report)
        found += [
            path(f"reports/{report.name}/", json_view.as_view(), name=f"report-{report.name}"),
            path(f"reports/{report.name}/csv/", csv_view.as_view(), name=f"report-{report.name}-csv"),
        ]
    return found
