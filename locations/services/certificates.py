"""The certificate of a router: asked for, compared by a person, confirmed. The password waits until that was done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import PERMISSIONS
from core import events
from core.clock import now as clock_now
from core.errors import DomainError
from core.staff_events import StaffActed
from locations.choices import Reach, TlsMode
from locations.models import Location, RouterState
from locations.routeros.errors import CertificateChanged, CertificateUnconfirmed
from locations.routeros.tls import Certificate, certificate_of
from locations.services.kicks import kick_locations
from locations.sync.failure import failure_record

TRUST = "locations.trust_certificate"
LOOK_SECONDS = 10.0
_NOISE = re.compile(r"[\s:.-]")


def fingerprint_clean(text: str) -> str:
    """A SHA-256 as people paste it, with colons, spaces or capitals, as 64 hex digits. Raises DomainError."""
    digits = _NOISE.sub("", text).lower().removeprefix("sha256")
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        sentence = _("A SHA-256 fingerprint has 64 digits from 0 to 9 and a to f; nothing was changed.")
        raise DomainError("location.fingerprint", sentence, {"fingerprint": sentence})
    return digits


def trusting_roles() -> list[str]:
    """The roles whose people may confirm a certificate, as they are called on the screen."""
    from accounts.choices import Role

    return [str(role.label) for role in Role if role == Role.SUPER_ADMIN or TRUST in PERMISSIONS[role]]


def certificate_look(location: Location) -> Certificate:
    """Ask the router for its certificate now; no name and no password is sent. Raises RouterError.

    Never inside a transaction. Where the location pins, what answers is taken note of: another than the confirmed one
    stops all work there, the confirmed one ends such a stop.
    """
    if transaction.get_connection().in_atomic_block:
        raise RuntimeError("certificate_look talks to the network and must not run inside a transaction")
    found = certificate_of(location.host, location.port, LOOK_SECONDS)
    if location.tls_mode == TlsMode.PINNED:
        if found.fingerprint == location.tls_fingerprint:
            certificate_proven(location)
        else:
            kind = CertificateChanged if location.tls_fingerprint else CertificateUnconfirmed
            certificate_stop(location, kind(found.fingerprint), clock_now())
    return found


def certificate_stop(location: Location, error: CertificateUnconfirmed, now: datetime) -> None:
    """What an interactive connection met stops the writer too, if it asked as the stored location would have."""
    asked = ("host", "port", "tls_mode", "tls_fingerprint")
    stored = {name: getattr(location, name) for name in asked}
    if Location.objects.filter(pk=location.pk, **stored).exists():
        failure_record(location.pk, error, now)


@transaction.atomic
def certificate_proven(location: Location) -> None:
    """The confirmed certificate answers: whatever other one was seen before, work may go on."""
    state = RouterState.objects.select_for_update().filter(pk=location.pk, other_fingerprint__gt="").first()
    if state is not None:
        details = {"location": location.pk, "fingerprint": location.tls_fingerprint, "seen": state.other_fingerprint}
        events.emit(StaffActed(None, "location.certificate_back", details, None))
        certificate_question_close(state)
        kick_locations([location.pk], is_forced=True)


def certificate_question_close(state: RouterState) -> None:
    """Nothing is left to confirm. The row must be locked."""
    state.other_fingerprint, state.last_error, state.failures, state.retry_at = "", "", 0, None
    if state.reach == Reach.CERTIFICATE:
        state.reach, state.reach_since = Reach.UNKNOWN, clock_now()
    state.save(update_fields=["other_fingerprint", "last_error", "failures", "retry_at", "reach", "reach_since"])


@transaction.atomic
def certificate_trust(location: Location, *, fingerprint: str, actor: User | None, ip: str | None = None) -> Location:
    """Pin what a person compared. From now on only this certificate is spoken to. Raises DomainError."""
    digits = fingerprint_clean(fingerprint)
    location = Location.objects.select_for_update().get(pk=location.pk)
    if location.tls_mode != TlsMode.PINNED:
        sentence = _("This location pins no certificate; choose that encryption first.")
        raise DomainError("location.not_pinned", sentence, status=409)
    details: dict[str, Any] = {"location": location.pk, "before": location.tls_fingerprint, "after": digits}
    location.tls_fingerprint = digits
    location.save(update_fields=["tls_fingerprint"])
    certificate_question_close(RouterState.objects.select_for_update().get(pk=location.pk))
    events.emit(StaffActed(actor.pk if actor else None, "location.certificate_trusted", details, ip))
    kick_locations([location.pk], is_forced=True)
    return location


@dataclass(frozen=True)
class CertificateState:
    """The confirmed fingerprint, and the one that answered instead (empty: nothing waits to be confirmed)."""

    confirmed: str
    seen: str

    @property
    def is_changed(self) -> bool:
        return bool(self.confirmed and self.seen)


def certificate_state(location: Location) -> CertificateState:
    state: RouterState | None = getattr(location, "state", None)
    return CertificateState(location.tls_fingerprint, state.other_fingerprint if state else "")
