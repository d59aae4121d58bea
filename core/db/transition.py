"""State changes without a state-machine library: one conditional UPDATE over the legal sources."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from core.errors import TransitionError


def sources_of(allowed: Mapping[str, Collection[str]], to: str) -> list[str]:
    """The states from which `to` is legal in an `ALLOWED` table."""
    return [source for source, targets in allowed.items() if to in targets]


def transition_set(
    rows: models.QuerySet[Any],
    *,
    to: str,
    allowed: Mapping[str, Collection[str]],
    field: str = "status",
    **changes: Any,
) -> int:
    """Move every row of the set that may move; returns how many did. For sets that race with others."""
    return rows.filter(**{f"{field}__in": sources_of(allowed, to)}).update(**{field: to, **changes})


def transition(
    rows: models.QuerySet[Any],
    *,
    to: str,
    allowed: Mapping[str, Collection[str]],
    field: str = "status",
    **changes: Any,
) -> None:
    """Move exactly one row, or raise TransitionError and change nothing.

    The UPDATE itself is the check, so two callers cannot both win (no read before it).
    """
    moved = transition_set(rows, to=to, allowed=allowed, field=field, **changes)
    if moved != 1:
        raise TransitionError(
            _("This was changed by someone else, or the step is not possible from its present state.")
        )
