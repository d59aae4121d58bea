"""The control port: one JSON object per line, the verbs of ``verbs.VERBS``; and a client for it.

Request ``{"verb": "advance", "args": [60], "options": {}}``; answer ``{"ok": true, "result": ...}`` or
``{"ok": false, "error": "HotspotRefused", "message": "..."}``.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from typing import TYPE_CHECKING, Any

from .driver import Driver
from .errors import HotspotRefused, PppRefused, Trap
from .listener import LOOPBACK
from .verbs import VERBS

if TYPE_CHECKING:
    from .core import RouterCore

_ERRORS: dict[str, type[Exception]] = {
    "HotspotRefused": HotspotRefused,
    "PppRefused": PppRefused,
    "Trap": Trap,
    "ValueError": ValueError,
    "KeyError": KeyError,
    "TypeError": TypeError,
}
_LINE_LIMIT = 1024 * 1024


class ControlServer:
    """Serves the verbs of one router on loopback."""

    def __init__(self, core: RouterCore, port: int) -> None:
        self._core = core
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = port

    async def start(self) -> None:
        """Listen; with port 0 the number is chosen now."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port, limit=_LINE_LIMIT)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut the connections."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode("ascii") + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            # The other side went away, or sent a line beyond the limit: this connection is over, nothing
            # else is.
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            verb = request["verb"]
            if verb not in VERBS:
                raise ValueError(f"unknown verb {verb!r}")
            result = getattr(self._core, verb)(*request.get("args", []), **request.get("options", {}))
            if asyncio.iscoroutine(result):
                result = await result
        except tuple(_ERRORS.values()) as error:
            message = str(error.args[0]) if error.args else str(error)
            return {"ok": False, "error": type(error).__name__, "message": message}
        return {"ok": True, "result": result}


class ControlClient(Driver):
    """Drives a router in another process; the same methods as EmulatedRouter. Usable from several threads."""

    def __init__(self, host: str, port: int, timeout: float = 30.0) -> None:
        self._socket = socket.create_connection((host, port), timeout=timeout)
        self._file = self._socket.makefile("rb")
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._socket.close()

    def __enter__(self) -> ControlClient:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _call(self, verb: str, *args: Any, **options: Any) -> Any:
        request = json.dumps({"verb": verb, "args": list(args), "options": options}).encode("ascii") + b"\n"
        with self._lock:
            self._socket.sendall(request)
            line = self._file.readline()
        if not line:
            raise ConnectionError("the emulator closed the control connection")
        answer = json.loads(line)
        if answer["ok"]:
            return answer["result"]
        raise _ERRORS.get(answer["error"], ValueError)(answer["message"])
