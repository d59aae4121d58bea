"""Folders of Celery's filesystem broker, used when there is no Redis (DESIGN §4)."""

from __future__ import annotations

import shutil
from pathlib import Path

QUEUE = "queue"
CONTROL = "control"


def prepare_broker(var: Path) -> Path:
    """Make `var/broker` anew and return it. Only while no worker runs.

    Messages left by an earlier run are dropped: each job is a row, and the sweeps find it; an old wake-up
    is worth nothing, and a hundred thousand of them would keep the workers from new work.
    """
    folder = var / "broker"
    shutil.rmtree(folder, ignore_errors=True)
    for name in (QUEUE, CONTROL):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o700)
    return folder
