"""Which menu desired rows live in, the limits they get there, and how a profile looks as router words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from locations.choices import ADOPTED_TAG, ISOLATION_TAG, Kind
from locations.models import AccessAccount, RouterProfile
from locations.routeros.values import comment_of, seconds_text


@dataclass(frozen=True)
class Menu:
    """RouterOS paths of one kind of account; empty where the kind has none."""

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
    # a static address has no login: its profile is only the speed of its queue, and there is no session to end
    Kind.STATIC: Menu("/queue/simple", "", "", "", ""),
}
NO_MAC = "00:00:00:00:00:00"


@dataclass(frozen=True)
class SiblingUse:
    """What a roaming account used at its other locations: counts against its limits here."""

    seconds: int = 0
    bytes: int = 0


def limit_seconds(
    account: AccessAccount, shared_users: int, siblings: SiblingUse, now: datetime, unread_seconds: int = 0
) -> int | None:
    """The `limit-uptime` that makes the router alone end paid time; None: no limit.

    The router compares it with its own counter of this epoch: earlier epochs and other routers are taken off
    the plan's limit; the rest of the validity is added to what the counter already shows: what we last read, and the
    `unread_seconds` since then, in which he may have been online. Several devices at once count several seconds per
    second, so calendar validity is widened by their number: too late is healed by the server, too early would take
    paid time away. Never 0, which RouterOS reads as "no limit".
    """
    limits: list[int] = []
    if account.limit_uptime_seconds is not None:
        limits.append(account.limit_uptime_seconds - account.past_uptime_seconds - siblings.seconds)
    if account.valid_until is not None:
        left = max(0, int((account.valid_until - now).total_seconds()))
        limits.append(account.epoch_uptime_seconds + (left + unread_seconds) * shared_users)
    return max(1, min(limits)) if limits else None


def limit_bytes(account: AccessAccount, siblings: SiblingUse) -> int | None:
    """The `limit-bytes-total` of this epoch; None: no limit."""
    if account.limit_bytes is None:
        return None
    return max(1, account.limit_bytes - account.past_bytes - siblings.bytes)


def profile_words(profile: RouterProfile, installation_tag: str) -> dict[str, str]:
    words = {"name": profile.name, "rate-limit": profile.rate_limit}
    if profile.kind == Kind.HOTSPOT:
        words["shared-users"] = str(profile.shared_users)
        words["idle-timeout"] = seconds_text(profile.idle_timeout_seconds)
        if profile.keepalive_timeout_seconds or profile.tag != ADOPTED_TAG:
            words["keepalive-timeout"] = seconds_text(profile.keepalive_timeout_seconds or 120)
        words["session-timeout"] = f"{profile.session_timeout_seconds or 0}s"
        words["address-pool"] = profile.address_pool or "none"
    else:
        if profile.tag != ADOPTED_TAG:
            words["comment"] = comment_of(installation_tag, profile.tag)
        words["only-one"] = "yes" if profile.shared_users == 1 else "no"
        words["idle-timeout"] = f"{profile.idle_timeout_seconds or 0}s"
        words["session-timeout"] = f"{profile.session_timeout_seconds or 0}s"
        if profile.address_pool:
            words["remote-address"] = profile.address_pool
    if profile.address_list or profile.tag == ISOLATION_TAG:  # elsewhere an operator's own list stays
        words["address-list"] = profile.address_list
    if profile.kind == Kind.HOTSPOT and profile.on_login is not None:
        words["on-login"] = profile.on_login
    return words


def trimmed_for_add(words: Mapping[str, str]) -> dict[str, str]:
    """Words for `add`: what means "not set" is left out, so that the router prints the entry as unset too."""
    unset = {"limit-uptime": "0s", "limit-bytes-total": "0", "mac-address": NO_MAC, "caller-id": "", "rate-limit": "",
             "session-timeout": "0s", "address-list": "", "!remote-address": ""}  # fmt: skip
    return {key: value for key, value in words.items() if unset.get(key) != value}
