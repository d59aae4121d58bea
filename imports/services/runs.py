"""The life of an import: uploaded, checked in the background, applied when a person says so. Safe to call again at any time."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import clock
from core.db.transition import transition
from core.errors import DomainError, TransitionError
from core.events import emit
from core.kick import kick
from core.staff_events import StaffActed
from imports.choices import IMPORT_MOVES, ImportStatus
from imports.models import MAX_BYTES, ImportRow, ImportRun
from imports.services.applying import customers_apply
from imports.services.checking import customers_check
from imports.services.stepping import Step, Stepping
from locations.models import Location


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
    _STEPPING.step(run_id)


def imports_resume(*, now: datetime | None = None) -> int:
    """Start what a lost kick or a killed worker left behind. A killed apply left nothing, so it simply starts again."""
    return _STEPPING.resume(now or clock.now())


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


_STEPPING = Stepping(
    ImportRun,
    IMPORT_MOVES,
    {
        ImportStatus.QUEUED: Step(
            ImportStatus.CHECKING, ImportStatus.CANCELLED, ImportStatus.FAILED,
            lambda run, progress: customers_check(run, progress),
        ),
        ImportStatus.WAITING: Step(
            ImportStatus.APPLYING, ImportStatus.CHECKED, ImportStatus.CHECKED,
            lambda run, progress: customers_apply(run, progress),
        ),
    },
    _wake,
    {"content": None},
)  # fmt: skip
