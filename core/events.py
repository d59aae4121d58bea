"""How upper rooms react to lower ones: an explicit, ordered list of subscribers, called in the emitter's transaction.

An event is a frozen dataclass that carries ids, plural. Subscribers only write rows. A critical
subscriber's error undoes the emitter's work; any other runs in a savepoint and its error is recorded.
Not model signals: those skip `QuerySet.update()` and hide who listens. `manage.py show_wiring` prints the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from core.error_log import error_record


class Event:
    """Base of all events; subclasses are frozen dataclasses."""


@dataclass(frozen=True)
class Subscription:
    event: type[Event]
    subscriber: Callable[[Any], None]
    is_critical: bool
    order: int

    @property
    def name(self) -> str:
        return f"{self.subscriber.__module__}.{self.subscriber.__qualname__}"


_subscriptions: list[Subscription] = []


def subscribe(event: type[Event], subscriber: Callable[[Any], None], *, is_critical: bool, order: int = 100) -> None:
    """Register once, from `AppConfig.ready()` through the room's `hooks.py`. Lower `order` runs first."""
    entry = Subscription(event, subscriber, is_critical, order)
    if any(s.event is event and s.name == entry.name for s in _subscriptions):
        return
    _subscriptions.append(entry)
    _subscriptions.sort(key=lambda s: (s.event.__name__, s.order, s.name))


def emit(event: Event) -> None:
    """Call every subscriber of the event's class, in order, inside the open transaction.

    Raises RuntimeError outside a transaction: a subscriber's row without its cause would be a lie.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{type(event).__name__} must be emitted inside a transaction")
    for subscription in wiring():
        if subscription.event is not type(event):
            continue
        if subscription.is_critical:
            subscription.subscriber(event)
            continue
        try:
            with transaction.atomic():
                subscription.subscriber(event)
        except Exception as error:
            error_record(source=subscription.name, error=error)


def wiring() -> list[Subscription]:
    """All subscriptions in the order they are called."""
    return list(_subscriptions)
