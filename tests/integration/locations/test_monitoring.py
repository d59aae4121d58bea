from __future__ import annotations

import pytest

from core.monitoring.checks import health_report
from locations.choices import Reach
from locations.models import Location, RouterState
from locations.monitoring import routers_by_reach, routers_check

pytestmark = pytest.mark.django_db


def location(name: str, reach: str, *, is_active: bool = True) -> None:
    row = Location.objects.create(name=name, host="192.0.2.1", username="billing", is_active=is_active)
    RouterState.objects.create(location=row, reach=reach)


def test_all_online_is_well() -> None:
    location("Pos 1", Reach.ONLINE)
    location("Old", Reach.OFFLINE, is_active=False)
    result = routers_check()
    assert result.is_ok is True
    assert routers_by_reach()[("online",)] == 1.0
    assert routers_by_reach()[("offline",)] == 0.0


def test_routers_that_do_not_answer_are_named() -> None:
    for number in range(1, 6):
        location(f"Pos {number}", Reach.OFFLINE)
    result = routers_check()
    assert result.is_ok is False
    assert "Pos 1, Pos 2, Pos 3 …" in str(result.sentence)
    assert "Pos 4" not in str(result.sentence)


def test_the_health_page_has_a_line_about_routers() -> None:
    assert "locations.routers" in {line.name for line in health_report()}
