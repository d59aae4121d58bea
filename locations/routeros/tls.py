"""TLS to a router: pinned certificate, authorities, or anonymous Diffie-Hellman (routeros.md 8.1, measured on OpenSSL 3)."""

from __future__ import annotations

import hashlib
import socket
import ssl

from locations.choices import TlsMode
from locations.routeros.errors import CertificateChanged, RouterTlsError


def tls_context(mode: str) -> ssl.SSLContext | None:
    """The context of a mode, None for plain TCP."""
    if mode == TlsMode.NONE:
        return None
    context = ssl.create_default_context()
    if mode == TlsMode.CA:
        return context
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # pinned: compared by fingerprint before the password is sent
    if mode == TlsMode.ANONYMOUS:
        context.set_ciphers("ADH:@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def wrap(raw: socket.socket, mode: str, host: str, fingerprint: str) -> tuple[socket.socket, str]:
    """The socket after the handshake, and the SHA-256 of the certificate it presented.

    Raises CertificateChanged before a byte of ours is sent when the pinned fingerprint differs, RouterTlsError for
    any other failure.
    """
    context = tls_context(mode)
    if context is None:
        return raw, ""
    try:
        secured = context.wrap_socket(raw, server_hostname=host)
    except TimeoutError:
        raise RouterTlsError("no answer to the handshake; is this the api-ssl port?") from None
    except OSError as error:  # ssl.SSLError is one
        raise RouterTlsError(getattr(error, "reason", "") or type(error).__name__) from None
    certificate = secured.getpeercert(binary_form=True)
    seen = hashlib.sha256(certificate).hexdigest() if certificate else ""
    if mode == TlsMode.PINNED and fingerprint and seen != fingerprint:
        secured.close()
        raise CertificateChanged(seen)
    return secured, seen
