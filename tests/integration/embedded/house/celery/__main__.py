"""Stands in for a Celery process whose pool child does not end with it."""

from __future__ import annotations

import signal
import subprocess
import sys

subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
signal.pause()
