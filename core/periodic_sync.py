"""Declared jobs (`core.periodic`) into the tables of django-celery-beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from core import periodic

OURS = "Declared in code (manage.py sync_periodic)."
"""The mark in `description` of the rows we made; only those are ever changed or removed."""


@dataclass
class PeriodicSynced:
    made: int = 0
    changed: int = 0
    removed: int = 0
    same: int = 0


@transaction.atomic
def periodic_sync() -> PeriodicSynced:
    """Idempotent. Whether a job is enabled stays as a person set it; everything else follows the code.

    A message expires with its period: after an hour without workers one run is enough, not two hundred.
    """
    result = PeriodicSynced()
    wanted = {job.task: job for job in periodic.jobs()}
    ours = {row.name: row for row in PeriodicTask.objects.filter(description=OURS)}
    for name, row in ours.items():
        if name not in wanted:
            row.delete()
            result.removed += 1
    for name, job in wanted.items():
        fields = {
            "task": job.task, "interval": _interval(job.every_seconds), "queue": job.queue,
            "expire_seconds": job.every_seconds, "description": OURS, "crontab": None, "args": "[]", "kwargs": "{}",
        }  # fmt: skip
        row = ours.get(name) or PeriodicTask.objects.filter(name=name).first()
        if row is None:
            PeriodicTask.objects.create(name=name, **fields)
            result.made += 1
        elif _differs(row, fields):
            for key, value in fields.items():
                setattr(row, key, value)
            row.save()  # tells a running beat to read its table again
            result.changed += 1
        else:
            result.same += 1
    return result


def _differs(row: Any, fields: dict[str, Any]) -> bool:
    return any(getattr(row, key) != value for key, value in fields.items())


def _interval(seconds: int) -> Any:
    """One row per period; the table has no unique constraint, so the oldest of equal ones is taken."""
    found = IntervalSchedule.objects.filter(every=seconds, period=IntervalSchedule.SECONDS).order_by("pk").first()
    return found or IntervalSchedule.objects.create(every=seconds, period=IntervalSchedule.SECONDS)
