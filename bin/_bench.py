"""What `bin/bench` does once Python is there: a crash-safe embedded PostgreSQL, then `tests.perf`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from _test import database, environment, guarded, run, say, server_line


def main(arguments: list[str]) -> int:
    with database(fast=False) as urls:
        say(server_line(urls["DATABASE_URL"]))
        return run(["-m", "tests.perf", *arguments], environment(urls, {}))


if __name__ == "__main__":
    sys.exit(guarded(main))
