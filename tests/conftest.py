"""One database per test worker, created and migrated by the owner, used as the application's role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test.utils import setup_databases, teardown_databases

from core.db.owner import as_owner


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: pytest.FixtureRequest, django_db_modify_db_settings: None
) -> Iterator[None]:
    with django_db_blocker.unblock(), as_owner():
        created = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock(), as_owner():
        teardown_databases(created, verbosity=0)
