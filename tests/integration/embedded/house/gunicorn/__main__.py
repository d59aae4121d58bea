"""Stands in for gunicorn: a parent with a forked worker, answering /readyz."""

from __future__ import annotations

import http.server
import os
import signal
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()


port = int(sys.argv[sys.argv.index("--bind") + 1].rpartition(":")[2])
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
worker = os.fork()
if worker == 0:
    server.serve_forever()


def end(*_: object) -> None:
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    os._exit(0)


signal.signal(signal.SIGTERM, end)
while True:
    signal.pause()
