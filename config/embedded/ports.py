"""Free TCP ports on the loopback interface."""

from __future__ import annotations

import errno
import socket
import zlib

FIRST, LAST = 18_700, 19_999
"""Below the kernel's ephemeral range (32768 up), so outgoing connections never take a server's port."""


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
        return True


def answers(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1:port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def free_port(taken: set[int], *, near: str) -> int:
    """A free port that is not in `taken`; adds it there. Raises OSError when there is none.

    The search begins at a place that `near` (a path) decides, so that two clones starting at once do not choose
    the same port before either of them listens on it.
    """
    count = LAST - FIRST + 1
    start = zlib.crc32(near.encode()) % count
    for step in range(count):
        port = FIRST + (start + step) % count
        if port not in taken and is_free(port):
            taken.add(port)
            return port
    raise OSError(errno.EADDRINUSE, f"No free port between {FIRST} and {LAST} on 127.0.0.1.")
