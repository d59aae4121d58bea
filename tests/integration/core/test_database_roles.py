from __future__ import annotations

import pytest
from django.db import connection
from django.db.utils import DatabaseError, ProgrammingError

from core.db.immutable import protected_tables

PROTECTED = dict.fromkeys(
    (
        "accounts_activitylog", "billing_allocation", "billing_journalentry", "billing_posting",
        "billing_subscriptionevent", "customers_consent", "customers_customerevent", "payments_refund",
        "vouchers_voucherevent", "vouchers_vouchersale",
    ), True,
)  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_tests_run_as_the_application_role_which_cannot_truncate() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone()[0] == "mb_app"
        with pytest.raises(ProgrammingError, match="permission denied"):
            cursor.execute("TRUNCATE vouchers_vouchersale")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", sorted(PROTECTED))
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_append_only_tables_refuse_changes(table: str, statement: str) -> None:
    columns = {
        "accounts_activitylog": "(action, details, created_at) VALUES ('x', '{}', now())",
    }
    with connection.cursor() as cursor:
        if table in columns:
            cursor.execute(f"INSERT INTO {table} {columns[table]}")
            with pytest.raises(DatabaseError, match="only grows"):
                cursor.execute(statement.format(table))
    assert protected_tables() == PROTECTED
