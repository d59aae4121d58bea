"""How safe the way to a router is, in words. Pure functions: they read what they are given."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.words import Tone, Words
from locations.choices import TlsMode
from locations.models import Location


def fingerprint_words(fingerprint: str, *, groups: int = 16) -> str:
    """A SHA-256 to compare by eye: groups of four digits, the first few where a line must stay short."""
    parts = [fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4)]
    return " ".join(parts[:groups]) + (" …" if len(parts) > groups else "")


def certificate_sentence(location: Location, *, groups: int = 16) -> str:
    """Old and new fingerprint of a certificate that waits to be confirmed (`location.state` must be there)."""
    seen = fingerprint_words(location.state.other_fingerprint, groups=groups)
    if not location.tls_fingerprint:
        return _("%(new)s answers, nothing confirmed yet") % {"new": seen}
    old = fingerprint_words(location.tls_fingerprint, groups=groups)
    return _("%(old)s was confirmed, %(new)s answers") % {"old": old, "new": seen}


def encryption_words(mode: str, *, has_fingerprint: bool, is_tunnelled: bool = False) -> Words:
    """What protects the password and everything else on its way to a router."""
    if mode == TlsMode.PINNED and has_fingerprint:
        return Words(Tone.GOOD, "lock", _("Encrypted; only the confirmed certificate is spoken to"))
    if mode == TlsMode.PINNED:
        return Words(Tone.WAITING, "lock", _("No certificate confirmed yet; the password is not sent before"))
    if mode == TlsMode.CA:
        return Words(Tone.GOOD, "lock", _("Encrypted; the certificate is checked against authorities"))
    if is_tunnelled:
        return Words(Tone.GOOD, "lock", _("Goes through the encrypted tunnel"))
    if mode == TlsMode.ANONYMOUS:
        text = _(
            "Encrypted, but nobody proves who he is: whoever sits on the line can pretend to be this router and read "
            "its password. Give the router a certificate and pin it."
        )
        return Words(Tone.BAD, "warning", text)
    text = _(
        "Not encrypted: whoever sits on the line reads the router's password and everything else. Use TLS with a "
        "pinned certificate, or a tunnel."
    )
    return Words(Tone.BAD, "warning", text)
