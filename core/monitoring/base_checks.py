"""The checks of the kernel: database, migrations, broker, disk, background work, recorded errors."""

from __future__ import annotations

import shutil
from datetime import timedelta

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from kombu.exceptions import OperationalError

from core.clock import now
from core.models import ErrorRecord, JobRun
from core.monitoring import checks, jobs, queues
from core.monitoring.checks import CheckResult

LEAST_FREE_BYTES = 500 * 1024 * 1024
LONGEST_QUEUE_AGE = timedelta(minutes=2)
_migrated: list[bool] = []  # applied migrations cannot become unapplied under a running process of the same code


def register_all() -> None:
    register = checks.register
    register("core.database", gettext_lazy("Database"), database_check, is_ready=True, is_critical=True)
    register("core.migrations", gettext_lazy("Database structure"), migrations_check, is_ready=True, is_critical=True)
    register("core.broker", gettext_lazy("Message broker"), broker_check, is_ready=True, is_critical=True)
    register("core.disk", gettext_lazy("Disk space"), disk_check, is_ready=True, is_critical=True)
    register("core.workers", gettext_lazy("Background work"), workers_check, is_ready=True)
    register("core.jobs", gettext_lazy("Periodic jobs"), jobs_check, is_ready=True)
    register("core.queues", gettext_lazy("Waiting messages"), queues_check)
    register("core.errors", gettext_lazy("Errors of the last day"), errors_check)


def database_check() -> CheckResult:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return CheckResult(False, _("The database does not answer. Is PostgreSQL running, and is DATABASE_URL right?"))
    return CheckResult(True, _("The database answers."))


def migrations_check() -> CheckResult:
    if not _migrated:
        try:
            executor = MigrationExecutor(connection)
            missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except (DatabaseError, InterfaceError):
            return CheckResult(False, _("Unknown while the database does not answer."))
        if missing:
            text = _("%(n)d database changes are not applied. Run `manage.py migrate`.")
            return CheckResult(False, text % {"n": len(missing)})
        _migrated.append(True)
    return CheckResult(True, _("Fits this version."))


def broker_check() -> CheckResult:
    """Opens a connection of its own: a kept one may look alive after the broker has gone."""
    try:
        with current_app.connection_for_write(connect_timeout=2) as broker:
            broker.ensure_connection(max_retries=0, timeout=2)
            queues.ping(broker)
    except (OperationalError, OSError):
        return CheckResult(
            False, _("The message broker does not answer. Work still gets done by the sweeps, but later.")
        )
    return CheckResult(True, _("The message broker answers."))


def disk_check() -> CheckResult:
    folder = next(path for path in (settings.VAR_DIR, *settings.VAR_DIR.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    text = _("%(free)d MB free in %(folder)s.") % {"free": free // 1024 // 1024, "folder": folder}
    if free < LEAST_FREE_BYTES:
        return CheckResult(False, text + " " + _("Make room: without it nothing can be stored."))
    return CheckResult(True, text)


def workers_check() -> CheckResult:
    """The heartbeat goes beat → broker → worker → database: while it is young, all four work."""
    age = jobs.heartbeat_age()
    if age is None:
        return CheckResult(False, _("No heartbeat yet. Are beat and a worker running?"))
    seconds = {"n": round(age.total_seconds())}
    if age > jobs.HEARTBEAT_LATE:
        return CheckResult(False, _("The last heartbeat is %(n)d s old. Beat or the workers do not run.") % seconds)
    return CheckResult(True, _("Last heartbeat %(n)d s ago.") % seconds)


def jobs_check() -> CheckResult:
    late, failed = jobs.late_jobs(), JobRun.objects.filter(is_ok=False).order_by("pk").values_list("pk", flat=True)
    parts = []
    if late:
        parts.append(_("Late: %(names)s.") % {"names": ", ".join(late)})
    if failed:
        parts.append(_("Failed last time: %(names)s.") % {"names": ", ".join(failed)})
    return CheckResult(not parts, " ".join(parts) or _("All ran on time."))


def queues_check() -> CheckResult:
    states = queues.queue_states()
    old = [state for state in states if state.age_seconds > LONGEST_QUEUE_AGE.total_seconds()]
    if old:
        names = ", ".join(f"{state.name} ({round(state.age_seconds)} s)" for state in old)
        return CheckResult(False, _("Messages wait too long: %(names)s. Is a worker missing?") % {"names": names})
    return CheckResult(True, _("%(n)d messages wait.") % {"n": sum(state.depth for state in states)})


def errors_check() -> CheckResult:
    count = ErrorRecord.objects.filter(last_at__gt=now() - timedelta(days=1)).count()
    if count:
        return CheckResult(False, _("%(n)d kinds of errors; see the list of errors.") % {"n": count})
    return CheckResult(True, _("None."))
