"""A listening port that can be taken away and given back without losing its number."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

LOOPBACK = "127.0.0.1"


class Listener:
    """One TCP or TLS port on loopback."""

    def __init__(
        self, factory: Callable[[], asyncio.BaseProtocol], port: int, context: ssl.SSLContext | None = None
    ) -> None:
        self._factory = factory
        self._context = context
        self._server: asyncio.Server | None = None
        self._placeholder: socket.socket | None = None
        self.port = port

    async def open(self) -> None:
        """Listen; with port 0 the number is chosen now and kept from then on."""
        if self._server is not None:
            return
        self._release_placeholder()
        bound = _bound_socket(self.port)
        self.port = bound.getsockname()[1]
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._factory, sock=bound, ssl=self._context, backlog=256)

    def hold(self) -> None:
        """Refuse connections and keep the port number: bound, but not listening."""
        self.close()
        self._placeholder = _bound_socket(self.port)

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._release_placeholder()

    def _release_placeholder(self) -> None:
        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None


def _bound_socket(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setblocking(False)
    bound.bind((LOOPBACK, port))
    return bound
