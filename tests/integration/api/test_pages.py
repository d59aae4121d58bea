"""Keyset pages: complete, stable while rows are added, and as cheap at the end as at the start."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.integration.api.conftest import House, Login, add_batch, add_voucher
from vouchers.models import Voucher

LIST = "/api/v1/vouchers/"


def _rows(house: House, count: int) -> list[int]:
    Voucher.objects.bulk_create(
        Voucher(batch=house.batch, plan=house.plan, code=f"P{n:05d}", created_at=house.voucher.created_at)
        for n in range(count)
    )
    return list(Voucher.objects.order_by("-pk").values_list("pk", flat=True))


def _walk(client: APIClient, url: str | None, link: str) -> list[list[int]]:
    pages = []
    while url:
        body = client.get(url).json()
        pages.append([row["id"] for row in body["results"]])
        url = body[link]
    return pages


def test_walking_forward_and_back_meets_every_row_once(house: House, as_user: Login) -> None:
    ids = _rows(house, 24)
    client = as_user(house.operator)
    forward = _walk(client, f"{LIST}?limit=10", "next")
    assert forward == [ids[:10], ids[10:20], ids[20:]]
    last = client.get(f"{LIST}?limit=10").json()["next"]
    last = client.get(last).json()["next"]
    assert _walk(client, last, "previous") == [ids[20:], ids[10:20], ids[:10]]


def test_the_ends_have_no_links(house: House, as_user: Login) -> None:
    body = as_user(house.operator).get(LIST).json()
    assert sorted(body) == ["next", "previous", "results"]
    assert (body["next"], body["previous"], len(body["results"])) == (None, None, 1)


def test_a_row_added_meanwhile_moves_nothing(house: House, as_user: Login) -> None:
    ids = _rows(house, 9)
    client = as_user(house.operator)
    second = client.get(f"{LIST}?limit=5").json()["next"]
    add_voucher(house.batch, "NEWEST22")
    assert [row["id"] for row in client.get(second).json()["results"]] == ids[5:]


def test_links_keep_filters(house: House, as_user: Login) -> None:
    _rows(house, 5)
    link = as_user(house.operator).get(f"{LIST}?limit=2&code_prefix=P0&status=new").json()["next"]
    query = parse_qs(urlsplit(link).query)
    assert (query["limit"], query["code_prefix"], query["status"]) == (["2"], ["P0"], ["new"])
    assert re.fullmatch(r"[A-Za-z0-9_-]+", query["cursor"][0])


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5", "", "٣", "99999"])
def test_limits_out_of_range(house: House, as_user: Login, limit: str) -> None:
    answer = as_user(house.operator).get(LIST, {"limit": limit})
    assert answer.status_code == 400
    assert answer.json()["fields"] == {"limit": "A whole number from 1 to 200."}


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "bzE", "bw", "b-1", "é", "b" * 500, "b_8_", "eDE"])
def test_cursors_of_other_hands(house: House, as_user: Login, cursor: str) -> None:
    answer = as_user(house.operator).get(LIST, {"cursor": cursor})
    if cursor == "bzE":  # "o1": well formed, and there is nothing older
        assert answer.json()["results"] == []
        return
    assert answer.status_code == 400
    assert answer.json()["fields"] == {"cursor": "This is not a cursor from an answer of this API."}


def test_unknown_filters_are_refused(house: House, as_user: Login) -> None:
    answer = as_user(house.operator).get(LIST, {"stats": "new", "page": "2"})
    assert answer.status_code == 400
    assert answer.json()["fields"] == {"stats": "There is no such filter.", "page": "There is no such filter."}


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/api/v1/vouchers/", 1),
        ("/api/v1/batches/", 2),
        ("/api/v1/plans/", 1),
        ("/api/v1/locations/", 1),
        ("/api/v1/accounts/", 1),
        ("/api/v1/vouchers/{voucher}/events/", 3),  # one for the batch, whose order is the last line
        ("/api/v1/locations/{here}/sessions/", 2),
    ],
)
def test_lists_ask_the_same_few_queries_for_any_number_of_rows(
    house: House, as_user: Login, path: str, queries: int
) -> None:
    """Beside them: the person, his rights (2, of a role that is not Super Admin) and the limit's counter."""
    path = path.format(voucher=house.voucher.pk, here=house.here.pk)
    client = as_user(house.admin)
    client.get(path)
    counts = []
    for step in range(2):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(path).status_code == 200
        own = [q["sql"] for q in captured if not re.search(r"core_cacheentry|SAVEPOINT|auth_|accounts_user", q["sql"])]
        counts.append(len(own))
        assert not [sql for sql in own if "COUNT(" in sql]
        for number in range(5):
            batch = add_batch(house.plan, house.here, f"B{step}{number}")
            add_voucher(batch, f"MORE{step}{number}")
    assert counts == [queries, queries]
