"""The database's plan of every filter of a growing table: an index, never a scan of the whole table."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict

from customers.api.filters import ContactFilter, CustomerFilter
from customers.models import Contact, Customer
from locations.api.filters import AccountFilter
from locations.models import AccessAccount
from tests.integration.api.conftest import House
from vouchers.api.filters import VoucherFilter
from vouchers.models import Voucher


def _plan(rows: Any) -> str:
    sql, params = rows.order_by("-pk")[:51].query.sql_with_params()
    with connection.cursor() as cursor:
        # with the few rows of a test a scan is always cheaper: ask what the database could do, not what it prefers
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + sql, params)
        return "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("code=HKJM2345", "vouchers_voucher_code"),
        ("code_prefix=HK", "vouchers_voucher_code"),
        ("status=sold", "vouchers_voucher_status"),
        ("batch=1", "vouchers_voucher_batch"),
        ("batch=1&status=new", "vouchers_voucher_batch"),
        ("", "vouchers_voucher_pkey"),
    ],
)
def test_vouchers(house: House, query: str, index: str) -> None:
    plan = _plan(VoucherFilter(QueryDict(query), Voucher.objects.all()).qs)
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan


def test_a_prefix_is_a_range_of_the_index(house: House) -> None:
    plan = _plan(VoucherFilter(QueryDict("code_prefix=HK"), Voucher.objects.all()).qs)
    assert "~>=~ 'HK'" in plan, plan
    assert "~<~ 'HL'" in plan, plan


@pytest.mark.parametrize(
    "query",
    ["location=1", "location=1&name_prefix=HK", "name=HKJM2345", "name_prefix=HK", "waiting=true", "held=true", ""],
)
def test_accounts(house: House, query: str) -> None:
    plan = _plan(AccountFilter(QueryDict(query), AccessAccount.objects.all()).qs)
    assert "Seq Scan" not in plan, plan
    assert "Index" in plan, plan


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("number=C000001", "customers_customer_number"),
        ("phone=081234567890", "customers_customer_phones"),
        ("email=sri@example.com", "customers_customer_emails"),
        ("tag=lunas", "customers_customer_tags"),
        ("location=1", "customers_customer_place"),
        ("owing=true", "customers_customer_owing"),
        ("in_credit=true", "customers_customer_credit"),
        ("is_active=false", "customers_customer_closed"),
        ("search=bu sri", "customers_customer_pkey"),
        ("search=0812345678", "customers_customer_pkey"),
        ("", "customers_customer_pkey"),
    ],
)
def test_customers(house: House, query: str, index: str) -> None:
    with connection.cursor() as cursor:
        if query:  # along the primary key there is always a way; it must not be the only one
            cursor.execute("SET LOCAL enable_indexscan = off")
    plan = _plan(CustomerFilter(QueryDict(query), Customer.objects.all()).qs)
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize("query", ["customer=1", "phone=081234567890", ""])
def test_contacts(house: House, query: str) -> None:
    plan = _plan(ContactFilter(QueryDict(query), Contact.objects.all()).qs)
    assert "Seq Scan" not in plan, plan
    assert "Index" in plan, plan
