"""One line of the timeline, and where lines come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from core.words import Tone
from dashboard.selectors.scope import Family


@dataclass(frozen=True)
class Happening:
    """`who` is empty for what the system did by itself; `text` is the whole sentence, `more` the reason given."""

    at: datetime
    text: str
    icon: str
    tone: Tone = Tone.QUIET
    who: str = ""
    more: str = ""
    url: str = ""


@dataclass(frozen=True)
class Source:
    """`rows(family)` unordered, `at` the field that says when, `line(row, family)` the row in words."""

    permission: str
    at: str
    rows: Callable[[Family], QuerySet[Any]]
    line: Callable[[Any, Family], Happening]

    def is_open_to(self, user: User) -> bool:
        return user.has_perm(self.permission)


def name_of(user: User | None) -> str:
    """How staff are called on these pages."""
    return "" if user is None else user.get_full_name() or user.get_username()


def label_of(kind: str, known: dict[str, Any]) -> str:
    """The words of a stored kind; one that nobody has put into words yet is shown as it is stored."""
    if kind in known:
        return str(known[kind])
    return _("Noted: %(kind)s") % {"kind": kind.replace("_", " ").replace(".", " ")}
