from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from tests.integration.dashboard.world import NOW, World, build_world

Login = Callable[[User], Client]


@pytest.fixture
def world(db: None) -> World:
    return build_world()


@pytest.fixture
def login() -> Login:
    def as_user(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return as_user


@pytest.fixture(autouse=True)
def _the_day() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield
