"""A login of our own for each router, with no more rights than our features need: prepared, pasted by a person, checked."""

from __future__ import annotations

import copy
import ipaddress
import secrets
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.clock import now as clock_now
from core.errors import DomainError
from core.installation import installation
from core.staff_events import StaffActed
from locations.access_rights import FEATURES, OPTIONAL, Feature, granted_of, policies_for
from locations.access_scripts import V6, V7, LoginScript
from locations.models import Location, RouterLogin, RouterState
from locations.routeros.client import RouterClient, Row
from locations.routeros.errors import RouterTrap
from locations.services.asking import router_ask
from locations.services.kicks import kick_locations
from locations.sync.identity import read_identity

_LETTERS = string.ascii_letters + string.digits
PLAIN_SERVICE, TLS_SERVICE = "api", "api-ssl"
MOST_ALLOWED = 8


def password_make() -> str:
    """About 148 random bits; letters of both cases, digits and dashes, so that no router's password rule refuses it."""
    while True:
        groups = ["".join(secrets.choice(_LETTERS) for _i in range(5)) for _j in range(5)]
        text = "-".join(groups)
        if any(c.islower() for c in text) and any(c.isupper() for c in text) and any(c.isdigit() for c in text):
            return text


def allowed_clean(text: str) -> str:
    """Addresses and networks with commas, as RouterOS takes them; empty stays empty. Raises DomainError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        networks = [ipaddress.ip_network(part, strict=False) for part in parts]
    except ValueError:
        networks = []
    if len(networks) != len(parts) or len(parts) > MOST_ALLOWED or any(one.prefixlen == 0 for one in networks):
        sentence = _("Write IP addresses or networks with commas, for example 203.0.113.5 or 10.0.0.0/24.")
        raise DomainError("location.allowed_from", sentence, {"allowed_from": sentence})
    return ",".join(str(one) for one in networks)


@dataclass(frozen=True)
class Prepared:
    """What a person pastes. It holds the password in the clear: shown once, never stored or logged."""

    login: RouterLogin
    script: str


@transaction.atomic
def login_prepare(
    location: Location, *, ros_version: str, features: Iterable[str], allowed_from: str, is_plain: bool = False,
    closes_plain: bool = False, actor: User | None, ip: str | None = None,
) -> Prepared:  # fmt: skip
    """A new password for our user on this router, and the commands that make the user. Nothing is sent to the router.

    The login in use stays until `access_check` proved the new one. Raises DomainError.
    """
    known = {feature.key for feature in OPTIONAL}
    chosen = sorted(set(features))
    if ros_version not in {V6, V7} or not known.issuperset(chosen):
        raise DomainError("location.features", _("Unknown field."))
    location = Location.objects.select_for_update().get(pk=location.pk)
    password, name = password_make(), f"mb-{installation().tag}"
    values = {
        "username": name, "password": password, "features": chosen, "ros_version": ros_version,
        "allowed_from": allowed_clean(allowed_from), "prepared_at": clock_now(), "proven_at": None, "actor": actor,
    }  # fmt: skip
    login, _is_new = RouterLogin.objects.update_or_create(location=location, defaults=values)
    details = {"location": location.pk, "user": name, "features": chosen, "allowed_from": values["allowed_from"]}
    events.emit(StaffActed(actor.pk if actor else None, "location.login_prepared", details, ip))
    script = LoginScript(
        ros_version, name, password, policies_for(chosen), str(values["allowed_from"]), location.port,
        is_plain=is_plain, closes_plain=closes_plain, common_name=f"router-{location.pk}",
    )  # fmt: skip
    return Prepared(login, script.text())


@dataclass(frozen=True)
class FeatureAccess:
    """Whether one feature of ours can work with the rights we got, and which policies it lacks."""

    feature: Feature
    missing: tuple[str, ...]
    is_chosen: bool


@dataclass(frozen=True)
class AccessReport:
    """What a login to a router may do. `granted` is None where the router does not tell (users of a RADIUS server)."""

    username: str
    version: str
    group: str
    granted: frozenset[str] | None
    features: Sequence[FeatureAccess]
    extra: tuple[str, ...]
    allowed_from: str
    seen_from: tuple[str, ...]
    open_services: tuple[str, ...]
    is_new_login: bool

    @property
    def is_ok(self) -> bool:
        """Everything that was chosen works."""
        return all(not one.missing for one in self.features if one.is_chosen)


def access_check(location: Location, *, actor: User | None = None, ip: str | None = None) -> AccessReport:
    """Log in once and compare the rights we have with those our features need. Only reads are sent to the router.

    A prepared login that works becomes the location's; from then on the old one is not used. Raises AskError, and
    DomainError when others are asking the router. Never inside a transaction.
    """
    login = RouterLogin.objects.filter(location=location).first()
    trial = copy.copy(location)
    is_new = login is not None and login.proven_at is None
    if is_new and login is not None:
        trial.username, trial.password = login.username, login.password
    with router_ask(trial, is_trial=True) as client:
        version = read_identity(client).version
        user = user_row(client, trial.username)
        group = str(user.get("group", "")) if user else ""
        granted = granted_policies(client, trial.username)
        seen_from = _seen_from(client, trial.username)
        open_services = _open_services(client)
    if is_new and login is not None:
        _login_adopt(location, login, actor, ip)
    chosen = set(login.features) if login else set()
    return AccessReport(
        trial.username, version, group, granted, _features(granted, chosen), _extra(granted, chosen, login),
        str(user.get("address", "")) if user else "", seen_from, open_services, is_new,
    )  # fmt: skip


def _features(granted: frozenset[str] | None, chosen: set[str]) -> list[FeatureAccess]:
    found = []
    for feature in FEATURES:
        missing = () if granted is None else tuple(one for one in feature.policies if one not in granted)
        found.append(FeatureAccess(feature, missing, feature.is_core or feature.key in chosen))
    return found


def _extra(granted: frozenset[str] | None, chosen: set[str], login: RouterLogin | None) -> tuple[str, ...]:
    """Rights nobody needs: beyond the chosen features, or beyond all of ours where none were chosen by a preparation."""
    needed = policies_for(chosen if login else [feature.key for feature in OPTIONAL])
    return tuple(sorted((granted or frozenset()) - set(needed)))


@transaction.atomic
def _login_adopt(location: Location, login: RouterLogin, actor: User | None, ip: str | None) -> None:
    login = RouterLogin.objects.select_for_update().get(pk=login.pk)
    if login.proven_at is not None:
        return
    row = Location.objects.select_for_update().get(pk=location.pk)
    before = row.username
    row.username, row.password = login.username, login.password
    row.save(update_fields=["username", "password"])
    login.password, login.proven_at = "", clock_now()
    login.save(update_fields=["password", "proven_at"])
    RouterState.objects.filter(pk=row.pk).update(retry_at=None)
    details: dict[str, Any] = {"location": row.pk, "before": before, "after": row.username, "password": "[changed]"}
    events.emit(StaffActed(actor.pk if actor else None, "location.login_proven", details, ip))
    kick_locations([row.pk], is_forced=True)


# --- what the router says about a login -------------------------------------------------------------------------------


def user_row(client: RouterClient, username: str) -> Row | None:
    """Our user on the router; None for one it knows from elsewhere (RADIUS). Raises RouterTrap."""
    rows = client.print("/user", (), [f"name={username}"])
    return rows[0] if rows else None


def granted_policies(client: RouterClient, username: str) -> frozenset[str] | None:
    """The policies of the login's group; None when the router knows the user from elsewhere. Raises RouterTrap."""
    user = user_row(client, username)
    groups = client.print("/user/group", (), [f"name={user.get('group', '')}"]) if user else []
    return granted_of(groups[0].get("policy", "")) if groups else None


def _seen_from(client: RouterClient, username: str) -> tuple[str, ...]:
    """This server's addresses as the router sees them in its list of sessions."""
    try:
        rows = client.print("/user/active", (), [f"name={username}"])
    except RouterTrap:
        return ()
    return tuple(sorted({row.get("address", "") for row in rows if row.get("via", "").startswith("api")} - {""}))


def _open_services(client: RouterClient) -> tuple[str, ...]:
    """API services that are on and take connections from every address."""
    try:
        rows = client.print("/ip/service")
    except RouterTrap:
        return ()
    found = {
        row.get("name", "") for row in rows
        if row.get("disabled") != "true" and row.get("dynamic") != "true" and not row.get("address")
    }  # fmt: skip
    return tuple(name for name in (PLAIN_SERVICE, TLS_SERVICE) if name in found)
