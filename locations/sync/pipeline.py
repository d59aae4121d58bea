"""Many commands in flight at once: the round trip is paid once per window, not once per row."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from locations.routeros import pace as pacing
from locations.routeros.client import Reply, RouterClient
from locations.routeros.errors import RouterTrap

Item = TypeVar("Item")
Command = tuple[str, dict[str, str], tuple[str, ...]]
Answer = tuple[Item, Reply | RouterTrap]


def pipelined(
    client: RouterClient,
    items: Iterable[Item],
    command: Callable[[Item], Command],
    *,
    may_start: Callable[[], bool] = lambda: True,
    most: int = pacing.MOST,
) -> Iterator[Answer[Item]]:
    """Send `command(item)` for each item, as many at once as the router bears and at most `most`; yields them in order.

    A trap is an answer, not an exception. When `may_start` says no, nothing new is sent and the rest is
    drained. A broken link raises RouterUnreachable: everything not yet yielded is unknown.
    """
    pace, waiting = client.pace, deque[tuple[Item, bytes, float, int]]()
    started = pacing.monotonic()
    sent = 0
    pace.begin(started)

    def settle() -> Answer[Item]:
        item, tag, sent_at, in_flight = waiting.popleft()
        answer: Reply | RouterTrap
        try:
            answer = client.receive(tag)
        except RouterTrap as trap:
            answer = trap
        pace.window.replied(pacing.monotonic() - sent_at, in_flight)
        return item, answer

    for item in items:
        while len(waiting) >= min(pace.window.size, most):
            yield settle()
        if not may_start():
            break
        path, words, queries = command(item)
        if not path.endswith("/print"):
            while (delay := pace.write_delay(pacing.monotonic())) > 0:
                if waiting:
                    yield settle()
                else:
                    pacing.pause(delay)
        sent_at = pacing.monotonic()
        waiting.append((item, client.send(path, words, queries), sent_at, len(waiting) + 1))
        sent += 1
    while waiting:
        yield settle()
    now = pacing.monotonic()
    pace.ended(sent, now - started, now)
