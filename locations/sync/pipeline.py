"""Many commands in flight at once: the round trip is paid once per window, not once per row."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from locations.routeros.client import Reply, RouterClient
from locations.routeros.errors import RouterTrap

WINDOW = 150  # more does not help above 200 ms round trips and could fill both socket buffers (routeros.md 3.4)
Item = TypeVar("Item")
Command = tuple[str, dict[str, str], tuple[str, ...]]


def pipelined(
    client: RouterClient,
    items: Iterable[Item],
    command: Callable[[Item], Command],
    *,
    may_start: Callable[[], bool] = lambda: True,
    window: int = WINDOW,
) -> Iterator[tuple[Item, Reply | RouterTrap]]:
    """Send `command(item)` for each item with at most `window` unanswered; yields item and answer in order.

    A trap is an answer, not an exception. When `may_start` says no, nothing new is sent and the rest is
    drained. A broken link raises RouterUnreachable: everything not yet yielded is unknown.
    """
    waiting: deque[tuple[Item, bytes]] = deque()

    def settle() -> tuple[Item, Reply | RouterTrap]:
        item, tag = waiting.popleft()
        try:
            return item, client.receive(tag)
        except RouterTrap as trap:
            return item, trap

    for item in items:
        if len(waiting) >= window:
            yield settle()
        if not may_start():
            break
        path, words, queries = command(item)
        waiting.append((item, client.send(path, words, queries)))
    while waiting:
        yield settle()
