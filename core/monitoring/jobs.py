"""Ages of periodic jobs, from their recorded runs (`core.periodic.JobRun`)."""

from __future__ import annotations

from datetime import timedelta

from core import periodic
from core.clock import now
from core.installation import installation
from core.models import JobRun

HEARTBEAT = "core.tasks.heartbeat"
HEARTBEAT_SECONDS = 20
HEARTBEAT_LATE = timedelta(seconds=90)
LEAST_GRACE = timedelta(minutes=2)


def run_name(task: str) -> str:
    """The JobRun name of a declared task: `vouchers.tasks.vouchers_expire` runs as `vouchers.vouchers_expire`."""
    return task.replace(".tasks.", ".")


def heartbeat_age() -> timedelta | None:
    """How long ago a message last went from beat through broker and worker into the database; None: never."""
    finished = JobRun.objects.filter(pk=run_name(HEARTBEAT)).values_list("finished_at", flat=True).first()
    return None if finished is None else now() - finished


def job_ages() -> dict[str, float]:
    """Seconds since each declared job last ended; since the installation for one that never ran."""
    ended = dict(JobRun.objects.values_list("pk", "finished_at"))
    start = installation().created_at
    return {job.task: (now() - (ended.get(run_name(job.task)) or start)).total_seconds() for job in periodic.jobs()}


def late_jobs() -> list[str]:
    """Declared jobs whose last end is older than three periods and two minutes."""
    ages = job_ages()
    return [
        job.task
        for job in periodic.jobs()
        if timedelta(seconds=ages[job.task]) > timedelta(seconds=3 * job.every_seconds) + LEAST_GRACE
    ]
