"""Customers are found by any word of the name, a phone in any spelling, number, e-mail address and user name; by index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.postgres.search import SearchQuery
from django.db import connection

from accounts.choices import Role
from accounts.models import User
from customers import searching
from customers.models import Customer
from customers.selectors import customers_search, customers_similar
from customers.services import contact_add, customers_merge
from tests.integration.customers.world import NOW, make_customer, make_location, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(db: None) -> User:
    return make_user()


@pytest.fixture
def names(boss: User) -> Callable[[str], list[str]]:
    def found(text: str) -> list[str]:
        return sorted(customers_search(boss, text).values_list("name", flat=True))

    return found


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("Sri Rahayu", ["sri", "RAHAYU", "rah", "sri rah", "Sri Rahayu", "  sri   rahayu  "]),
        ("H.Ahmad/Siti-Budi", ["ahmad", "siti", "budi", "h.ahmad", "H. Ahmad", "ahmad/siti"]),
        ("O'Brien \\ Söhne & Co.", ["o'brien", "brien", "söhne", "SÖHNE", "co"]),
        ("محمد علي", ["محمد", "علي"]),
        ("<script>alert(1)</script>", ["script", "alert", "<script>"]),
        ("=HYPERLINK(1)", ["hyperlink", "=HYPER"]),
        ("Kos 88 warung.net", ["88", "kos 8", "net", "warung.net"]),
        ("'; DROP TABLE x; --", ["drop", "'; drop"]),
    ],
)
def test_any_word_of_a_name_by_its_beginning(names: Callable[[str], list[str]], name: str, texts: list[str]) -> None:
    make_customer("Pak Joko")
    make_customer(name)
    for text in texts:
        assert names(text) == [name], text


@pytest.mark.parametrize(
    "text", ["xyz", "sri xyz", "':*", "& | !", "\x00", "\u202e", "%", "_", "😀", "sri & !rahayu xyz", "a" * 500, "\\"]
)
def test_texts_that_find_nobody_or_ask_for_nothing_do_no_harm(names: Callable[[str], list[str]], text: str) -> None:
    make_customer("Sri Rahayu")
    assert names(text) in ([], ["Sri Rahayu"])
    assert names("sri xyz") == []


def test_by_phone_number_and_address(names: Callable[[str], list[str]], boss: User) -> None:
    sri = make_customer("Sri", phone="0812-3456-7890", email="Sri@Example.com")
    joko = make_customer("Joko", phone="(021) 555-1234", number="X-77/A")
    contact_add(joko, actor=None, name="Adik", phone="0813 0000 2222")
    for text in ("0812-3456-7890", "62812 3456", "+62 812", "81234567890", "sri@example.com", "SRI@", sri.number, "1"):
        assert names(text) == ["Sri"], text
    for text in ("021 5551234", "+6221555", "6221 555 1234", "0813 0000 2222", "+62 813 0000", "x-77", "X-77/A"):
        assert names(text) == ["Joko"], text
    assert names("0899 9999 9999") == []
    assert names("") == ["Joko", "Sri"]
    assert customers_similar(boss, sri) == []
    twin = make_customer("Sri R", phone="+62 812 3456 7890", email="sri@example.com")
    assert customers_similar(boss, sri) == [twin]


def test_merged_rows_lead_to_the_one_that_stayed(names: Callable[[str], list[str]]) -> None:
    winner, loser = make_customer("Sri"), make_customer("Rahayu Lama", phone="0812-3456-7890", email="lama@example.com")
    customers_merge(winner, loser, actor=None, now=NOW)
    for text in ("rahayu", "0812 3456 7890", "lama@", loser.number, "sri"):
        assert names(text) == ["Sri"], text
    assert names("") == ["Sri"]


def test_an_operator_finds_his_own_only() -> None:
    here, there = make_location("Pos 1"), make_location("Pos 2")
    budi = make_user("budi", Role.OPERATOR, here)
    mine = make_customer("Sri", location=here, phone="0812-3456-7890")
    for name in ("Sri", "Sri Lain"):
        contact_add(
            make_customer(name, location=there, phone="0812-3456-7890"), actor=None, name="x", phone="0812-3456-7890"
        )
    for text in ("sri", "0812-3456-7890", "C00000", ""):
        assert list(customers_search(budi, text)) == [mine], text


def test_rooms_above_add_their_own_ways(monkeypatch: pytest.MonkeyPatch, names: Callable[[str], list[str]]) -> None:
    customer = make_customer("Sri")
    monkeypatch.setattr(searching, "_lookups", {})
    searching.add_lookup("x", lambda text, limit: [customer.pk] if (text, limit) == ("u-12", 200) else [])
    assert (names("u-12"), names("u-13")) == (["Sri"], [])


# --- plans ----------------------------------------------------------------------------------------------------------


def plan_of(rows: Any) -> str:
    sql, params = rows.order_by("-pk")[:26].query.sql_with_params()
    with connection.cursor() as cursor:
        # with the few rows of a test a scan is always cheaper: ask what the database could do, not what it prefers
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")  # the way along the primary key is always open
        cursor.execute("EXPLAIN " + sql, params)
        return "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ({"phone__startswith": "+62812"}, "customers_customer_phones"),
        ({"phone": "+6281234567890"}, "customers_customer_phones"),
        ({"email__startswith": "sri@"}, "customers_customer_emails"),
        ({"number__startswith": "C0001"}, "customers_customer_number"),
        ({"tags__contains": ["lunas"]}, "customers_customer_tags"),
        ({"location": 1}, "customers_customer_place"),
        ({"debt__gt": 0}, "customers_customer_owing"),
        ({"search": SearchQuery("'sri':*", config="simple", search_type="raw")}, "customers_customer_words"),
    ],
)
def test_every_way_to_find_is_an_index(boss: User, condition: dict[str, Any], index: str) -> None:
    plan = plan_of(Customer.objects.filter(**condition))
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan


def test_words_of_few_are_looked_up_first_and_words_of_many_are_a_condition(
    boss: User, names: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_customer("Sri", number="SRI-1")
    winner, loser = make_customer("Joko"), make_customer("Sri Lama")
    customers_merge(winner, loser, actor=None, now=NOW)
    monkeypatch.setattr(searching, "FOUND_BY_WORDS", 2)
    assert str(searching.text_found("sri", Customer.objects.all())).startswith("(AND: ('pk__in'")
    assert names("sri") == ["Joko", "Sri"]
    monkeypatch.setattr(searching, "FOUND_BY_WORDS", 1)
    assert names("sri") == ["Joko", "Sri"]
    found = searching.text_found("sri", Customer.objects.all())
    assert found is not None
    plan = plan_of(Customer.objects.filter(found))
    assert "BitmapOr" in plan, plan
    assert "customers_customer_words" in plan, plan
    assert "Seq Scan" not in plan, plan


def test_words_are_looked_up_by_their_index(boss: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + searching._BY_WORDS, ["'sri':*", 10])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "customers_customer_words" in plan, plan
