from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session

from core.housekeeping import records_prune
from core.models import ErrorRecord, SlowQuery

MOMENT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_only_what_is_old_goes() -> None:
    for name, last in (("old", MOMENT - timedelta(days=91)), ("young", MOMENT - timedelta(days=89))):
        ErrorRecord.objects.create(fingerprint=name, source="x", kind="x", message="x", last_at=last)
        SlowQuery.objects.create(fingerprint=name, view="x", statement="x", worst_ms=1, last_at=last)
    Session.objects.create(session_key="old", session_data="x", expire_date=MOMENT - timedelta(seconds=1))
    Session.objects.create(session_key="young", session_data="x", expire_date=MOMENT + timedelta(seconds=1))
    assert records_prune(MOMENT) == 3
    assert list(ErrorRecord.objects.values_list("fingerprint", flat=True)) == ["young"]
    assert list(SlowQuery.objects.values_list("fingerprint", flat=True)) == ["young"]
    assert list(Session.objects.values_list("session_key", flat=True)) == ["young"]
