"""One world per module, committed before its tests; each test then works in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from tests.integration.admin.world import World, build_world


@pytest.fixture(scope="module")
def module_world(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[World]:
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        made = build_world()
    yield made
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
def world(module_world: World, db: None) -> World:
    for row in vars(module_world).values():
        row.refresh_from_db()
    return module_world


@pytest.fixture
def login() -> Callable[[User], Client]:
    def as_user(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return as_user
