"""History is forgotten by its settings, in batches, and months stay."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from core.settings_registry import setting_change
from locations.choices import HISTORY_DAYS, Kind, SessionEnd, UsagePeriod
from locations.models import AccountUsage, InterfaceDay, Location, SessionRecord
from locations.services import history, history_prune

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)


def test_old_rows_leave_in_batches_and_months_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "BATCH_ROWS", 2)
    place = Location.objects.create(name="Pos 1", host="192.0.2.1", username="billing")
    for number in range(5):
        ended = NOW - timedelta(days=31, minutes=number)
        SessionRecord.objects.create(
            location=place, kind=Kind.PPP, name="sari", router_id=f"*{number}", started_at=ended, seen_at=ended,
            ended_at=ended if number else NOW - timedelta(days=29), uptime_seconds=1, bytes_in=0, bytes_out=0,
            end=SessionEnd.ENDED,
        )  # fmt: skip
    old = date(2025, 1, 1)
    for period in UsagePeriod.values:
        AccountUsage.objects.create(location=place, kind=Kind.PPP, name="sari", period=period, starts_on=old)
    InterfaceDay.objects.create(location=place, name="ether1", day=old, rx=[0] * 96, tx=[0] * 96)
    setting_change(HISTORY_DAYS, "30")
    assert history_prune(NOW) == 6
    assert list(SessionRecord.objects.values_list("router_id", flat=True)) == ["*0"]
    assert list(AccountUsage.objects.values_list("period", flat=True)) == ["month"]
    assert InterfaceDay.objects.count() == 0
    assert history_prune(NOW) == 0
