"""What the kernel forgets, so that its own tables stay small."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from core.clock import now as clock_now
from core.models import ErrorRecord, SlowQuery

KEPT = timedelta(days=90)


def records_prune(now: datetime | None = None) -> int:
    """Delete errors and slow queries not seen for 90 days, ended sessions and ended tokens; returns how many rows."""
    moment = now or clock_now()
    querysets = (
        ErrorRecord.objects.filter(last_at__lt=moment - KEPT),
        SlowQuery.objects.filter(last_at__lt=moment - KEPT),
        Session.objects.filter(expire_date__lt=moment),
        OutstandingToken.objects.filter(expires_at__lt=moment),
    )
    return sum(rows.delete()[0] for rows in querysets)
