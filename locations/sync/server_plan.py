"""The writer's step of a confirmed server plan: one command, read back, the next; or its undo, backwards.

That a command is about to be sent is committed before it: after a broken link the router is asked whether it has it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from core.db.transition import transition
from locations.choices_configs import BackupReason, BackupStatus
from locations.choices_servers import PLAN_MOVES, PLAN_OPEN, PlanStatus
from locations.models import ConfigBackup, ServerPlan
from locations.routeros.client import RouterClient, Row
from locations.routeros.errors import RouterTrap
from locations.server_plans import READ, Facts, Step, facts_hash, steps_of

THERE, OTHERWISE, CHANGED, STAYS, NO_BACKUP = "there", "otherwise", "changed", "stays", "no_backup"
"""Our own reasons of stopping, kept in `router_words` with an `=` before; `words_servers` makes sentences of them."""


class _Stop(Exception):
    def __init__(self, words: str):
        super().__init__(words)
        self.words = words


def plan_due(location_id: int) -> ServerPlan | None:
    """The plan on its way, once the backup before it has been tried."""
    row = ServerPlan.objects.filter(location_id=location_id, status__in=PLAN_OPEN).select_related("backup").first()
    if row is None or (row.status == PlanStatus.CONFIRMED and row.backup and row.backup.status == BackupStatus.WAITING):
        return None
    return row


def facts_read(client: RouterClient) -> Facts:
    """What plans are made from; a menu that this router lacks is empty."""
    return {menu: _rows(client, menu) for menu in READ}


def _rows(client: RouterClient, menu: str) -> list[Row]:
    try:
        return client.print(menu, (*READ[menu], "dynamic"))
    except RouterTrap as trap:
        if trap.is_permission:
            raise
        return []


def plan_work(row: ServerPlan, client: RouterClient, now: datetime, confirm: Callable[[], None]) -> None:
    """Go on with it until it is done or stops. A broken link passes through: the next run goes on."""
    steps = steps_of(row.steps)
    work = _Work(row, steps, client, now, confirm)
    try:
        end = work.apply() if row.status == PlanStatus.CONFIRMED else work.undo()
        work.finish(end, "")
    except _Stop as stop:
        work.finish(PlanStatus.FAILED, stop.words)
    except RouterTrap as trap:
        work.finish(PlanStatus.FAILED, trap.words)


class _Work:
    def __init__(
        self, row: ServerPlan, steps: list[Step], client: RouterClient, now: datetime, confirm: Callable[[], None]
    ):
        self.row, self.steps, self.client, self.now, self.confirm = row, steps, client, now, confirm

    def apply(self) -> PlanStatus:
        if self.row.needs_backup and (self.row.backup is None or self.row.backup.status != BackupStatus.TAKEN):
            raise _Stop(f"={NO_BACKUP}")
        is_begun = any(step.is_sent for step in self.steps)
        if not is_begun and facts_hash(facts_read(self.client)) != self.row.facts_hash:
            return PlanStatus.STALE
        for step in self.steps:
            if not step.router_id:
                self._add(step)
        return PlanStatus.DONE

    def _add(self, step: Step) -> None:
        found = self._found(step)
        if found and not step.is_sent:
            raise _Stop(f"={THERE}")
        if not found:
            step.is_sent = True
            self._save()
            try:
                self.client.call(f"{step.menu}/add", step.words)
            except RouterTrap as trap:
                step.is_sent, step.answer = False, trap.words[:500]
                self._save()
                raise
            found = self._found(step)
        if len(found) != 1 or not is_as_sent(step, found[0]):
            step.answer = f"={OTHERWISE}"
            self._save()
            raise _Stop(f"={OTHERWISE}")
        step.router_id = found[0].get(".id", "")[:16] or "?"
        self._save()

    def undo(self) -> PlanStatus:
        """Backwards, and only what is still as it was written."""
        for step in reversed(self.steps):
            if not step.is_sent or step.is_undone:
                continue
            for found in self._found(step):
                if not is_as_sent(step, found):
                    raise _Stop(f"={CHANGED}")
                self.client.call(f"{step.menu}/remove", {".id": found.get(".id", "")})
            if self._found(step):
                raise _Stop(f"={STAYS}")
            step.is_undone = True
            self._save()
        return PlanStatus.UNDONE

    def _found(self, step: Step) -> list[Row]:
        rows = self.client.print(step.menu, (), step.find)
        return [row for row in rows if row.get("dynamic") != "true"]

    @transaction.atomic
    def _save(self) -> None:
        self.confirm()
        ServerPlan.objects.filter(pk=self.row.pk).update(steps=[step.as_json() for step in self.steps])

    @transaction.atomic
    def finish(self, to: PlanStatus, words: str) -> None:
        self.confirm()
        rows = ServerPlan.objects.filter(pk=self.row.pk)
        changes: dict[str, Any] = {"finished_at": self.now, "router_words": words[:500]}
        transition(rows, to=to, allowed=PLAN_MOVES, **changes)
        if any(step.is_sent for step in self.steps):  # what we changed is no change by others
            ConfigBackup.objects.get_or_create(
                location_id=self.row.location_id, status=BackupStatus.WAITING,
                defaults={"reason": BackupReason.AFTER, "requested_at": self.now},
            )  # fmt: skip


def is_as_sent(step: Step, found: Row) -> bool:
    """The router has every word as it was sent; lists in any order, `yes` as `true`."""
    return all(_same(value, found.get(name, "")) for name, value in step.words.items())


def _same(sent: str, found: str) -> bool:
    spelled = {"yes": "true", "no": "false"}
    return sorted(spelled.get(part, part) for part in sent.split(",")) == sorted(
        spelled.get(part, part) for part in found.split(",")
    )
