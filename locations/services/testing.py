"""`location_test`: connect now and say in plain words what is wrong, or who answered."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from core.clock import now as clock_now
from locations.access_rights import CORE
from locations.models import Location, RouterState
from locations.routeros.client import RouterClient
from locations.routeros.errors import RouterTrap
from locations.services.access import granted_policies
from locations.services.asking import AskError, router_ask, sentence_of
from locations.sync.health import clock_skew
from locations.sync.identity import Identity, licence_limit, read_identity

TEST_SECONDS = 10.0


@dataclass(frozen=True)
class TestResult:
    """`sentence` is for people; `problem` is stable (empty when all is well)."""

    ok: bool
    problem: str
    sentence: str
    identity: str = ""
    model: str = ""
    version: str = ""
    serial: str = ""
    clock_skew_seconds: int | None = None
    licence_limit: int | None = None
    fingerprint: str = ""
    missing_policies: list[str] = field(default_factory=list)


def location_test(location: Location) -> TestResult:
    """One short extra connection. Never call it inside a transaction; nothing on the router changes.

    Stores model, version and clock skew when it went well; a pinned location without a fingerprint is told the one seen.
    """
    try:
        with router_ask(location, seconds=TEST_SECONDS, is_trial=True) as client:
            seen = read_identity(client)
            skew = clock_skew(client, location.timezone, clock_now())
            missing = _missing_policies(client, location.username)
    except AskError as error:
        return TestResult(False, error.problem, error.message, fingerprint=error.fingerprint)
    return _result(location, seen, skew, missing, client.fingerprint)


def _result(location: Location, seen: Identity, skew: int | None, missing: list[str], fingerprint: str) -> TestResult:
    state = RouterState.objects.get(pk=location.pk)
    if state.serial and seen.serial != state.serial:
        problem, sentence = "wrong_router", sentence_of("wrong_router", seen.serial)
    elif missing:
        problem, sentence = "policy", sentence_of("policy", ", ".join(missing))
    else:
        problem = ""
        sentence = _("%(identity)s answers: %(model)s, RouterOS %(version)s.") % {
            "identity": seen.identity, "model": seen.model, "version": seen.version,
        }  # fmt: skip
        RouterState.objects.filter(pk=location.pk).update(
            identity=seen.identity, model=seen.model, version=seen.version, clock_skew_seconds=skew
        )
    return TestResult(
        not problem, problem, sentence, seen.identity, seen.model, seen.version, seen.serial, skew,
        licence_limit(seen.licence_level), fingerprint, missing,
    )  # fmt: skip


def _missing_policies(client: RouterClient, username: str) -> list[str]:
    """Which of the policies we need the login lacks. Empty when the router does not let us look."""
    try:
        granted = granted_policies(client, username)
    except RouterTrap as trap:
        return ["read"] if trap.is_permission else []
    return [] if granted is None else [policy for policy in CORE if policy not in granted]
