"""Which postings: one object that counts them in a report, links to them from its number, and filters the lists.

Because the number and its link are the same question, they cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet, Sum
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import EntryKind
from billing.ledger.chart import CODE_PATTERN, KINDS
from billing.models import JournalEntry, Posting
from billing.reports.days import day_end, day_start
from billing.reports.scope import entries_visible_to, postings_visible_to
from core.errors import DomainError
from core.numbers import whole_number

NONE = "none"  # rows where nothing stands: without location, by nobody
Pick = int | str | None
PICKS = ("location", "actor", "agent", "customer", "plan")
DEBIT, CREDIT = "debit", "credit"
_CODE = re.compile(CODE_PATTERN)
_SOURCE = re.compile(r"^[a-z_]{1,40}:[0-9]{1,18}\Z")


@dataclass(frozen=True)
class PostingQuery:
    """Every field narrows; empty ones do not.

    `accounts` are codes ("cash:7") or families ("income"). Days are both included and lie in `zone`; `since` and `until`
    are moments, until excluded; `recorded_until` asks when they were written down, not when they happened; the entries of
    the sources in `also` count beside those. `causes` are kinds of entries together with what took them back, `kind` is
    the kind as recorded. `side` is debit (positive) or credit. A pick is an id or `NONE`; `method` is a name or `NONE`.
    """

    target: ClassVar[str] = "postings"

    accounts: tuple[str, ...] = ()
    from_on: date | None = None
    to_on: date | None = None
    since: datetime | None = None
    until: datetime | None = None
    recorded_until: datetime | None = None
    also: tuple[str, ...] = ()
    zone: str = ""
    kind: str = ""
    causes: tuple[str, ...] = ()
    side: str = ""
    method: str | None = None
    location: Pick = None
    actor: Pick = None
    agent: Pick = None
    customer: Pick = None
    plan: Pick = None

    def narrowed(self, **changes: object) -> Self:
        return replace(self, **changes)  # type: ignore[arg-type]  # names are those of the fields

    def rows(self, user: User) -> QuerySet[Posting]:
        """The postings this person may see of them."""
        return postings_visible_to(user).filter(self.posting_condition())

    def entries(self, user: User) -> QuerySet[JournalEntry]:
        """The entries they belong to."""
        return entries_visible_to(user).filter(self.entry_condition())

    def total(self, user: User) -> Decimal:
        """Debits less credits."""
        return self.rows(user).aggregate(total=Sum("amount"))["total"] or Decimal(0)

    @property
    def account(self) -> str:
        """The one account asked for, or nothing."""
        return self.accounts[0] if len(self.accounts) == 1 and _CODE.match(self.accounts[0]) else ""

    def posting_condition(self) -> Q:
        """For postings."""
        return self._own_columns() & self._entry("entry__")

    def entry_condition(self) -> Q:
        """For entries that have such a posting."""
        own = self._own_columns()
        return self._entry("") & (Q(pk__in=Posting.objects.filter(own).values("entry_id")) if own else Q())

    # --- SQL --------------------------------------------------------------------------------------------------------

    def _own_columns(self) -> Q:
        wanted = Q()
        if codes := [code for code in self.accounts if _CODE.match(code)]:
            wanted |= Q(account__in=codes)
        for family in self.accounts:
            if family not in codes:
                wanted |= Q(account__startswith=f"{family}:")
        if self.side:
            wanted &= Q(amount__gt=0) if self.side == DEBIT else Q(amount__lt=0)
        return wanted & self._pick("customer") & self._pick("plan")

    def _entry(self, prefix: str) -> Q:
        wanted = self._pick("location", prefix) & self._pick("actor", prefix) & self._pick("agent", prefix)
        zone = self.zone or str(settings.TIME_ZONE)
        starts = [self.since, day_start(self.from_on, zone) if self.from_on else None]
        ends = [self.until, day_end(self.to_on, zone) if self.to_on else None]
        for start in starts:
            wanted &= Q(**{f"{prefix}occurred_at__gte": start}) if start else Q()
        for end in ends:
            wanted &= Q(**{f"{prefix}occurred_at__lt": end}) if end else Q()
        if self.recorded_until:
            written = Q(**{f"{prefix}recorded_at__lt": self.recorded_until})
            wanted &= written | Q(**{f"{prefix}source__in": self.also}) if self.also else written
        if self.method is not None:
            wanted &= Q(**{f"{prefix}method": "" if self.method == NONE else self.method})
        if self.kind:
            wanted &= Q(**{f"{prefix}kind": self.kind})
        if self.causes:
            # what took a payment back counts as a payment, and what took that back too
            direct, once, twice = (f"{prefix}{'reverses__' * depth}kind__in" for depth in range(3))
            wanted &= Q(**{direct: self.causes}) | Q(**{once: self.causes}) | Q(**{twice: self.causes})
        return wanted

    def _pick(self, name: str, prefix: str = "") -> Q:
        value: Pick = getattr(self, name)
        if value is None:
            return Q()
        return Q(**{f"{prefix}{name}__isnull": True}) if value == NONE else Q(**{f"{prefix}{name}": value})

    # --- addresses --------------------------------------------------------------------------------------------------

    def params(self) -> dict[str, str]:
        """What stands in the address of the rows; `from_params` reads it back."""
        return {PARAMS[f.name]: _text(value) for f in fields(self) if (value := getattr(self, f.name)) not in _EMPTY}

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> Self:
        """Raises DomainError that names every parameter which means nothing."""
        values: dict[str, object] = {}
        problems: dict[str, str] = {}
        for name, param in PARAMS.items():
            text = params.get(param, "").strip()
            if not text:
                continue
            try:
                values[name] = _value(name, text)
            except (ValueError, KeyError, OverflowError):
                problems[param] = _("This is not a value for it: %(text)s.") % {"text": text[:60]}
        if problems:
            raise DomainError("report.filter", _("These rows cannot be chosen like that."), fields=problems)
        return cls(**values)  # type: ignore[arg-type]  # names and types are those of PARAMS and _value


_EMPTY = ((), "", None)
PARAMS = {
    "accounts": "account", "from_on": "from", "to_on": "to", "since": "since", "until": "until",
    "recorded_until": "recorded_until", "also": "also", "zone": "zone", "kind": "kind",
    "causes": "cause", "side": "side", "method": "method", "location": "location", "actor": "actor", "agent": "agent",
    "customer": "customer", "plan": "plan",
}  # fmt: skip


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


def _value(name: str, text: str) -> object:
    if name == "accounts":
        return tuple(_account(part.strip()) for part in text.split(",", 20))
    if name == "causes":
        return tuple(EntryKind(part.strip()).value for part in text.split(",", 20))
    if name == "also":
        return tuple(_source(part.strip()) for part in text.split(",", 20))
    if name == "kind":
        return EntryKind(text).value
    if name in PICKS:
        return NONE if text == NONE else _id(text)
    readers = {
        "from_on": _day,
        "to_on": _day,
        "since": _moment,
        "until": _moment,
        "recorded_until": _moment,
        "zone": _zone,
        "side": _side,
    }
    return readers[name](text) if name in readers else text[:60]


def _account(text: str) -> str:
    if _CODE.match(text) or text in KINDS:
        return text
    raise ValueError(text)


def _source(text: str) -> str:
    if _SOURCE.match(text):
        return text
    raise ValueError(text)


def _id(text: str) -> int:
    number = whole_number(text)
    if not number:
        raise ValueError(text)
    return number


def _day(text: str) -> date:
    day = parse_date(text)
    if day is None or not 1970 <= day.year <= 2200:
        raise ValueError(text)
    return day


def _moment(text: str) -> datetime:
    moment = parse_datetime(text)
    if moment is None or moment.tzinfo is None or not 1970 <= moment.year <= 2200:
        raise ValueError(text)
    return moment


def _zone(text: str) -> str:
    return ZoneInfo(text).key


def _side(text: str) -> str:
    if text not in {DEBIT, CREDIT}:
        raise ValueError(text)
    return text
