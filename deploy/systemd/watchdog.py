"""One look at the running product; restarts a part that stayed silent in three looks, a minute apart.

Run by mikrotik-billing-watchdog.timer as root, with the system's Python, standard library only. What counts:
  web                   /healthz does not answer. It asks no database, so a database that is down restarts nothing.
  worker and beat       /readyz says the heartbeat is old while database and broker are well
  routers               the oldest message for the routers worker is old (only told with METRICS_PORT set)
After a restart a part is left alone for ten looks: a second restart would only interrupt the first.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ADDRESS = ("127.0.0.1", 8000)
STATE = Path("/run/mikrotik-billing-watchdog/counts.json")
ANSWER_SECONDS = 15
LOOKS_BEFORE_RESTART = 3
LOOKS_AFTER_RESTART = 10
MESSAGE_AGE_SECONDS = 300
UNITS = {
    "web": ["mikrotik-billing-web.service"],
    "background": ["mikrotik-billing-worker.service", "mikrotik-billing-beat.service"],
    "routers": ["mikrotik-billing-routers.service"],
}
BACKGROUND = "core.workers"
OTHERS_FAULT = ("core.database", "core.migrations", "core.broker")


def get(address: tuple[str, int], path: str) -> tuple[int, str]:
    """Status and body; status 0 when nobody answers in time."""
    connection = http.client.HTTPConnection(*address, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def background_is_stuck(body: str) -> bool:
    """The heartbeat is old, and neither database nor broker explains it. Unreadable answers accuse nobody."""
    try:
        checks: dict[str, bool] = {check["name"]: bool(check["ok"]) for check in json.loads(body)["checks"]}
    except (ValueError, KeyError, TypeError):
        return False
    return not checks.get(BACKGROUND, True) and all(checks.get(name, True) for name in OTHERS_FAULT)


def routers_are_stuck(metrics: str) -> bool:
    found = re.search(r'^mb_queue_age_seconds\{queue="routers"\} ([0-9.e+]+)$', metrics, re.MULTILINE)
    return found is not None and float(found[1]) > MESSAGE_AGE_SECONDS


def look(web: tuple[str, int], metrics: tuple[str, int]) -> dict[str, bool]:
    """Which parts do not do their work right now."""
    status, _ = get(web, "/healthz")
    if status != http.client.OK:
        return {"web": True, "background": False, "routers": False}
    background = background_is_stuck(get(web, "/readyz")[1])
    routers = bool(metrics[1]) and routers_are_stuck(get(metrics, "/metrics")[1])
    return {"web": False, "background": background, "routers": routers}


def count(silent: dict[str, bool], before: dict[str, int]) -> tuple[dict[str, int], list[str]]:
    """New counts, and the parts to restart now. A negative count is the rest after a restart."""
    counts: dict[str, int] = {}
    due: list[str] = []
    for part, is_silent in silent.items():
        number = before.get(part, 0)
        if number < 0:
            counts[part] = number + 1
        elif not is_silent:
            counts[part] = 0
        elif number + 1 >= LOOKS_BEFORE_RESTART:
            counts[part] = -LOOKS_AFTER_RESTART
            due.append(part)
        else:
            counts[part] = number + 1
    return counts, due


def read_counts(file: Path) -> dict[str, int]:
    try:
        stored: Any = json.loads(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def running(units: list[str]) -> list[str]:
    """Only what is meant to run: a service an administrator stopped stays stopped."""
    return [
        unit
        for unit in units
        if subprocess.run(["systemctl", "is-active", "--quiet", unit], check=False).returncode == 0
    ]


def main(file: Path = STATE, web: tuple[str, int] = ADDRESS) -> int:
    metrics = os.environ.get("METRICS_HOST") or "127.0.0.1", int(os.environ.get("METRICS_PORT") or 0)
    counts, due = count(look(web, metrics), read_counts(file))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(counts), encoding="ascii")
    code = 0
    for part in due:
        units = running(UNITS[part])
        if units:
            sys.stdout.write(f"{part} did not answer {LOOKS_BEFORE_RESTART} times: restarting {' '.join(units)}\n")
            sys.stdout.flush()
            code |= subprocess.run(["systemctl", "restart", *units], check=False).returncode
    return code


if __name__ == "__main__":
    sys.exit(main())
