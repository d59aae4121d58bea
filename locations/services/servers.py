"""Planning a hotspot or PPPoE server, confirming the plan, taking it back. Nothing is ever applied without a person."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.db.transition import transition
from core.errors import DomainError
from core.staff_events import StaffActed
from locations.choices_configs import BackupReason
from locations.choices_servers import PLAN_MOVES, PLAN_OPEN, PlanStatus
from locations.models import Location, ServerPlan
from locations.server_plans import Answers, Facts, facts_hash, plan, problems
from locations.services.asking import router_ask
from locations.services.configs import config_backup_wanted
from locations.services.kicks import kick_locations
from locations.sync.server_plan import facts_read

FACTS_SECONDS = 20.0


def server_facts(location: Location) -> Facts:
    """What the router has now, asked just now. Never inside a transaction. Raises AskError."""
    with router_ask(location, seconds=FACTS_SECONDS) as client:
        return facts_read(client)


def server_plan_make(
    location: Location, answers: Answers, *, now: datetime, actor: User | None, ip: str | None = None
) -> ServerPlan:
    """The commands for these answers, to be reviewed. Raises DomainError with one sentence per field."""
    facts = server_facts(location)
    found = problems(answers, facts)
    if found:
        raise DomainError("server.problems", _("Please correct the marked fields."), found)
    with transaction.atomic():
        row = ServerPlan.objects.create(
            location=location, kind=answers.kind, answers=asdict(answers), facts_hash=facts_hash(facts),
            steps=[step.as_json() for step in plan(answers)], created_at=now, created_by=actor,
        )  # fmt: skip
        _acted(row, "server.planned", actor, ip)
    return row


@transaction.atomic
def server_plan_confirm(
    row: ServerPlan, *, needs_backup: bool, now: datetime, actor: User | None, ip: str | None = None
) -> ServerPlan:
    """A person read the commands and wants them. The configuration is backed up first; then the writer applies them."""
    _refuse_second(row)
    backup = config_backup_wanted(row.location, BackupReason.WIZARD, now=now, actor=actor)
    changes = {"confirmed_at": now, "confirmed_by": actor, "backup": backup, "needs_backup": needs_backup}
    _move(row, PlanStatus.CONFIRMED, **changes)
    _acted(row, "server.confirmed", actor, ip)
    kick_locations([row.location_id], is_forced=True)
    return row


@transaction.atomic
def server_plan_undo(row: ServerPlan, *, actor: User | None, ip: str | None = None) -> ServerPlan:
    """Take back what was done, backwards."""
    _refuse_second(row)
    _move(row, PlanStatus.UNDOING, undo_by=actor, finished_at=None, router_words="")
    _acted(row, "server.undone", actor, ip)
    kick_locations([row.location_id], is_forced=True)
    return row


@transaction.atomic
def server_plan_discard(row: ServerPlan, *, now: datetime, actor: User | None, ip: str | None = None) -> None:
    _move(row, PlanStatus.DISCARDED, finished_at=now)
    _acted(row, "server.discarded", actor, ip)


def _refuse_second(row: ServerPlan) -> None:
    if ServerPlan.objects.filter(location=row.location_id, status__in=PLAN_OPEN).exclude(pk=row.pk).exists():
        raise DomainError("server.busy", _("Another plan is on its way to this router."), status=409)


def _move(row: ServerPlan, to: PlanStatus, **changes: object) -> None:
    try:
        with transaction.atomic():
            transition(ServerPlan.objects.filter(pk=row.pk), to=to, allowed=PLAN_MOVES, field="status", **changes)
    except IntegrityError:  # the unique index decides between two at once
        raise DomainError("server.busy", _("Another plan is on its way to this router."), status=409) from None


def _acted(row: ServerPlan, action: str, actor: User | None, ip: str | None) -> None:
    steps = [{"menu": step["menu"], "find": step["find"], "sent": step["is_sent"]} for step in row.steps]
    details = {"location": row.location_id, "plan": row.pk, "kind": row.kind, "steps": steps}
    events.emit(StaffActed(actor.pk if actor else None, action, details, ip))
