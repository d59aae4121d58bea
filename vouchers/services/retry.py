"""Dead-locks are rare but normal: PostgreSQL ends one of two transactions that wait for each other; it tries again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection
from psycopg.errors import DeadlockDetected, SerializationFailure

logger = logging.getLogger(__name__)
ATTEMPTS = 5
P = ParamSpec("P")
R = TypeVar("R")


def is_deadlock(error: BaseException) -> bool:
    return isinstance(error.__cause__, DeadlockDetected | SerializationFailure)


def deadlock_retried(function: Callable[P, R]) -> Callable[P, R]:
    """Run the whole service again when it was the dead-lock's victim.

    Inside an outer transaction the error goes to its owner: only he can start over. The router room locks accounts
    before it reports a first login, the voucher room locks the voucher first; that is where the two can meet.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return function(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or attempt == ATTEMPTS or not is_deadlock(error):
                    raise
                logger.info("dead-lock in %s, attempt %d", function.__name__, attempt)
        raise AssertionError("unreachable")

    return run
