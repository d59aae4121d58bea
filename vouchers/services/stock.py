"""Vouchers in agents' hands: issued to them, taken back. Set-based: a pile is one statement, however high."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.models import Agent
from billing.services.agents import agent_lock
from core.errors import DomainError
from vouchers.models import VoucherBatch
from vouchers.selectors import batches_visible_to
from vouchers.services.history import staff_acted
from vouchers.services.retry import deadlock_retried

# the lowest codes first, as they lie on the pile; those somebody is selling this moment are left alone
_ISSUE = """
WITH pile AS (
    SELECT id FROM vouchers_voucher WHERE batch_id = %(batch)s AND status = 'new' AND agent_id IS NULL
    ORDER BY id LIMIT %(quantity)s FOR NO KEY UPDATE SKIP LOCKED
), moved AS (
    UPDATE vouchers_voucher v SET agent_id = %(agent)s FROM pile WHERE v.id = pile.id RETURNING v.id
)
INSERT INTO vouchers_voucherevent (voucher_id, kind, at, actor_id, details)
SELECT id, 'issued', %(now)s, %(actor)s, jsonb_build_object('agent', %(agent)s, 'name', %(name)s::text) FROM moved
"""
_RETURN = """
WITH pile AS (
    SELECT id FROM vouchers_voucher WHERE batch_id = %(batch)s AND status = 'new' AND agent_id = %(agent)s
    ORDER BY id DESC LIMIT %(quantity)s FOR NO KEY UPDATE SKIP LOCKED
), moved AS (
    UPDATE vouchers_voucher v SET agent_id = NULL FROM pile WHERE v.id = pile.id RETURNING v.id
)
INSERT INTO vouchers_voucherevent (voucher_id, kind, at, actor_id, details)
SELECT id, 'returned', %(now)s, %(actor)s, jsonb_build_object('agent', %(agent)s, 'name', %(name)s::text) FROM moved
"""


def stock_issue(
    batch: VoucherBatch, agent: Agent, *, quantity: int, now: datetime, actor: User | None, ip: str | None = None
) -> int:
    """Give an agent `quantity` new vouchers of a batch. All or nothing (`stock.not_enough` says how many are left)."""
    if not agent.is_active:
        raise DomainError("agent.inactive", _("This agent does not sell any more."), fields={"agent": str(agent)})
    return _move(_ISSUE, "stock.issued", batch, agent, quantity, now, actor, ip)


def stock_return(
    batch: VoucherBatch, agent: Agent, *, quantity: int, now: datetime, actor: User | None, ip: str | None = None
) -> int:
    """Take `quantity` unsold vouchers of a batch back from an agent. All or nothing, like issuing."""
    return _move(_RETURN, "stock.returned", batch, agent, quantity, now, actor, ip)


@deadlock_retried
@transaction.atomic
def _move(
    statement: str, action: str, batch: VoucherBatch, agent: Agent, quantity: int, now: datetime, actor: User | None,
    ip: str | None,
) -> int:  # fmt: skip
    if actor is not None and not batches_visible_to(actor).filter(pk=batch.pk).exists():
        raise DomainError("batch.not_found", _("There is no such batch at your locations."), status=404)
    if quantity < 1:
        message = _("Write how many, at least 1.")
        raise DomainError("stock.quantity", message, fields={"quantity": message})
    fresh = agent_lock(agent.pk)
    values: dict[str, int | str | datetime | None] = {
        "batch": batch.pk, "agent": fresh.pk, "quantity": quantity, "now": now, "name": fresh.name,
        "actor": actor.pk if actor else None,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        moved = int(cursor.rowcount)
    if moved < quantity:
        message = _("Only %(n)d vouchers can be moved. Nothing was changed.") % {"n": moved}
        raise DomainError("stock.not_enough", message, fields={"quantity": message}, status=409)
    staff_acted(actor, action, ip, batch=batch.pk, name=batch.name, agent=fresh.pk, count=moved)
    return moved
