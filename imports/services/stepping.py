"""Long work on one row, step by step: claimed once, told while it runs, cancelled, taken over when its worker died.

The row has `status`, `done`, `error`, `heartbeat_at`, `is_cancel_requested`, `created_at`, `finished_at` (`core.db.progress`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, InterfaceError, OperationalError, models
from django.db.models import Q
from django.utils.translation import gettext as _

from core import clock
from core.db.progress import Cancelled, LeaseLost, Progress
from core.db.side import side_connection
from core.db.transition import transition_set
from core.error_log import error_record
from core.errors import DomainError

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
QUEUE_GRACE = timedelta(seconds=20)


@dataclass(frozen=True)
class Step:
    """What a waiting row waits for. `cancelled` and `refused` are where it ends when it was stopped."""

    running: str
    cancelled: str
    refused: str
    work: Callable[[Any, Progress], None]


@dataclass(frozen=True)
class Stepping:
    """The steps of one kind of row, by the status that waits for them. `over` are changes for those that end for good."""

    model: type[models.Model]
    moves: Mapping[str, Collection[str]]
    steps: Mapping[str, Step]
    wake: Callable[[int], None]
    over: Mapping[str, Any] = field(default_factory=dict)

    def step(self, row_id: int) -> None:
        """Do what it waits for. Returns silently when another worker has it. Must not run inside a transaction."""
        rows = self.model._default_manager.filter(pk=row_id)
        found = rows.values_list("status", flat=True).first()
        step = self.steps.get(str(found))
        if step is None:
            return
        lease = clock.now()
        claimed = rows.filter(status=found).update(
            status=step.running, heartbeat_at=lease, done=0, error="", is_cancel_requested=False
        )
        if claimed:
            self._work(rows.get(), step, lease)

    def _work(self, row: Any, step: Step, lease: datetime) -> None:
        try:
            with side_connection() as side:
                step.work(row, Progress(side, row, step.running, lease))
        except LeaseLost:
            logger.warning("%s %d was taken over by another worker", self.model.__name__, row.pk)
        except Cancelled:
            self._end(row, step.running, step.cancelled, "")
        except (DomainError, SoftTimeLimitExceeded, IntegrityError) as error:
            again = _("Something changed meanwhile. Try once more.")
            self._end(row, step.running, step.refused, error.message if isinstance(error, DomainError) else again)
        except (OperationalError, InterfaceError) as error:  # the database went away: the next sweep starts it again
            logger.warning("%s %d: %s", self.model.__name__, row.pk, type(error).__name__)
        except Exception as error:
            error_record(source=f"imports.{self.model.__name__}", error=error)
            sentence = _("An unexpected error stopped this; nothing was changed. It is in the list of errors.")
            self._end(row, step.running, step.refused, sentence)

    def _end(self, row: Any, running: str, to: str, error: object) -> None:
        is_over = not self.moves[to]
        over: dict[str, Any] = {"finished_at": clock.now(), **self.over} if is_over else {}
        transition_set(
            self.model._default_manager.filter(pk=row.pk, status=running),
            to=to, allowed=self.moves, error=str(error)[:500], heartbeat_at=None, is_cancel_requested=False, **over,
        )  # fmt: skip

    def resume(self, now: datetime) -> int:
        """Start what a lost kick or a killed worker left behind: its transaction is gone, so it simply starts again."""
        rows = self.model._default_manager
        silent = Q(heartbeat_at__lt=now - LEASE)
        for waiting, step in self.steps.items():
            transition_set(rows.filter(silent, status=step.running), to=waiting, allowed=self.moves)
        late = Q(created_at__lt=now - QUEUE_GRACE) & (Q(heartbeat_at=None) | Q(heartbeat_at__lt=now - QUEUE_GRACE))
        ids = list(rows.filter(late, status__in=list(self.steps)).order_by("pk").values_list("pk", flat=True))
        for row_id in ids:
            self.wake(row_id)
        return len(ids)
