"""Whose money a person may see: all of it, or that of his locations and what he did himself."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.choices import Role
from accounts.models import User
from billing.models import CashShift, JournalEntry, Posting
from locations.selectors import locations_visible_to


def sees_everything(user: User) -> bool:
    return user.is_superuser or user.role in {Role.SUPER_ADMIN, Role.ADMIN}


def own_entries(user: User, prefix: str = "") -> Q:
    """The condition on entries; `prefix` leads to the entry ("entry__"). Empty for those who see everything."""
    if sees_everything(user):
        return Q()
    # read first: with ids PostgreSQL can use the index of the place, with a subquery inside an OR it cannot
    places = list(locations_visible_to(user).values_list("pk", flat=True))
    return Q(**{f"{prefix}location__in": places}) | Q(**{f"{prefix}actor": user.pk})


def entries_visible_to(user: User) -> QuerySet[JournalEntry]:
    """Entries of his locations, and his own; all for Super Admin and Admin."""
    return JournalEntry.objects.filter(own_entries(user))


def postings_visible_to(user: User) -> QuerySet[Posting]:
    return Posting.objects.filter(own_entries(user, "entry__"))


def shifts_visible_to(user: User) -> QuerySet[CashShift]:
    """A cashier sees his own drawer, never that of a colleague."""
    return CashShift.objects.all() if sees_everything(user) else CashShift.objects.filter(user=user.pk)
