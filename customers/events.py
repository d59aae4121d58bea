"""What the customer room tells the rooms above it. Ids, plural."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.events import Event


@dataclass(frozen=True)
class CustomersMerged(Event):
    """`merge_ids` are CustomerMerge rows; subscribers move what is theirs from loser to winner and note it in `moved`."""

    merge_ids: Sequence[int]


@dataclass(frozen=True)
class MergesUndone(Event):
    """The same merges are taken back; subscribers return what they noted. A refusal (DomainError) stops the undo."""

    merge_ids: Sequence[int]


@dataclass(frozen=True)
class CustomersErasing(Event):
    """About to replace name and phone; a critical subscriber may refuse (a service still runs, money is open)."""

    customer_ids: Sequence[int]
