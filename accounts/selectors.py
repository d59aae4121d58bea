"""Reads about staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.lockouts import ACCOUNT, WINDOW_SECONDS
from accounts.models import ActivityLog, User
from core.clock import now as clock_now

LOCKED, UNLOCKED = "login.locked", "user.unlocked"


@dataclass(frozen=True)
class Lockout:
    """`kind` is account or address. `username` is None when the name tried belongs to nobody."""

    kind: str
    username: str | None
    ip_address: str | None
    since: datetime
    until: datetime


def lockouts_now(now: datetime | None = None) -> list[Lockout]:
    """Lock-outs still in force, newest first, for a Super Admin's screen."""
    moment = now or clock_now()
    since = moment - timedelta(seconds=2 * WINDOW_SECONDS)
    locked = list(_newest(LOCKED, since))
    if not locked:
        return []
    unlocked = {row.details.get("username"): row.created_at for row in reversed(list(_newest(UNLOCKED, since)))}
    found = []
    for row in locked:
        kind, name = row.details["kind"], row.details.get("username")
        until = datetime.fromisoformat(row.details["until"])
        was_unlocked = kind == ACCOUNT and name in unlocked and unlocked[name] >= row.created_at
        if until > moment and not was_unlocked:
            found.append(Lockout(kind, name, row.ip_address, row.created_at, until))
    return found


def _newest(action: str, since: datetime) -> QuerySet[ActivityLog]:
    """Newest first. The log has an index by action, none by time: only its last thousand of this action are looked at."""
    last = ActivityLog.objects.filter(action=action).order_by("-id").values("pk")[:1000]
    return ActivityLog.objects.filter(pk__in=last, created_at__gt=since).order_by("-id")


def activity_visible_to(user: User) -> QuerySet[ActivityLog]:
    """Everything for Super Admin and Admin, his own deeds for an Operator."""
    rows = ActivityLog.objects.select_related("user")
    if user.is_superuser or user.has_perm("accounts.view_activitylog"):
        return rows
    return rows.filter(user_id=user.pk)
