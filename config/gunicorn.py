"""What every gunicorn of ours needs: `gunicorn -c config/gunicorn.py config.wsgi`. Ports and workers stay arguments.

Executed in gunicorn's master before the application is loaded, so it can still choose how metrics are kept.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from config import env
from config.logging import formatter

_base = Path(__file__).resolve().parent.parent
try:
    _values = env.read(env.layers(_base, os.environ))  # as config.settings does, a moment later
except env.EnvError as _error:
    sys.exit(f"Configuration: {_error}")
_folder = _base / _values["VAR_DIR"] / "metrics"
_through = {"handlers": ["stdout"], "propagate": False, "level": "INFO"}

logconfig_dict: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": formatter}},
    "handlers": {"stdout": {"()": "config.logging.StdoutHandler", "formatter": "json"}},
    "root": {"handlers": ["stdout"], "level": "INFO"},
    "loggers": {"gunicorn.error": _through, "gunicorn.access": {**_through, "level": "WARNING"}},
}

if _values["METRICS_PORT"]:
    # Counters of several processes meet in files. Those of the last run are counted out: they would show its numbers.
    _folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for _file in _folder.glob("*.db"):
        _file.unlink(missing_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_folder)


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the live gauges of a worker that ended; its counters stay, or totals would fall."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
