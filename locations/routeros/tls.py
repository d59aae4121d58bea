"""TLS to a router: pinned certificate, authorities, or anonymous Diffie-Hellman (routeros.md 8.1, measured on OpenSSL 3)."""

from __future__ import annotations

import hashlib
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID
from django.conf import settings

from locations.choices import TlsMode
from locations.routeros.addresses import bare, dial
from locations.routeros.errors import CertificateChanged, CertificateUnconfirmed, RouterTlsError


def tls_context(mode: str) -> ssl.SSLContext | None:
    """The context of a mode, None for plain TCP."""
    if mode == TlsMode.NONE:
        return None
    context = ssl.create_default_context()
    if mode == TlsMode.CA:
        if settings.ROUTER_CA_FILE:
            context.load_verify_locations(settings.ROUTER_CA_FILE)
        return context
    context.options |= ssl.OP_NO_RENEGOTIATION  # the certificate that was compared stays the one
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # pinned: compared by fingerprint before the password is sent
    if mode == TlsMode.ANONYMOUS:
        context.set_ciphers("ADH:@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def wrap(raw: socket.socket, mode: str, host: str, fingerprint: str) -> tuple[socket.socket, str]:
    """The socket after the handshake, and the SHA-256 of the certificate it presented.

    Raises CertificateChanged, or CertificateUnconfirmed while nobody has confirmed one, before anything but the
    handshake is sent; RouterTlsError for any other failure.
    """
    if mode == TlsMode.NONE:
        return raw, ""
    secured = _handshake(raw, mode, host)
    certificate = secured.getpeercert(binary_form=True)
    seen = hashlib.sha256(certificate).hexdigest() if certificate else ""
    if mode == TlsMode.PINNED and seen != fingerprint:
        secured.close()
        raise CertificateChanged(seen) if fingerprint else CertificateUnconfirmed(seen)
    return secured, seen


def _handshake(raw: socket.socket, mode: str, host: str) -> ssl.SSLSocket:
    try:
        context = tls_context(mode)
        assert context is not None  # noqa: S101  # narrows for mypy
        return context.wrap_socket(raw, server_hostname=bare(host))
    except TimeoutError:
        raise RouterTlsError("no answer to the handshake") from None
    except (OSError, ValueError) as error:  # ssl.SSLError is one; ValueError: a host that cannot be a name in TLS
        raise RouterTlsError(getattr(error, "reason", "") or type(error).__name__) from None


@dataclass(frozen=True)
class Certificate:
    """What a router shows before anybody logs in. Its name and date prove nothing; only the fingerprint does."""

    fingerprint: str
    name: str = ""
    valid_until: datetime | None = None


def certificate_of(host: str, port: int, timeout: float) -> Certificate:
    """The certificate that answers there now. A handshake is sent, never a name or a password. Raises RouterError."""
    raw = dial(host, port, timeout)
    try:
        with _handshake(raw, TlsMode.PINNED, host) as secured:
            return certificate_read(secured.getpeercert(binary_form=True) or b"")
    finally:
        raw.close()


def certificate_read(der: bytes) -> Certificate:
    """A certificate as it came over the wire; what cannot be read of it is left empty."""
    fingerprint = hashlib.sha256(der).hexdigest()
    try:
        parsed = x509.load_der_x509_certificate(der)
        names = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return Certificate(fingerprint, str(names[0].value)[:64] if names else "", parsed.not_valid_after_utc)
    except (ValueError, TypeError, OverflowError):
        return Certificate(fingerprint)
