"""Periodic jobs: declared once in code, synced into the beat's tables by `manage.py sync_periodic`, each with its last run.

A missed run heals: every job works on what is due, not on what happened since the last tick. Messages
expire with their period, so a broker that was down does not replay an hour of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

from core.clock import now
from core.models import JobRun


@dataclass(frozen=True)
class Job:
    task: str
    every_seconds: int
    queue: str


_jobs: dict[str, Job] = {}


def declare_job(task: str, *, every_seconds: int, queue: str = "celery") -> None:
    _jobs[task] = Job(task, every_seconds, queue)


def jobs() -> list[Job]:
    return [_jobs[name] for name in sorted(_jobs)]


@contextmanager
def job_run(name: str) -> Iterator[list[str]]:
    """Record start, end and outcome of a job; append a line to what it yields to say what was done."""
    JobRun.objects.update_or_create(pk=name, defaults={"started_at": now(), "is_ok": None})
    outcome: list[str] = []
    try:
        yield outcome
    except Exception as error:
        JobRun.objects.filter(pk=name).update(finished_at=now(), is_ok=False, outcome=type(error).__name__)
        raise
    JobRun.objects.filter(pk=name).update(finished_at=now(), is_ok=True, outcome="; ".join(outcome)[:500])


def recorded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for a periodic task's body: records the run under the function's dotted name."""
    name = f"{function.__module__.split('.')[0]}.{function.__name__}"

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with job_run(name) as outcome:
            result = function(*args, **kwargs)
            if result is not None:
                outcome.append(str(result))
            return result

    return run
