from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from django.template.loader import render_to_string
from django.utils.translation import override

from core.settings_registry import setting_change
from tests.integration.vouchers.world import NOW, make_batch, make_location, make_plan, vouchers_of
from vouchers.models import Voucher, VoucherBatch
from vouchers.printing import csv_header, csv_row, csv_rows, hotspot_host, login_text, qr_svg, sheet_context
from vouchers.services import voucher_sell, voucher_void

pytestmark = pytest.mark.django_db(transaction=True)
HOSTILE = '<script>alert(1)</script>"&'


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]


def printed(size: str, context: dict[str, object]) -> tuple[str, Tags]:
    html = render_to_string(f"vouchers/print/{size}.html", context)
    page = Tags()
    page.feed(html)
    return html, page


@pytest.mark.parametrize("size", ["a4", "58mm"])
def test_every_voucher_is_a_ticket_with_code_price_and_qr_and_nothing_from_outside(size: str) -> None:
    place = make_location()
    batch = make_batch(make_plan("Harian", place), place, quantity=7, mode="separate")
    vouchers = vouchers_of(batch)
    with override("en"):
        html, page = printed(size, {**sheet_context(batch, vouchers), "size": size, "more": 41})
    assert page.tags.count("li") == page.tags.count("svg") == 7
    for voucher in vouchers:
        assert f">{voucher.code}</p>" in html
        assert f"<b>{voucher.password}</b>" in html
    assert html.count("IDR 5,000") == 7
    assert html.count("valid 1 day from first login") == 7
    assert page.links == ["?after=41"]
    assert "script" not in page.tags
    assert not re.search(r"https?:|url\(|@import|\son\w+=", html.replace("http://www.w3.org/2000/svg", ""))


@pytest.mark.parametrize("size", ["a4", "58mm"])
def test_hostile_names_stay_text(size: str) -> None:
    place = make_location()
    setting_change("company.name", HOSTILE)
    batch = make_batch(make_plan(HOSTILE, place), place, name=HOSTILE)
    html, page = printed(size, sheet_context(batch, vouchers_of(batch)))
    assert "script" not in page.tags
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;") >= 3 * 2


def test_ended_vouchers_are_not_printed() -> None:
    place = make_location()
    batch = make_batch(make_plan("Harian", place), place)
    void, sold, new = vouchers_of(batch)
    voucher_void(void, actor=None, reason="lost")
    voucher_sell(sold, actor=None, request_key="k1", now=NOW)
    context = sheet_context(batch, vouchers_of(batch))
    assert [ticket.code for ticket in context["tickets"]] == [sold.code, new.code]
    assert context["skipped"] == 1


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ({"hotspot_dns": "wifi.lan"}, "wifi.lan"),
        ({"hotspot_dns": " wifi.lan "}, "wifi.lan"),
        ({}, ""),
        ({"hotspot_dns": ""}, ""),
        ({"hotspot_dns": "wifi.lan/login?x="}, ""),
        ({"hotspot_dns": "a b"}, ""),
        ({"hotspot_dns": None}, ""),
    ],
)
def test_the_qr_opens_the_login_page_when_it_is_known(settings: dict[str, object], host: str) -> None:
    first, second = make_location("Pos 1"), make_location("Pos 2")
    second.settings = settings
    second.save()
    batch = make_batch(make_plan("Harian", first, second), first, second, quantity=1)
    assert hotspot_host(batch) == host


def test_what_the_qr_says() -> None:
    assert login_text("AB-2345", "wifi.lan") == "http://wifi.lan/login#v=AB-2345"
    assert login_text("AB-2345", "") == "AB-2345"
    svg = qr_svg("AB-2345")
    assert svg.startswith("<svg ")
    assert 'viewBox="0 0 29 29"' in svg  # 21 modules of version 1 and 4 of white on each side
    assert svg == qr_svg("AB-2345")
    assert svg != qr_svg("AB-2346")


def cells(batch: VoucherBatch) -> list[list[str]]:
    text = "".join(csv_rows(batch))
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_cells_never_run_as_formulas(start: str) -> None:
    place = make_location()
    plan = make_plan("Harian", place)
    batch = make_batch(plan, place, quantity=1)
    VoucherBatch.objects.filter(pk=batch.pk).update(name=f"{start}HYPERLINK(1)")
    batch.refresh_from_db()
    assert cells(batch)[1][5] == f"'{start}HYPERLINK(1)"


def test_csv_has_one_line_per_voucher_with_exact_values() -> None:
    place = make_location()
    batch = make_batch(make_plan("Harian, murah", place), place, name="Juli; 7", mode="separate")
    first = vouchers_of(batch)[0]
    voucher_sell(first, actor=None, request_key="k1", now=NOW)
    first = Voucher.objects.select_related("plan", "batch").get(pk=first.pk)
    with override("en"):
        header, *rows = cells(batch)
        assert header == csv_header()
        assert header[:4] == ["Code", "Password", "Plan", "Price"]
        row = csv_row(first)
    assert len(rows) == 3
    assert row in rows
    assert row[:2] == [first.code, first.password]
    assert row[2:6] == ["Harian, murah", "5000.00", "sold", "Juli; 7"]
    assert row[7:] == ["2026-11-22T07:00:00+00:00", "", ""]
