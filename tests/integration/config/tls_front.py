"""TLS in front of a PostgreSQL that was built without it, as a server with `ssl = on` speaks it.

The client asks with an SSLRequest, gets `S`, and the TLS handshake follows on the same connection (PostgreSQL manual,
"SSL Session Encryption"); behind it everything goes to the server's unix socket unread. A client that does not ask is
turned away, as `hostssl` does.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from pathlib import Path

SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class TlsFront:
    """Listens on `hosts` (one port) until `stop`."""

    def __init__(self, hosts: list[str], certificate: Path, key: Path, behind: Path):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._behind = behind
        first = socket.create_server((hosts[0], 0))
        self.port = int(first.getsockname()[1])
        self._listeners = [first, *(socket.create_server((host, self.port)) for host in hosts[1:])]
        for listener in self._listeners:
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def stop(self) -> None:
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            if client.recv(8, socket.MSG_WAITALL) != SSL_REQUEST:
                return
            client.sendall(b"S")
            with self._context.wrap_socket(client, server_side=True) as inside, socket.socket(socket.AF_UNIX) as server:
                server.connect(str(self._behind))
                back = threading.Thread(target=_pump, args=(server, inside), daemon=True)
                back.start()
                _pump(inside, server)
                back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
