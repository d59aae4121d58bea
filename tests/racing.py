"""Jobs that begin at the same moment, as people and workers do: a thread and a database connection each."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connections

from core.errors import DomainError

Job = Callable[[], object]
PATIENCE = 120  # seconds; a deadlock that nobody breaks


def together(*jobs: Job) -> list[str]:
    """What became of each: "done", or the code of its refusal. Any other error stands there as it is and fits no test."""
    gate = threading.Barrier(len(jobs))
    outcome = [""] * len(jobs)

    def work(number: int) -> None:
        try:
            gate.wait(PATIENCE)
            jobs[number]()
            outcome[number] = "done"
        except DomainError as refusal:
            outcome[number] = refusal.code
        except BaseException as error:
            outcome[number] = repr(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[number]) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    return outcome
