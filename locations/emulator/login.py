"""Logging in to the API: the password form since 6.43 and the challenge before."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass

from .device import Device
from .errors import Trap
from .sentence import Caller, Done, Sentence

WRONG_MODERN = "invalid user name or password (6)"
WRONG_LEGACY = "cannot log in"
_PASSWORD_FORM_SINCE = (6, 43, 0)
_CHALLENGE_GONE_SINCE = (6, 45, 1)


@dataclass(slots=True)
class LoginState:
    """The challenge of one connection."""

    challenge: str | None = None


def login(device: Device, state: LoginState, sentence: Sentence, address: str, via: str) -> Caller | Done:
    """The caller on success, or a Done with the challenge. Raises Trap with the router's words."""
    words = sentence.attributes
    is_modern = device.version >= _PASSWORD_FORM_SINCE
    allows_challenge = device.version < _CHALLENGE_GONE_SINCE
    name = words.get("name", "")
    if "response" in words and allows_challenge and state.challenge is not None:
        is_right = _response_is_right(_password(device, name), state.challenge, words["response"])
        state.challenge = None
        return _finish(device, name, is_right, address, via, WRONG_MODERN if is_modern else WRONG_LEGACY)
    if allows_challenge and "response" not in words and (not is_modern or "password" not in words):
        state.challenge = secrets.token_hex(16)
        return Done(state.challenge)
    known = _password(device, name)
    given = words.get("password")
    is_right = known is not None and given is not None and hmac.compare_digest(_raw(known), _raw(given))
    return _finish(device, name, is_right, address, via, WRONG_MODERN if is_modern else WRONG_LEGACY)


def _raw(text: str) -> bytes:
    return text.encode("latin-1")


def _password(device: Device, name: str) -> str | None:
    row = device.tables["user"].named(name)
    if row is None or row.values.get("disabled") == "true":
        return None
    return row.values.get("password", "")


def _response_is_right(password: str | None, challenge: str, response: str) -> bool:
    if password is None:
        return False
    # The old login is defined with MD5; nothing here depends on its strength.
    digest = hashlib.md5(b"\0" + _raw(password) + bytes.fromhex(challenge), usedforsecurity=False)
    return hmac.compare_digest(_raw("00" + digest.hexdigest()), _raw(response))


def _finish(device: Device, name: str, is_right: bool, address: str, via: str, wrong: str) -> Caller:
    row = device.tables["user"].named(name) if is_right else None
    if row is not None and address_allowed(row.values.get("address", ""), address):
        group = row.values.get("group", "")
        policies = device.policies_of(group)
        if "api" in policies:
            device.tables["user"].update(row, {"last-logged-in": device.moment_text()})
            device.log("system,info,account", f"user {name} logged in from {address} via {via}")
            return Caller(name, group, policies, address)
    device.log("system,error,critical", f"login failure for user {name} from {address} via {via}")
    raise Trap(wrong)


def open_session(device: Device, caller: Caller, via: str) -> str:
    """Note a session in /user/active; returns the id of its row."""
    when = device.moment_text()
    names = {"name": caller.name, "address": caller.address, "group": caller.group}
    return device.insert("user/active", when=when, via=via, **names).id


def address_allowed(allowed: str, address: str) -> bool:
    """Whether an address is in a comma list of networks; an empty list allows everybody."""
    networks = [part for part in allowed.split(",") if part]
    if not networks or not address:
        return True
    host = ipaddress.ip_address(address)
    return any(host in ipaddress.ip_network(part, strict=False) for part in networks)
