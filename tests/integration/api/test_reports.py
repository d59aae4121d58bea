"""Reports and the journal over REST: the numbers of the pages, the rows behind them, and only one's own."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.services import roles_sync
from billing.reports.catalogue import REPORTS
from tests.integration.api.conftest import Login
from tests.integration.billing.month import NOW, Month, build_month

SPAN = "?from=2026-11-01&to=2026-12-31"


@pytest.fixture
def month(db: None) -> Iterator[Month]:
    roles_sync()
    with time_machine.travel(NOW, tick=False):
        yield build_month()


def asked(client: APIClient, path: str) -> Any:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_report_is_the_table_with_amounts_as_text(month: Month, as_user: Login) -> None:
    found = asked(as_user(month.admin), f"reports/income/{SPAN}&by=plan")
    assert [column["key"] for column in found["columns"]] == ["plan", "earned", "taken_back", "income"]
    assert [[cell["value"] for cell in row] for row in found["rows"]] == [
        ["Rumah", "207000.00", "0.00", "207000.00"],
        ["Cepat", "200000.00", "0.00", "200000.00"],
        ["Harian", "20000.00", "-5000.00", "15000.00"],
    ]
    assert [cell["value"] for cell in found["totals"]] == ["Total", "427000.00", "-5000.00", "422000.00"]
    assert (found["zone"], found["is_right"]) == ("Asia/Jakarta", True)


def test_the_address_of_a_number_leads_to_its_postings(month: Month, as_user: Login) -> None:
    client = as_user(month.admin)
    for name in ("received", "trial-balance"):
        found = asked(client, f"reports/{name}/" + (SPAN if name == "received" else "?to=2026-12-31"))
        for row in found["rows"]:
            for cell in row:
                if cell["rows"]:
                    page = client.get(cell["rows"] + "&limit=200").json()
                    assert abs(sum(Decimal(leg["amount"]) for leg in page["results"])) == abs(Decimal(cell["value"]))


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_every_report_also_comes_as_a_file(month: Month, as_user: Login, name: str) -> None:
    span = "?to=2026-12-05" if REPORTS[name].is_of_a_day else SPAN
    client = as_user(month.admin)
    answer = client.get(f"/api/v1/reports/{name}/csv/{span}", headers={"accept": "text/csv"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert len(lines) == 2 + len(asked(client, f"reports/{name}/{span}")["rows"])


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("reports/income/?from=soon", ["from"]),
        ("reports/income/?form=2026-11-01", ["form"]),
        ("reports/trial-balance/?from=2026-11-01", ["from"]),
        ("reports/income/?location=999", ["location"]),
        ("journal/?account=pocket", ["account"]),
        ("journal/?color=red", ["color"]),
        ("postings/?since=yesterday&side=up", ["side", "since"]),
    ],
)
def test_what_means_nothing_is_refused_by_name(month: Month, as_user: Login, path: str, fields: list[str]) -> None:
    answer = as_user(month.admin).get(f"/api/v1/{path}")
    assert (answer.status_code, sorted(answer.json()["fields"])) == (400, fields)


def test_an_operator_gets_his_own_figures_and_entries_only(month: Month, as_user: Login) -> None:
    citra = as_user(month.citra)
    assert asked(citra, f"reports/income/{SPAN}")["totals"][-1]["value"] == "200000.00"
    assert citra.get("/api/v1/reports/profit/").status_code == 403
    sources = [entry["source"] for entry in asked(citra, "journal/")["results"]]
    assert sorted(sources)[1:] == ["payment:2", "payment:3"]
    assert citra.get(f"/api/v1/journal/{month.entries['payment:1'].pk}/").status_code == 404
    assert asked(citra, f"postings/?account=cash:{month.budi.pk}")["results"] == []


def test_an_entry_comes_with_its_legs(month: Month, as_user: Login) -> None:
    entry = month.entries["payment:4"]
    found = asked(as_user(month.admin), f"journal/{entry.pk}/")
    legs = [(leg["account"], leg["amount"], leg["customer"]) for leg in found["postings"]]
    assert sorted(legs) == [(f"cash:{month.budi.pk}", "20000.00", None), ("wallet", "-20000.00", month.sri.pk)]
    assert (found["kind"], found["method"], found["reverses"]) == ("payment", "Cash", None)
