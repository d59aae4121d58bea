"""Ask a router something while a person waits: one short extra connection beside the writer's kept one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core.clock import now as clock_now
from core.db.locks import session_lock
from core.errors import DomainError
from locations.choices import TlsMode
from locations.models import Location, RouterState
from locations.routeros.client import RouterClient
from locations.routeros.errors import CertificateUnconfirmed, RouterError
from locations.services.certificates import certificate_proven, certificate_stop
from locations.sync.connections import target_of
from locations.sync.identity import check_serial

ASK_SECONDS = 10.0
AT_ONCE = 2  # per router over all processes: routers allow few sessions and suffer from many logins (routeros.md 7.2)
_TURNS = (0x6D62_0002, 0x6D62_0003)  # upper half of the advisory locks' keys; the lower is the location's id


class AskError(DomainError):
    """Nothing was learned: `problem` is a RouterError's stable code, `fingerprint` an unconfirmed certificate's.

    `sentence_of(problem, words)` says it in another language.
    """

    def __init__(self, problem: str, message: str, fingerprint: str = "", words: str = ""):
        super().__init__(f"router.{problem}", message, status=409)
        self.problem = problem
        self.fingerprint = fingerprint
        self.words = words


def sentence_of(problem: str, words: str) -> str:
    """What a problem means for the person at the screen, and what to do."""
    sentences = {
        "host": _("This leads to %(words)s, which cannot be a router. Nothing was sent. Correct the address."),
        "unreachable": _("The router cannot be reached: %(words)s. Check address, port, cable, firewall and VPN."),
        "refused": _("The address answers, but not on this port. Is the API service switched on (IP, Services)?"),
        "timeout": _("No answer in time. Check address, firewall and VPN."),
        "tls": _("Encryption failed: %(words)s. Does the chosen mode fit the router's api-ssl service?"),
        "certificate": _(
            "Another certificate than the confirmed one answers. Nothing was sent. Check before you trust it."
        ),
        "unconfirmed": _(
            "The router shows a certificate that nobody confirmed yet. The password was not sent. Compare it first."
        ),
        "not_routeros": _("Something answers, but it is not the RouterOS API: %(words)s."),
        "login": _("The router refused user name or password: %(words)s."),
        "policy": _("Login works, but the router user lacks rights: %(words)s."),
        "wrong_router": _("Another router answers at this address (%(words)s)."),
        "trap": _("The router says: %(words)s."),
    }
    return sentences.get(problem, _("The router says: %(words)s.")) % {"words": _own_words().get(words, words)}


def _own_words() -> dict[str, str]:
    """What `locations.routeros` says of a line, in the reader's language; a router's own words stay as they are."""
    return {
        "no answer": _("no answer"),
        "connected, but no answer to the login": _("connected, but no answer to the login"),
        "the router closed the connection": _("the router closed the connection"),
        "an answer that is not RouterOS API": _("an answer that is not RouterOS API"),
        "not a host name": _("not a host name"),
        "the name has no address": _("the name has no address"),
        "no answer to the handshake": _("no answer to the handshake"),
        "UNEXPECTED_EOF_WHILE_READING": _("the other side hung up"),  # OpenSSL's reasons from here on
        "WRONG_VERSION_NUMBER": _("the other side does not encrypt"),
        "CERTIFICATE_VERIFY_FAILED": _("no authority vouches for its certificate"),
        "SSLV3_ALERT_HANDSHAKE_FAILURE": _("the other side wants another kind of encryption"),
    }


@contextmanager
def router_ask(location: Location, *, seconds: float = ASK_SECONDS, is_trial: bool = False) -> Iterator[RouterClient]:
    """A logged-in client for reads, closed at the end; everything together takes at most `seconds`.

    Never inside a transaction. Raises AskError for what went wrong with the router, also inside the block (a trap that
    means something to the caller is caught there), and DomainError `router.busy` when two others are asking it.
    `is_trial` is for a connection test: any router may answer, and a location that is switched off is contacted too.
    """
    if transaction.get_connection().in_atomic_block:
        raise RuntimeError("router_ask talks to the network and must not run inside a transaction")
    with session_lock([turn << 32 | location.pk & 0xFFFF_FFFF for turn in _TURNS[:AT_ONCE]]) as is_our_turn:
        if not is_our_turn:
            raise DomainError(
                "router.busy", _("Others are asking this router just now. Try again in a few seconds."), status=409
            )
        client = None
        try:
            with router_problems_told(location):
                client = router_connected(location, seconds=seconds, is_trial=is_trial)
                yield client
        finally:
            if client is not None:
                client.close()


def switched_on_only(location: Location) -> None:
    """Raises DomainError when nothing is to be asked there."""
    if not location.is_active:
        raise DomainError(
            "router.switched_off", _("This location is switched off; its router is not asked."), status=409
        )


def router_connected(location: Location, *, seconds: float, is_trial: bool = False) -> RouterClient:
    """A logged-in client with the writer's guards (host, certificate, serial); its time is up in `seconds`.

    Close it. Raises a RouterError, or DomainError when the location is switched off; nothing stays open then.
    """
    if not is_trial:
        switched_on_only(location)
    client = RouterClient(
        target_of(location), timeout=min(seconds, settings.ROUTER_TIMEOUT_SECONDS), connect_timeout=seconds
    )
    client.deadline = time.monotonic() + seconds
    try:
        client.connect()
        if location.tls_mode == TlsMode.PINNED:
            certificate_proven(location)
        if not is_trial:
            check_serial(RouterState.objects.get(pk=location.pk), client)
    except Exception:
        client.close()
        raise
    return client


@contextmanager
def router_problems_told(location: Location) -> Iterator[None]:
    """What goes wrong with the router inside becomes an AskError; an unconfirmed certificate stops the location."""
    try:
        yield
    except CertificateUnconfirmed as error:
        certificate_stop(location, error, clock_now())
        raise AskError(error.problem, sentence_of(error.problem, ""), error.fingerprint) from None
    except RouterError as error:
        raise AskError(error.problem, sentence_of(error.problem, error.words), words=error.words) from None
