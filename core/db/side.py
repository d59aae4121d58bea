"""A second connection, in autocommit, for telling the outside about a long transaction while it runs.

Progress written inside the transaction would be invisible until it is over; a cancel could not be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection


@contextmanager
def side_connection() -> Iterator[psycopg.Connection[Any]]:
    """A plain psycopg connection to the same database. Never touch rows the main transaction holds: it would wait for itself."""
    params = connection.get_connection_params()
    for extra in ("pool", "context", "cursor_factory"):
        params.pop(extra, None)
    side = psycopg.connect(**params, autocommit=True)
    try:
        yield side
    finally:
        side.close()
