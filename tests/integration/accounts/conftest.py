from __future__ import annotations

import pytest
from django.core.cache import cache

from accounts.models import User
from accounts.services import user_create

PASSWORD = "correct horse 7 battery"


@pytest.fixture
def super_admin(db: None) -> User:
    cache.clear()
    return user_create(username="siti", password=PASSWORD, role="super_admin", actor=None)


@pytest.fixture
def operator(super_admin: User) -> User:
    return user_create(username="budi", password=PASSWORD, role="operator", actor=super_admin)
