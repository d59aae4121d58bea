"""A comparison of a part: some accounts, or the accounts of some profiles with the profiles themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet

from locations.choices import DriftSubject
from locations.models import AccessAccount, DriftRow, RouterState

ASKED_BY_NAME = 50  # more are found faster by reading the menu whole
MOST_WANTED = 100
Wanted = tuple[str, int]


@dataclass(frozen=True)
class Scope:
    location_id: int
    account_ids: frozenset[int]
    profile_ids: frozenset[int]

    @property
    def accounts(self) -> Q:
        return Q(pk__in=self.account_ids) | Q(profile_id__in=self.profile_ids)

    @property
    def profiles(self) -> Q:
        return Q(pk__in=self.profile_ids)

    def names(self, kind: str) -> list[str] | None:
        """Every name the router may have them under, when they are few; None: read the whole menu."""
        if self.profile_ids or len(self.account_ids) > ASKED_BY_NAME:
            return None
        rows = AccessAccount.objects.filter(self.accounts, location_id=self.location_id, kind=kind)
        return sorted({name for pair in rows.values_list("name", "applied_name") for name in pair if name})

    def drift(self, rows: QuerySet[DriftRow]) -> QuerySet[DriftRow]:
        """Of the location's findings the ones this comparison looks at again."""
        accounts = AccessAccount.objects.filter(self.accounts, location_id=self.location_id).values("pk")
        return rows.filter(
            Q(subject=DriftSubject.ACCOUNT, row_id__in=accounts)
            | Q(subject=DriftSubject.PROFILE, row_id__in=self.profile_ids)
        )


def scope_of(location_id: int, wanted: Iterable[Wanted]) -> Scope:
    pairs = [(subject, pk) for subject, pk in wanted]
    return Scope(
        location_id,
        frozenset(pk for subject, pk in pairs if subject == DriftSubject.ACCOUNT),
        frozenset(pk for subject, pk in pairs if subject == DriftSubject.PROFILE),
    )


@transaction.atomic
def compare_want(location_id: int, wanted: Iterable[Wanted]) -> bool:
    """Note that these should be compared. False: too many wait; everything should be compared instead."""
    state = RouterState.objects.select_for_update().get(pk=location_id)
    waiting = [tuple(pair) for pair in state.compare_wanted or []]
    waiting = list(dict.fromkeys([*waiting, *wanted]))
    if len(waiting) > MOST_WANTED:
        return False
    state.compare_wanted = waiting
    state.save(update_fields=["compare_wanted"])
    return True


@transaction.atomic
def compare_done(location_id: int, done: Iterable[Wanted]) -> None:
    """Forget what was compared; what was asked for meanwhile stays."""
    state = RouterState.objects.select_for_update().get(pk=location_id)
    done = set(done)
    left = [pair for pair in state.compare_wanted or [] if tuple(pair) not in done]
    state.compare_wanted = left or None
    state.save(update_fields=["compare_wanted"])
