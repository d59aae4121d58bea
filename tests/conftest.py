"""One database per test worker, created and migrated by the owner, used as the application's role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from django.utils import translation

from core.db.owner import as_owner


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: pytest.FixtureRequest, django_db_modify_db_settings: None
) -> Iterator[None]:
    with django_db_blocker.unblock(), as_owner():
        created = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        _end_other_sessions()
        with as_owner():
            teardown_databases(created, verbosity=0)


def _end_other_sessions() -> None:
    """A thread that a test left behind may still hold a connection, and PostgreSQL drops no database in use."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def language_of_the_thread() -> None:
    """A page leaves its reader's language to the thread, and the next test would read sentences in it."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def money_has_entries(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test with a database: no sale, payment, refund, expense, correction or bill without its entry.

    A test that writes such rows by hand on purpose carries the mark `unposted`.
    """
    marker = request.node.get_closest_marker("django_db")
    if marker is None or request.node.get_closest_marker("unposted"):
        yield
        return
    request.getfixturevalue("transactional_db" if marker.kwargs.get("transaction") else "db")
    yield
    from billing.ledger.checking import unposted

    if not connection.needs_rollback:
        assert unposted() == {}, "money moved without an entry in the ledger"
