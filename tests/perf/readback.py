"""Ask a router by librouteros until it shows what is awaited: the end of every "from click to read-back"."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from librouteros.query import Key  # type: ignore[import-untyped]

from tests.perf.fleet import Router

Rows = list[dict[str, Any]]
LONGEST_SECONDS = 60.0


class Reader:
    """One open connection for questions; each answer takes the line's round trip, which is part of what is timed."""

    def __init__(self, router: Router) -> None:
        self._client = router.client()

    def close(self) -> None:
        self._client.close()

    def find(self, menu: str, key: str, value: str) -> Rows:
        """Rows of the menu whose property has that value."""
        return [dict(row) for row in self._client.path(menu).select().where(Key(key) == value)]

    def until(self, menu: str, key: str, value: str, is_there: Callable[[Rows], bool]) -> bool:
        """Ask again and again; False when a minute went by."""
        ends_at = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < ends_at:
            if is_there(self.find(menu, key, value)):
                return True
        return False
