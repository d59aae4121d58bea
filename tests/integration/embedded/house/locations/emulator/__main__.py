"""Stands in for an emulated router: it listens and remembers."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
sockets = [socket.create_server(("127.0.0.1", int(options[name]))) for name in ("--port", "--control-port")]
Path(options["--state-file"]).write_text(f"{options['--version']} {len(sockets)} {options['--user']}")
signal.pause()
