"""Writing entries. Sources are unique in the database: the same cause posts once, whoever asks, however often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import EntryKind
from billing.ledger import chart
from billing.models import JournalEntry, Posting
from core.errors import TransitionError
from core.money import quantise


@dataclass(frozen=True)
class Line:
    """One leg: debit positive, credit negative. `customer_id` is needed for receivable and wallet."""

    account: str
    amount: Decimal
    customer_id: int | None = None
    plan_id: int | None = None


@dataclass(frozen=True)
class Entry:
    """What to post. Lines of zero are dropped; the rest must sum to zero."""

    kind: str
    source: str
    lines: Sequence[Line]
    occurred_at: datetime
    actor_id: int | None = None
    location_id: int | None = None
    agent_id: int | None = None
    method: str = ""
    reason: str = ""
    reverses_id: int | None = None
    legs: list[Line] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        legs = [line for line in self.lines if line.amount != 0]
        for line in legs:
            chart.kind_of(line.account)
            if line.amount != quantise(line.amount):
                raise ValueError(f"{self.source}: {line.amount} is not a whole amount of the currency")
        if len(legs) < 2 or sum(line.amount for line in legs) != 0:
            raise ValueError(f"{self.source} does not balance")
        object.__setattr__(self, "legs", legs)


def entry_post(
    *,
    kind: str,
    source: str,
    lines: Sequence[Line],
    occurred_at: datetime,
    actor: User | None = None,
    location_id: int | None = None,
    agent_id: int | None = None,
    method: str = "",
    reason: str = "",
    reverses_id: int | None = None,
) -> tuple[JournalEntry, bool]:
    """Post one entry and return it with True; the entry already there for `source` with False, and then nothing is written.

    Lock the customers of the lines first (lock order). Raises ValueError for lines that do not balance.
    """
    entry = Entry(
        kind,
        source,
        lines,
        occurred_at,
        actor.pk if actor else None,
        location_id,
        agent_id,
        method,
        reason,
        reverses_id,
    )
    fresh = entries_post([entry])
    return fresh.get(source) or JournalEntry.objects.get(source=source), bool(fresh)


@transaction.atomic
def entries_post(entries: Iterable[Entry]) -> dict[str, JournalEntry]:
    """Post many entries with two statements; returns the new ones by source. Sources already posted are left alone."""
    wanted = {entry.source: entry for entry in entries}
    if not wanted:
        return {}
    JournalEntry.objects.bulk_create([_row(entry) for entry in wanted.values()], ignore_conflicts=True)
    fresh = {row.source: row for row in _own(list(wanted))}
    if len(fresh) < len(wanted):
        _refuse_second_reversal(set(wanted) - set(fresh))
    Posting.objects.bulk_create(
        Posting(
            entry_id=row.pk,
            account=line.account,
            amount=line.amount,
            customer_id=line.customer_id,
            plan_id=line.plan_id,
        )
        for source, row in fresh.items()
        for line in wanted[source].legs
    )
    return fresh


def _row(entry: Entry) -> JournalEntry:
    return JournalEntry(
        kind=entry.kind, source=entry.source, occurred_at=entry.occurred_at, actor_id=entry.actor_id,
        location_id=entry.location_id, agent_id=entry.agent_id, method=entry.method, reason=entry.reason,
        reverses_id=entry.reverses_id,
    )  # fmt: skip


def _own(sources: list[str]) -> list[JournalEntry]:
    """Those of the sources whose entry this transaction has just written and not yet given postings."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id FROM billing_journalentry e WHERE e.source = ANY(%s) AND e.created_xid = pg_current_xact_id() "
            "AND NOT EXISTS (SELECT 1 FROM billing_posting p WHERE p.entry_id = e.id)",
            [sources],
        )
        ids = [row[0] for row in cursor.fetchall()]
    return list(JournalEntry.objects.filter(pk__in=ids))


def _refuse_second_reversal(sources: set[str]) -> None:
    """A source that is neither new nor known was dropped for the other unique column: its entry is taken back already."""
    known = JournalEntry.objects.filter(source__in=sources).count()
    if known < len(sources):
        raise TransitionError(_("This entry was taken back already."), code="ledger.reversed")


def entry_reverse(
    entry: JournalEntry, *, occurred_at: datetime, actor: User | None, reason: str, source: str = ""
) -> tuple[JournalEntry, bool]:
    """Take an entry back by its mirror image. An entry can be taken back once (`reverses` is one to one)."""
    lines = [
        Line(posting.account, -posting.amount, posting.customer_id, posting.plan_id)
        for posting in Posting.objects.filter(entry=entry).order_by("pk")
    ]
    return entry_post(
        kind=EntryKind.REVERSAL, source=source or f"reversal:{entry.pk}", lines=lines, occurred_at=occurred_at, actor=actor,
        location_id=entry.location_id, agent_id=entry.agent_id, method=entry.method, reason=reason,
        reverses_id=entry.pk,
    )  # fmt: skip
