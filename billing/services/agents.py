"""Agents: their login, and the deposit they sell against."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from accounts.services import user_create
from billing.choices import CASH_NAME, EntryKind
from billing.ledger import chart
from billing.ledger.posting import Line, entry_post
from billing.models import Agent, JournalEntry
from billing.services.amounts import amount_not_negative, amount_positive
from billing.services.cash import key_checked
from billing.services.drawers import drawer_enter, drawer_lock, in_drawer_check, shift_check
from billing.services.staff import staff_acted
from core.errors import DomainError
from core.formats import money
from core.money import quantise
from locations.models import Location

FIELDS = {"name", "phone", "location", "commission_percent", "credit_limit", "is_active"}


@transaction.atomic
def agent_create(
    *,
    username: str,
    password: str,
    name: str,
    actor: User | None,
    ip: str | None = None,
    phone: str = "",
    location: Location | None = None,
    commission_percent: Decimal | int | str = 0,
    credit_limit: Decimal | int | str = 0,
) -> Agent:
    """A new agent with a login of his own. Like every login it is made by a Super Admin (or the command line)."""
    user = user_create(username=username, password=password, role=Role.AGENT, actor=actor, ip=ip)
    agent = Agent(
        user=user, name=name.strip(), phone=phone.strip(), location=location,
        commission_percent=Decimal(commission_percent),
        credit_limit=amount_not_negative(credit_limit, field="credit_limit"),
    )  # fmt: skip
    _checked(agent)
    agent.save()
    staff_acted(actor, "agent.created", ip, agent=agent.pk, name=agent.name)
    return agent


@transaction.atomic
def agent_change(agent: Agent, *, actor: User | None, ip: str | None = None, **fields: Any) -> Agent:
    """Change what was agreed. Raises DomainError, also for a credit limit below what he owes already."""
    if unknown := sorted(set(fields) - FIELDS):
        raise TypeError(f"agent_change does not change {', '.join(unknown)}")
    fresh = agent_lock(agent.pk)
    if "credit_limit" in fields:
        fields["credit_limit"] = amount_not_negative(fields["credit_limit"], field="credit_limit")
        is_lower = fields["credit_limit"] < fresh.credit_limit
        if is_lower and fresh.balance < -fields["credit_limit"]:
            message = _("He owes %(amount)s already.") % {"amount": money(-fresh.balance)}
            raise DomainError("agent.limit", message, fields={"credit_limit": message})
    changed = {name: value for name, value in fields.items() if getattr(fresh, name) != value}
    before = {name: str(getattr(fresh, name)) for name in changed}
    for name, value in changed.items():
        setattr(fresh, name, value)
    _checked(fresh)
    if changed:
        fresh.save(update_fields=list(changed))
        after = {name: str(value) for name, value in changed.items()}
        staff_acted(actor, "agent.changed", ip, agent=fresh.pk, before=before, after=after)
    return fresh


def agent_lock(agent_id: int) -> Agent:
    """His row, alone: nobody else sells against this deposit now. Raises Agent.DoesNotExist."""
    return Agent.objects.select_for_update(of=("self",), no_key=True).get(pk=agent_id)


@transaction.atomic
def agent_deposit(
    agent: Agent, *, amount: Decimal | int | str, request_key: str, now: datetime, actor: User, ip: str | None = None
) -> JournalEntry:
    """Cash of an agent into the actor's drawer and onto his deposit. The same `request_key` counts once."""
    value = amount_positive(amount)
    drawer = drawer_enter(actor)
    return _move(agent, value, drawer, f"agent_deposit:{key_checked(request_key)}", now, actor, ip)


@transaction.atomic
def agent_pay_out(
    agent: Agent, *, amount: Decimal | int | str, request_key: str, now: datetime, actor: User, ip: str | None = None
) -> JournalEntry:
    """Give an agent money of his deposit back, out of the actor's drawer. Never more than his deposit, or the drawer."""
    value = amount_positive(amount)
    inside = drawer_lock(actor.pk)
    source = f"agent_payout:{key_checked(request_key)}"
    if known := JournalEntry.objects.filter(source=source).first():
        return known
    shift_check(actor)
    in_drawer_check(value, inside)
    if value > agent_lock(agent.pk).balance:
        message = _("His deposit is smaller than that. Nothing was changed.")
        raise DomainError("agent.deposit", message, fields={"amount": message})
    return _move(agent, -value, chart.cash(actor.pk), source, now, actor, ip)


def _move(
    agent: Agent, amount: Decimal, drawer: str, source: str, now: datetime, actor: User, ip: str | None
) -> JournalEntry:
    fresh = agent_lock(agent.pk)
    entry, is_new = entry_post(
        kind=EntryKind.AGENT_DEPOSIT, source=source, occurred_at=now, actor=actor, agent_id=fresh.pk,
        location_id=fresh.location_id, method=CASH_NAME, lines=[Line(drawer, amount), Line(chart.agent(fresh.pk), -amount)],
    )  # fmt: skip
    if is_new:
        verb = "deposited" if amount > 0 else "paid_out"
        staff_acted(actor, f"agent.{verb}", ip, agent=fresh.pk, amount=abs(amount), entry=entry.pk)
    return entry


def commission_of(agent: Agent, price: Decimal) -> Decimal:
    """What stays with the agent of one voucher's price."""
    return quantise(price * agent.commission_percent / 100)


def agent_of(user: User) -> Agent | None:
    """The agent behind a login; None for staff."""
    return Agent.objects.filter(user_id=user.pk).first() if user.role == Role.AGENT else None


def _checked(agent: Agent) -> None:
    try:
        agent.full_clean(exclude=["user"], validate_constraints=False)
    except ValidationError as error:
        fields = {name: " ".join(messages) for name, messages in error.message_dict.items()}
        raise DomainError("agent.invalid", " ".join(fields.values()), fields) from None
