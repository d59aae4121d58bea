"""A router that lies, in a process of its own: it logs anybody in, knows the serial it is told, and then answers nonsense.

As a program: `--serial`, and what it does when asked who is online: `nonsense` (names without end, numbers that are none,
and at last a session without an id) or `flood` (rows that never end, as fast as they are taken). Prints its port, ends
when stdin closes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from locations.emulator.wire import SentenceReader, encode_sentence
from tests.perf.databases import CLONE

KINDS = ("nonsense", "flood")
NONSENSE = 2000  # sessions
ACTIVE = "/ip/hotspot/active"
SESSION = {"user": "ABCD", "uptime": "1m", "mac-address": "02:00:00:00:00:01", "address": "10.0.0.9"}


@contextmanager
def liar(kind: str, serial: str) -> Iterator[int]:
    """Yields its port."""
    command = [sys.executable, "-m", "tests.perf.liar", kind, "--serial", serial]
    with subprocess.Popen(
        command, cwd=CLONE, env=dict(os.environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(json.loads(process.stdout.readline())["port"])
        finally:
            process.stdin.close()


def _answers(sentence: list[bytes], kind: str, serial: str) -> Iterator[bytes]:
    """Encoded replies to one command, one by one."""
    tags = [word for word in sentence if word.startswith(b".tag=")]
    menu, _slash, verb = sentence[0].decode().rpartition("/")
    is_count = any(word.startswith(b"=count-only") for word in sentence)

    def reply(head: bytes, words: dict[str, str]) -> bytes:
        return encode_sentence([head, *tags, *(f"={key}={value}".encode() for key, value in words.items())])

    if verb == "print" and not is_count:
        for row in _rows(menu, kind, serial):
            yield reply(b"!re", row)
    yield reply(b"!done", {"ret": "-1"} if is_count else {})


def _rows(menu: str, kind: str, serial: str) -> Iterator[dict[str, str]]:
    known = {
        "/system/resource": {"uptime": "52w", "version": "7.16.1 (stable)", "board-name": "hAP ax^2", "cpu-load": "²"},
        "/system/routerboard": {"model": "hAP ax^2", "serial-number": serial},
        "/system/identity": {"name": "x" * 5000},
        "/system/clock": {"date": "31/31/2026", "time": "99:99:99"},
    }
    if menu in known:
        yield known[menu]
    elif menu == ACTIVE:
        for number in range(NONSENSE if kind == "nonsense" else sys.maxsize):
            yield {**SESSION, ".id": f"*{number % 2**40:X}", "uptime": "9" * 200 + "w", "bytes-in": "-7"}
        yield SESSION


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--serial", required=True)
    options = parser.parse_args()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            reader = SentenceReader(1 << 30)
            with contextlib.suppress(OSError):
                while data := self.request.recv(65536):
                    reader.feed(data)
                    while (sentence := reader.next_sentence()) is not None:
                        for answer in _answers(sentence, options.kind, options.serial):
                            self.request.sendall(answer)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps({"port": server.server_address[1]}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
