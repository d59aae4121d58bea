"""Desired rows as router words, and which menu they live in. The only place that knows both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from locations.choices import Kind
from locations.models import AccessAccount, RouterProfile
from locations.routeros.values import comment_of, seconds_text


@dataclass(frozen=True)
class Menu:
    """RouterOS paths of one kind of account."""

    users: str
    profiles: str
    active: str
    active_name: str
    cookies: str


MENUS: dict[str, Menu] = {
    Kind.HOTSPOT: Menu(
        "/ip/hotspot/user", "/ip/hotspot/user/profile", "/ip/hotspot/active", "user", "/ip/hotspot/cookie"
    ),
    Kind.PPP: Menu("/ppp/secret", "/ppp/profile", "/ppp/active", "name", ""),
}
NO_MAC = "00:00:00:00:00:00"


@dataclass(frozen=True)
class SiblingUse:
    """What a roaming account used at its other locations: counts against its limits here."""

    seconds: int = 0
    bytes: int = 0


def limit_seconds(account: AccessAccount, shared_users: int, siblings: SiblingUse, now: datetime) -> int | None:
    """The `limit-uptime` that makes the router alone end paid time; None: no limit.

    The router compares it with its own counter of this epoch: earlier epochs and other routers are taken off
    the plan's limit; the rest of the validity is added to what the counter already shows. Several devices at once
    count several seconds per second, so calendar validity is widened by their number: too late is healed by the
    server, too early would take paid time away. Never 0, which RouterOS reads as "no limit".
    """
    limits: list[int] = []
    if account.limit_uptime_seconds is not None:
        limits.append(account.limit_uptime_seconds - account.past_uptime_seconds - siblings.seconds)
    if account.valid_until is not None:
        left = max(0, int((account.valid_until - now).total_seconds()))
        limits.append(account.epoch_uptime_seconds + left * shared_users)
    return max(1, min(limits)) if limits else None


def limit_bytes(account: AccessAccount, siblings: SiblingUse) -> int | None:
    """The `limit-bytes-total` of this epoch; None: no limit."""
    if account.limit_bytes is None:
        return None
    return max(1, account.limit_bytes - account.past_bytes - siblings.bytes)


def account_words(
    account: AccessAccount,
    profile: RouterProfile,
    installation_tag: str,
    uptime_limit: int | None,
    bytes_limit: int | None,
) -> dict[str, str]:
    """Everything we own of the entry. Properties are always sent whole, so `set` also repairs drift."""
    words = {
        "name": account.name,
        "password": account.secret,
        "profile": profile.name,
        "comment": comment_of(installation_tag, account.tag),
        "disabled": "yes" if account.is_disabled else "no",
    }
    if account.kind == Kind.HOTSPOT:
        words["limit-uptime"] = f"{uptime_limit or 0}s"
        words["limit-bytes-total"] = str(bytes_limit or 0)
        words["mac-address"] = account.mac_address or NO_MAC
    else:
        words["service"] = "pppoe"
        words["caller-id"] = account.mac_address
        if account.static_address:
            words["remote-address"] = account.static_address
    return words


def profile_words(profile: RouterProfile, installation_tag: str) -> dict[str, str]:
    words = {"name": profile.name, "rate-limit": profile.rate_limit}
    if profile.kind == Kind.HOTSPOT:
        words["shared-users"] = str(profile.shared_users)
        words["idle-timeout"] = seconds_text(profile.idle_timeout_seconds)
        words["keepalive-timeout"] = seconds_text(profile.keepalive_timeout_seconds or 120)
        words["session-timeout"] = f"{profile.session_timeout_seconds or 0}s"
        words["address-pool"] = profile.address_pool or "none"
    else:
        words["comment"] = comment_of(installation_tag, profile.tag)
        words["only-one"] = "yes" if profile.shared_users == 1 else "no"
        words["idle-timeout"] = f"{profile.idle_timeout_seconds or 0}s"
        words["session-timeout"] = f"{profile.session_timeout_seconds or 0}s"
        if profile.address_pool:
            words["remote-address"] = profile.address_pool
    return words


def trimmed_for_add(words: Mapping[str, str]) -> dict[str, str]:
    """Words for `add`: what means "not set" is left out, so that the router prints the entry as unset too."""
    unset = {"limit-uptime": "0s", "limit-bytes-total": "0", "mac-address": NO_MAC, "caller-id": "", "rate-limit": "",
             "session-timeout": "0s"}  # fmt: skip
    return {key: value for key, value in words.items() if unset.get(key) != value}
