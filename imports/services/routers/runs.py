"""The life of taking over a router: read, checked, applied when a person says so, undone when he wants it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.services.adopting import billed_until_check
from core import clock
from core.db.transition import transition
from core.errors import DomainError, TransitionError
from core.events import emit
from core.kick import kick
from core.staff_events import StaffActed
from imports.choices import ROUTER_IMPORT_MOVES, LoginUse, RouterImportStatus, Subject, Verdict
from imports.models import RouterImport, RouterImportProfile, RouterImportRow
from imports.services.routers.applying import router_apply
from imports.services.routers.checking import adopted_count, router_check
from imports.services.routers.choosing import choice_change
from imports.services.routers.undoing import router_undo, undo_check
from imports.services.stepping import Step, Stepping
from locations.choices_configs import BackupReason
from locations.models import Location
from locations.selectors import locations_visible_to
from locations.services import config_backup_wanted

RUNNING = frozenset({RouterImportStatus.CHECKING, RouterImportStatus.APPLYING, RouterImportStatus.UNDOING})


@transaction.atomic
def router_import_start(
    *, location: Location, actor: User | None, ip: str | None = None, request_key: str
) -> RouterImport:
    """Have the router read; nothing else changes. The same `request_key` is the same reading.

    Its configuration is backed up meanwhile: as it is before anything of it is ours.

    Raises DomainError when the router is being taken over already, or the location is not this person's.
    """
    if actor is not None and not locations_visible_to(actor).filter(pk=location.pk).exists():
        message = _("There is no such location among yours.")
        raise DomainError("import.location", message, fields={"location": message}, status=404)
    if known := RouterImport.objects.filter(request_key=request_key).first():
        return known
    try:
        with transaction.atomic():
            run = RouterImport.objects.create(location=location, created_by=actor, request_key=request_key)
    except IntegrityError:
        message = _("This router is being taken over already. Finish or cancel that first.")
        raise DomainError("import.open", message, fields={"location": message}, status=409) from None
    config_backup_wanted(location, BackupReason.IMPORT, now=clock.now(), actor=actor)
    _acted(run, "started", actor, ip)
    _wake(run.pk)
    return run


@transaction.atomic
def router_import_choose(
    run: RouterImport,
    *,
    choices: Mapping[int, Mapping[str, Any]] | None = None,
    billed_from: date | None = None,
    is_sales_wanted: bool | None = None,
    actor: User | None,
    ip: str | None = None,
) -> None:
    """Decide about profiles (by id), the first day to bill and the old sales; then every row is judged anew.

    Raises DomainError naming the fields that are wrong (`<profile id>-<field>`); nothing is changed then.
    """
    run = _locked(run)
    problems: dict[str, str] = {}
    rows = {row.pk: row for row in RouterImportProfile.objects.filter(run=run).select_related("plan")}
    for pk, values in (choices or {}).items():
        if pk not in rows:
            raise DomainError(
                "import.choice", _("The router was read again meanwhile. Look at the new list."), status=409
            )
        try:
            choice_change(rows[pk], **values)
        except DomainError as error:
            problems |= {f"{pk}-{name}": str(text) for name, text in error.fields.items()}
    problems |= _twice(rows.values())
    if billed_from is not None:
        try:
            billed_until_check(billed_from, clock.local_date(run.location.timezone, clock.now()))
        except DomainError as error:
            problems |= {name: str(text) for name, text in error.fields.items()}
    if problems:
        raise DomainError("import.choice", _("Please correct the marked fields."), fields=problems)
    RouterImportProfile.objects.bulk_update(
        rows.values(), ["use", "plan", "plan_name", "price_sell", "price_cost", "duration_seconds"]
    )
    more: dict[str, Any] = {} if is_sales_wanted is None else {"is_sales_wanted": is_sales_wanted}
    more |= {} if billed_from is None else {"billed_from": billed_from}
    _move(run.pk, RouterImportStatus.QUEUED, done=0, error="", **more)
    _acted(run, "chosen", actor, ip)
    _wake(run.pk)


def _twice(rows: Any) -> dict[str, str]:
    """Two new plans of one name."""
    problems, seen = {}, set()
    for row in rows:
        if row.use == LoginUse.LEAVE or row.plan_id is not None:
            continue
        if row.plan_name.casefold() in seen:
            problems[f"{row.pk}-plan_name"] = _("Two new plans cannot have the same name.")
        seen.add(row.plan_name.casefold())
    return problems


@transaction.atomic
def router_import_again(run: RouterImport, *, actor: User | None, ip: str | None = None) -> None:
    """Read the router once more, its configuration too; choices are proposed anew."""
    _move(run.pk, RouterImportStatus.QUEUED, done=0, error="", is_read=False)
    config_backup_wanted(run.location, BackupReason.IMPORT, now=clock.now(), actor=actor)
    _acted(run, "read_again", actor, ip)
    _wake(run.pk)


@transaction.atomic
def router_import_apply(run: RouterImport, *, actor: User | None, ip: str | None = None) -> None:
    """Have it taken over as announced. Raises DomainError when nothing would be, or the first day to bill is missing."""
    run = _locked(run)
    if not adopted_count(run.counts):
        raise DomainError("import.empty", _("Nothing would be taken over. Choose what the profiles become."))
    if run.billed_from is None and services_wanted(run):
        message = _("Write the first day to bill: services of customers need one.")
        raise DomainError("import.billed_from", message, fields={"billed_from": message})
    if run.billed_from is not None:
        billed_until_check(run.billed_from, clock.local_date(run.location.timezone, clock.now()))
    _move(run.pk, RouterImportStatus.WAITING, done=0, error="", is_cancel_requested=False)
    _acted(run, "applied", actor, ip)
    _wake(run.pk)


def services_wanted(run: RouterImport) -> bool:
    """Some of its logins become services of customers."""
    rows = RouterImportRow.objects.filter(run=run, verdict=Verdict.ADOPT, reason__startswith="service")
    return rows.filter(subject__in=[Subject.USER, Subject.SECRET]).exists()


@transaction.atomic
def router_import_undo(run: RouterImport, *, actor: User | None, ip: str | None = None) -> None:
    """Have everything that was made removed again; what moved on since stays. The router keeps all as it is."""
    run = _locked(run)
    undo_check(run)
    try:
        with transaction.atomic():
            _move(run.pk, RouterImportStatus.UNDO_WAITING, done=0, error="", is_cancel_requested=False)
    except IntegrityError:
        message = _("This router is being taken over once more. Finish or cancel that first.")
        raise DomainError("import.open", message, status=409) from None
    _acted(run, "undone", actor, ip)
    _wake(run.pk)


@transaction.atomic
def router_import_cancel(run: RouterImport, *, actor: User | None, ip: str | None = None) -> None:
    """Stop it. What waits or was checked is cancelled at once; running work stops at its next step and leaves nothing."""
    run = _locked(run)
    if run.status in RUNNING:
        RouterImport.objects.filter(pk=run.pk).update(is_cancel_requested=True)
    elif run.status == RouterImportStatus.UNDO_WAITING:
        _move(run.pk, RouterImportStatus.APPLIED)
    else:
        _move(run.pk, RouterImportStatus.CANCELLED, finished_at=clock.now())
        RouterImportRow.objects.filter(run=run).delete()  # passwords and people of a router that is not taken over
    _acted(run, "cancelled", actor, ip)


def router_import_work(run_id: int) -> None:
    """Do what it waits for. Returns silently when another worker has it. Must not run inside a transaction."""
    _STEPPING.step(run_id)


def router_imports_resume(*, now: datetime | None = None) -> int:
    """Start what a lost kick or a killed worker left behind, and forget the rows of what was given up."""
    given_up = [RouterImportStatus.CANCELLED, RouterImportStatus.FAILED]
    RouterImportRow.objects.filter(run__in=RouterImport.objects.filter(status__in=given_up)).delete()
    return _STEPPING.resume(now or clock.now())


def _locked(run: RouterImport) -> RouterImport:
    return RouterImport.objects.select_related("location").select_for_update(of=("self",)).get(pk=run.pk)


def _wake(run_id: int) -> None:
    kick("imports.tasks.router_import_work", run_id, queue="batches", expires_seconds=30)


def _move(run_id: int, to: str, **changes: Any) -> None:
    try:
        transition(RouterImport.objects.filter(pk=run_id), to=to, allowed=ROUTER_IMPORT_MOVES, **changes)
    except TransitionError:
        raise TransitionError(_("This import is not at a point where that is possible."), code="import.state") from None


def _acted(run: RouterImport, action: str, actor: User | None, ip: str | None) -> None:
    details = {"import": run.pk, "location": run.location_id, "rows": run.total}
    emit(StaffActed(actor.pk if actor else None, f"routerimport.{action}", details, ip))


_STEPPING = Stepping(
    RouterImport,
    ROUTER_IMPORT_MOVES,
    {
        RouterImportStatus.QUEUED: Step(
            RouterImportStatus.CHECKING, RouterImportStatus.CANCELLED, RouterImportStatus.FAILED, router_check
        ),
        RouterImportStatus.WAITING: Step(
            RouterImportStatus.APPLYING, RouterImportStatus.CHECKED, RouterImportStatus.CHECKED, router_apply
        ),
        RouterImportStatus.UNDO_WAITING: Step(
            RouterImportStatus.UNDOING, RouterImportStatus.APPLIED, RouterImportStatus.APPLIED, router_undo
        ),
    },
    _wake,
)
