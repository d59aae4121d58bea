"""The life of an import: uploaded, checked in the background, applied when a person says so. Safe to call again at any time."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from core import clock
from core.db.progress import Cancelled, LeaseLost, Progress
from core.db.side import side_connection
from core.db.transition import transition, transition_set
from core.error_log import error_record
from core.errors import DomainError, TransitionError
from core.events import emit
from core.kick import kick
from core.staff_events import StaffActed
from imports.choices import IMPORT_MOVES, ImportStatus
from imports.models import MAX_BYTES, ImportRow, ImportRun
from imports.services.applying import customers_apply
from imports.services.checking import customers_check
from locations.models import Location

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
QUEUE_GRACE = timedelta(seconds=20)
# waits → works → what it was before, should the work be stopped or refused
STEPS = {
    ImportStatus.QUEUED: (ImportStatus.CHECKING, ImportStatus.CANCELLED),
    ImportStatus.WAITING: (ImportStatus.APPLYING, ImportStatus.CHECKED),
}


@transaction.atomic
def import_start(
    *,
    content: bytes,
    filename: str,
    actor: User | None,
    ip: str | None = None,
    request_key: str,
    location: Location | None = None,
    is_unknown_ignored: bool = False,
    is_phone_shared: bool = False,
) -> ImportRun:
    """Keep the file and have it checked; nothing else changes. The same `request_key` is the same import."""
    if not content:
        raise _refused(_("The file is empty."))
    if len(content) > MAX_BYTES:
        raise _refused(_("The file is larger than %(n)d MB.") % {"n": MAX_BYTES // 1024 // 1024})
    run, is_new = ImportRun.objects.get_or_create(
        request_key=request_key,
        defaults={
            "content": content, "filename": filename[-200:], "sha256": hashlib.sha256(content).hexdigest(),
            "location": location, "is_unknown_ignored": is_unknown_ignored, "is_phone_shared": is_phone_shared,
            "created_by": actor,
        },
    )  # fmt: skip
    if is_new:
        _acted(run, "import.started", actor, ip)
        _wake(run.pk)
    return run


@transaction.atomic
def import_apply(run: ImportRun, *, actor: User | None, ip: str | None = None) -> None:
    """Have a checked file applied. Raises DomainError while it has problems, TransitionError when it is not checked."""
    run = ImportRun.objects.defer("content").select_for_update().get(pk=run.pk)
    if run.problem_count:
        raise DomainError(
            "import.has_problems", _("Mend the problems in the file and bring it again. Nothing was changed.")
        )
    if not run.total:
        raise DomainError("import.empty", _("The file has no customers."))
    _move(run.pk, ImportStatus.WAITING, done=0, error="", is_cancel_requested=False)
    _acted(run, "import.applied", actor, ip)
    _wake(run.pk)


@transaction.atomic
def import_cancel(run: ImportRun, *, actor: User | None, ip: str | None = None) -> None:
    """Stop it. What waits or was checked is cancelled at once; running work stops at its next step and leaves nothing."""
    run = ImportRun.objects.defer("content").select_for_update().get(pk=run.pk)
    if run.status in {ImportStatus.CHECKING, ImportStatus.APPLYING}:
        ImportRun.objects.filter(pk=run.pk).update(is_cancel_requested=True)
    else:
        _move(run.pk, ImportStatus.CANCELLED, finished_at=clock.now(), content=None)
        ImportRow.objects.filter(run=run).delete()
    _acted(run, "import.cancelled", actor, ip)


def import_work(run_id: int) -> None:
    """Do what the import waits for. Returns silently when another worker has it. Must not run inside a transaction."""
    found = ImportRun.objects.filter(pk=run_id).values_list("status", flat=True).first()
    if found not in STEPS:
        return
    running, before = STEPS[ImportStatus(found)]
    lease = clock.now()
    claimed = ImportRun.objects.filter(pk=run_id, status=found).update(
        status=running, heartbeat_at=lease, done=0, error="", is_cancel_requested=False
    )
    if claimed:
        _work(ImportRun.objects.get(pk=run_id), running, before, lease)


def _work(run: ImportRun, running: ImportStatus, before: ImportStatus, lease: datetime) -> None:
    try:
        with side_connection() as side:
            progress = Progress(side, run, running, lease)
            (customers_check if running == ImportStatus.CHECKING else customers_apply)(run, progress)
    except LeaseLost:
        logger.warning("import %d was taken over by another worker", run.pk)
    except Cancelled:
        _end(run, running, before, "")
    except (DomainError, SoftTimeLimitExceeded, IntegrityError) as error:
        sentence = error.message if isinstance(error, DomainError) else _("Something changed meanwhile. Try once more.")
        _end(run, running, ImportStatus.FAILED if running == ImportStatus.CHECKING else before, sentence)
    except (OperationalError, InterfaceError) as error:  # the database went away: the next sweep starts it again
        logger.warning("import %d: %s", run.pk, type(error).__name__)
    except Exception as error:
        error_record(source="imports.import_work", error=error)
        sentence = _("An unexpected error stopped this; nothing was changed. It is in the list of errors.")
        _end(run, running, ImportStatus.FAILED if running == ImportStatus.CHECKING else before, sentence)


def _end(run: ImportRun, running: str, to: str, error: str) -> None:
    is_over = to in {ImportStatus.CANCELLED, ImportStatus.FAILED}
    over: dict[str, Any] = {"finished_at": clock.now(), "content": None} if is_over else {}
    transition_set(
        ImportRun.objects.filter(pk=run.pk, status=running),
        to=to, allowed=IMPORT_MOVES, error=str(error)[:500], heartbeat_at=None, is_cancel_requested=False, **over,
    )  # fmt: skip


def imports_resume(*, now: datetime | None = None) -> int:
    """Start what a lost kick or a killed worker left behind. A killed apply left nothing, so it simply starts again."""
    now = now or clock.now()
    silent = Q(heartbeat_at__lt=now - LEASE)
    for waiting, (running, _before) in STEPS.items():
        transition_set(ImportRun.objects.filter(silent, status=running), to=waiting, allowed=IMPORT_MOVES)
    late = Q(created_at__lt=now - QUEUE_GRACE) & (Q(heartbeat_at=None) | Q(heartbeat_at__lt=now - QUEUE_GRACE))
    ids = list(ImportRun.objects.filter(late, status__in=STEPS).order_by("pk").values_list("pk", flat=True))
    for run_id in ids:
        _wake(run_id)
    return len(ids)


def _wake(run_id: int) -> None:
    kick("imports.tasks.import_work", run_id, queue="batches", expires_seconds=30)


def _move(run_id: int, to: str, **changes: Any) -> None:
    try:
        transition(ImportRun.objects.filter(pk=run_id), to=to, allowed=IMPORT_MOVES, **changes)
    except TransitionError:
        raise TransitionError(_("This import is not at a point where that is possible."), code="import.state") from None


def _refused(message: str) -> DomainError:
    return DomainError("import.file", message, fields={"file": message})


def _acted(run: ImportRun, action: str, actor: User | None, ip: str | None) -> None:
    details = {"import": run.pk, "file": run.filename, "rows": run.total}
    emit(StaffActed(actor.pk if actor else None, action, details, ip))
