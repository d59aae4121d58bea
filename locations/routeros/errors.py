"""What can go wrong between us and a router. None of these ever carries a password or a sent command."""

from __future__ import annotations


class RouterError(Exception):
    """Base. `problem` is a stable code for `locations.services.location_test`."""

    problem = "router"

    def __init__(self, words: str = ""):
        super().__init__(words)
        self.words = words


class RouterUnreachable(RouterError):
    """No connection, or it broke: everything still in flight is unknown and must be read back."""

    problem = "unreachable"


class RouterRefusedConnection(RouterUnreachable):
    problem = "refused"


class HostRefused(RouterUnreachable):
    """The host leads to an address that is never a router's: this server itself, or a cloud's own services."""

    problem = "host"


class RouterTimeout(RouterUnreachable):
    """It was there a moment ago, and a command got no answer in time."""

    problem = "timeout"


class RouterTlsError(RouterUnreachable):
    problem = "tls"


class CertificateUnconfirmed(RouterTlsError):
    """A person has to compare the certificate first; nothing was sent. `fingerprint` (SHA-256) is what answered."""

    problem = "unconfirmed"
    sentence = "nobody has confirmed the router's certificate yet"

    def __init__(self, fingerprint: str):
        super().__init__(self.sentence)
        self.fingerprint = fingerprint


class CertificateChanged(CertificateUnconfirmed):
    """Another certificate than the one that was confirmed; nothing was sent."""

    problem = "certificate"
    sentence = "the router's certificate is not the one confirmed before"


class NotRouterOs(RouterUnreachable):
    """Something answers at this address, but it does not speak the RouterOS API."""

    problem = "not_routeros"


class LoginRefused(RouterError):
    problem = "login"


class LeaseLost(RouterUnreachable):
    """Our time as this router's writer may be over: stop at once."""

    problem = "lease"


class MissingPermission(RouterUnreachable):
    """The router user lacks a policy: no row can be written, so no row is to blame."""

    problem = "policy"


class RouterTrap(RouterError):
    """The router answered with an error. `words` is its own message."""

    problem = "trap"

    @property
    def is_duplicate(self) -> bool:
        """Some entry of that name exists; which one must be read back (routeros.md 1.6)."""
        return any(part in self.words for part in ("already have", "already exists", "such name exists", "name exists"))

    @property
    def is_missing(self) -> bool:
        return "no such item" in self.words

    @property
    def is_profile_unknown(self) -> bool:
        """The account's profile is not on the router (somebody deleted it): the profile is at fault, not the account."""
        return "input does not match any value of profile" in self.words

    @property
    def is_permission(self) -> bool:
        return "not enough permissions" in self.words

    @property
    def is_transient(self) -> bool:
        """Worth trying again without anybody changing anything."""
        return any(part in self.words for part in ("interrupted", "action timed out", "try again", "timeout"))
