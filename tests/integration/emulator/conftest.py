from __future__ import annotations

from collections.abc import Iterator

import pytest

from locations.emulator import EmulatedRouter

from .api_client import PASSWORD, ApiClient


@pytest.fixture
def router() -> Iterator[EmulatedRouter]:
    """A 7.16.1 whose clock moves only through ``advance``."""
    with EmulatedRouter(password=PASSWORD, clock="manual", random_seed=1) as device:
        yield device


@pytest.fixture
def api(router: EmulatedRouter) -> Iterator[ApiClient]:
    with ApiClient.logged_in(router) as client:
        yield client
