"""Wake a background worker after commit. The kick may be lost; the row it is about may not (a sweep finds it)."""

from __future__ import annotations

import logging
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def kick(task: str, *args: int | str, queue: str = "celery", expires_seconds: int = 60) -> None:
    """Send `task` by name once the open transaction has committed; immediately when none is open."""
    transaction.on_commit(partial(_send, task, args, queue, expires_seconds))


def _send(task: str, args: tuple[int | str, ...], queue: str, expires_seconds: int) -> None:
    if not settings.KICKS_ENABLED:
        return
    try:
        current_app.send_task(task, args=args, queue=queue, expires=expires_seconds)
    except (OperationalError, OSError) as error:
        # A broker that is down must not turn a committed sale into an error page: the sweep picks the row up.
        logger.warning("kick lost, the sweep will find the work: %s (%s)", task, type(error).__name__)
