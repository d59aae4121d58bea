"""Pages of reports: the table of the report, its file, its links, and who may open what."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.services import roles_sync
from billing.ledger import chart
from billing.models import JournalEntry, Posting
from billing.reports.catalogue import REPORTS, VIEW_BOOKS
from billing.reports.writing import header, lines
from tests.integration.billing.month import NOW, Month, build_month

SPAN = "?from=2026-11-01&to=2026-12-31"


@pytest.fixture
def month(db: None) -> Iterator[Month]:
    roles_sync()
    with time_machine.travel(NOW, tick=False):
        yield build_month()


def as_(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def url_of(name: str, more: str = SPAN) -> str:
    return reverse(f"admin:report_{name.replace('-', '_')}") + more


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_who_opens_which_report(month: Month, name: str) -> None:
    allowed = {"kepala": 200, "ani": 200, "budi": 403 if REPORTS[name].permission == VIEW_BOOKS else 200}
    found = {user.username: as_(user).get(url_of(name)).status_code for user in (month.boss, month.admin, month.budi)}
    assert found == allowed
    assert Client().get(url_of(name)).headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_the_file_is_the_table(month: Month, name: str) -> None:
    client = as_(month.admin)
    page = client.get(url_of(name))
    table, zone = page.context["table"], page.context["zone"]
    answer = client.get(unescape(url_of(name, page.context["csv_url"])))
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.streaming
    text = b"".join(answer.streaming_content).decode()  # type: ignore[arg-type]
    assert list(csv.reader(io.StringIO(text.removeprefix("\ufeff")))) == [header(table), *lines(table, zone)]
    assert len(list(lines(table, zone))) == len(table.rows) + 1


def test_a_name_that_a_spreadsheet_would_run_is_made_harmless(month: Month) -> None:
    month.home.name = "=HYPERLINK(1)"
    month.home.save(update_fields=["name"])
    answer = as_(month.admin).get(url_of("income", SPAN + "&by=plan&format=csv"))
    text = b"".join(answer.streaming_content).decode()  # type: ignore[arg-type]
    assert "'=HYPERLINK(1),207000,0,207000" in text


def test_every_link_of_every_report_leads_to_rows_with_that_sum(month: Month) -> None:
    client, followed = as_(month.admin), 0
    for name, report in REPORTS.items():
        by = report.groups[-1] if report.groups else ""
        drawn = client.get(url_of(name, SPAN + f"&by={by}")).context["drawn"]
        for cell in [cell for row in [*drawn["rows"], drawn["totals"]] for cell in row if cell["url"]]:
            page = client.get(cell["url"])
            assert page.status_code == 200, cell
            if "IDR" in cell["text"]:
                amount = cell["text"].removeprefix("IDR ").removeprefix("-")
                assert re.search(f"IDR -?{amount}", page.content.decode()), cell
            else:
                assert str(len(page.context["drawn"]["rows"])) == cell["text"], cell
            followed += 1
    assert followed > 90


def file_of(client: Client, url: str) -> list[list[str]]:
    answer = client.get(url)
    assert (answer.headers["Content-Type"], answer.streaming) == ("text/csv; charset=utf-8", True)
    text = b"".join(answer.streaming_content).decode()  # type: ignore[arg-type]
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_rows_behind_a_number_are_a_file_too(month: Month) -> None:
    client = as_(month.admin)
    month.sri.name = "=1+1"
    month.sri.save(update_fields=["name"])
    links = {
        cell["url"].partition("?")[0]: cell["url"]
        for name in ("receivables", "trial-balance", "shifts", "profit")
        for row in client.get(url_of(name)).context["drawn"]["rows"] + [client.get(url_of(name)).context["drawn"]["totals"]]
        for cell in row
        if cell["url"] and cell["text"] not in {"0", "IDR 0"}
    }  # fmt: skip
    files = {}
    for path, url in links.items():
        page = client.get(url)
        if "drawn" in page.context:
            files[path] = file_of(client, path + unescape(page.context["csv_url"]))
            assert len(files[path]) == len(page.context["drawn"]["rows"]) + 1, path
    assert sorted(files) == [
        f"/admin/reports/{name}/" for name in ("profit/parts", "receivables/bills", "shifts/parts", "trial-balance/parts")
    ]  # fmt: skip
    bills = file_of(client, reverse("admin:report_receivables_rows") + "?to=2026-12-05&format=csv")
    assert bills[0] == ["Bill", "Customer", "Due", "Total", "Still to pay"]
    assert bills[1:] == [
        ["INV-2", "Pak Joko", "2026-11-28", "200000", "120000"], ["INV-3", "'=1+1", "2026-12-05", "100000", "100000"],
        ["INV-4", "'=1+1", "2026-12-20", "7000", "7000"],
    ]  # fmt: skip
    owing = file_of(client, reverse("admin:report_receivables_rows") + "?to=2026-12-05&by=customer&format=csv")
    assert owing[1:] == [["C2", "Pak Joko", "1", "120000"], ["C1", "'=1+1", "2", "107000"]]


def test_a_column_that_is_not_there_is_said(month: Month) -> None:
    answer = as_(month.admin).get(reverse("admin:report_shifts_parts") + "?column=cashier")
    assert (answer.status_code, "There is no such column." in answer.content.decode()) == (400, True)


def test_the_page_says_it_in_a_sentence_a_picture_and_a_table(month: Month) -> None:
    html = as_(month.admin).get(url_of("income")).content.decode()
    sentence = (
        "From 1 Nov 2026 to 31 Dec 2026 you earned IDR 422,000; IDR 5,000 of discounts and corrections are already off."
    )
    assert html.count(sentence) == 2  # on the page, and as the name of the picture
    assert html.count('class="mb-bar"') == 61
    assert "<script" not in html[html.index("<svg class=") : html.index("</svg>")]


def test_income_by_method_says_what_it_cannot_know_and_where_that_is(month: Month) -> None:
    client = as_(month.admin)
    html = client.get(url_of("income", SPAN + "&by=method")).content.decode()
    assert "A bill is income before anybody pays it. How it was paid is in the report of money received." in html
    link = re.search(r'href="([^"]*/reports/received/[^"]*to=[^"]*)">Money received<', html)
    assert link
    received = client.get(unescape(link[1])).context["table"]
    assert [row[0].value for row in received.rows] == ["Cash", "Transfer"]
    assert "/reports/received/?from" not in client.get(url_of("income", SPAN + "&by=plan")).content.decode()
    assert "Tunai" in client.get(url_of("received"), headers={"accept-language": "id"}).content.decode()


def test_what_cannot_be_asked_is_said_beside_its_field_and_nothing_is_shown(month: Month) -> None:
    answer = as_(month.admin).get(url_of("income", "?from=2026-12-01&to=2026-11-01"))
    assert answer.status_code == 400
    assert "The last day lies before the first." in answer.content.decode()
    assert "table" not in answer.context


def test_an_operator_gets_no_figures_of_another_place(month: Month) -> None:
    client = as_(month.citra)
    html = client.get(url_of("income", SPAN + "&by=location")).content.decode()
    assert "Pos Timur" in html
    assert "Pos 1<" not in html
    assert client.get(url_of("income", SPAN + f"&location={month.here.pk}")).status_code == 400
    rows = client.get(reverse("admin:report_receivables_rows") + "?to=2026-12-05").content.decode()
    assert "INV-2" in rows
    assert "INV-3" not in rows


def test_the_menu_has_the_reports_a_person_may_open(month: Month) -> None:
    found = {
        user.username: re.findall(r'href="/admin/reports/([a-z-]+)/"', as_(user).get("/admin/").content.decode())
        for user in (month.admin, month.budi)
    }
    assert set(found["ani"]) == set(REPORTS)
    assert set(found["budi"]) == {"income", "received", "receivables", "shifts"}


# --- the journal ----------------------------------------------------------------------------------------------------

JOURNAL, POSTINGS = "admin:billing_journalentry_changelist", "admin:billing_posting_changelist"


def rows_of(user: User, name: str, query: str) -> list[Any]:
    answer = as_(user).get(reverse(name) + query)
    assert answer.status_code == 200, (answer.status_code, answer.headers)
    return list(answer.context["cl"].result_list)


def test_the_journal_by_account_customer_kind_day_and_person(month: Month) -> None:
    def sources(query: str) -> list[str]:
        return [row.source for row in rows_of(month.admin, JOURNAL, query)]

    assert sources("?account=expense") == ["expense:1"]
    assert sources("?kind=refund") == ["refund:1"]
    assert sources("?number=C2&kind=payment") == ["payment:3", "payment:2"]
    assert sources("?from=2026-11-20&to=2026-11-20") == ["payment:2"]
    assert sources(f"?actor={month.citra.pk}") == ["payment:3", "payment:2"]
    assert sources("?number=nobody") == sources("?number=%00x") == []
    assert sources("?q=deposit:1") == ["deposit:1"]
    assert len(sources("?cause=voucher_sale")) == 5  # four sales, and what took one back
    assert len(sources("")) == JournalEntry.objects.count()


def test_an_account_with_the_balance_after_each_posting(month: Month) -> None:
    code = chart.cash(month.budi.pk)
    html = as_(month.admin).get(reverse(POSTINGS) + f"?account={code}").content.decode()
    rows = rows_of(month.admin, POSTINGS, f"?account={code}")
    balance, wanted = Decimal(0), []
    for amount in Posting.objects.filter(account=code).order_by("pk").values_list("amount", flat=True):
        balance += amount
        wanted.append(balance)
    assert [row._balance for row in rows] == wanted[::-1]
    assert "IDR 45,000 debit" in html
    assert "Cash drawer of Budi" in html


def test_the_balance_goes_on_over_pages(month: Month, monkeypatch: pytest.MonkeyPatch) -> None:
    from billing.admin.journal import PostingAdmin

    monkeypatch.setattr(PostingAdmin, "list_per_page", 4)
    query = f"?account={chart.cash(month.budi.pk)}"
    first = rows_of(month.admin, POSTINGS, query)
    second = rows_of(month.admin, POSTINGS, f"{query}&before={first[-1].pk}")
    assert (len(first), len(second)) == (4, 4)
    assert first[-1]._balance - first[-1].amount == second[0]._balance


def test_rows_behind_one_number_show_no_running_balance(month: Month) -> None:
    html = as_(month.admin).get(reverse(POSTINGS) + "?account=wallet&side=credit").content.decode()
    assert "Balance after it" not in html
    assert "Only the rows behind the number you came from." in html


def test_an_entry_shows_its_legs_its_cause_and_what_took_it_back(month: Month) -> None:
    entry = month.entries["voucher_sale:3"]
    client = as_(month.admin)
    html = client.get(reverse("admin:billing_journalentry_change", args=[entry.pk])).content.decode()
    back = JournalEntry.objects.get(reverses=entry)
    assert reverse("admin:billing_journalentry_change", args=[back.pk]) in html
    for text in ("Cash drawer of Budi", "Income: vouchers", "Harian", "taken back", "IDR 5,000"):
        assert text in html
    back_html = client.get(reverse("admin:billing_journalentry_change", args=[back.pk])).content.decode()
    assert "wrong code" in back_html
    paid = month.entries["payment:1"]
    assert "INV-1" in client.get(reverse("admin:billing_journalentry_change", args=[paid.pk])).content.decode()


def test_nobody_changes_the_journal(month: Month) -> None:
    client, entry = as_(month.boss), month.entries["payment:1"]
    for name in ("add", "change", "delete"):
        args = [] if name == "add" else [entry.pk]
        assert client.post(reverse(f"admin:billing_journalentry_{name}", args=args)).status_code in {403, 405}
        assert client.post(reverse(f"admin:billing_posting_{name}", args=args)).status_code in {302, 403, 404, 405}
    assert JournalEntry.objects.get(pk=entry.pk).source == "payment:1"


def test_entries_of_another_place_do_not_exist_for_an_operator(month: Month) -> None:
    client = as_(month.citra)
    entry = month.entries["payment:1"]
    answer = client.get(reverse("admin:billing_journalentry_change", args=[entry.pk]))
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/admin/")  # the admin's "does not exist"
    posting = Posting.objects.filter(entry=entry)[0]
    assert client.get(reverse("admin:billing_posting_change", args=[posting.pk])).headers.get("Location") == "/admin/"
    bill = f"invoice:{month.entries['payment:2'].allocations.get().invoice_id}"
    assert {row.source for row in rows_of(month.citra, JOURNAL, "")} == {"payment:2", "payment:3", bill}
    assert rows_of(month.citra, POSTINGS, f"?account={chart.cash(month.budi.pk)}") == []


@pytest.mark.parametrize("query", ["?account=pocket", "?from=soon", "?kind=gift", "?actor=x", "?before=x"])
def test_a_filter_that_means_nothing_leads_back_to_the_list(month: Month, query: str) -> None:
    for name in (JOURNAL, POSTINGS):
        answer = as_(month.admin).get(reverse(name) + query)
        assert (answer.status_code, answer.headers["Location"].endswith("?e=1")) == (302, True)
