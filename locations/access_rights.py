"""Which rights of a router's user each of our features needs (RouterOS policies, routeros.md 8.2). One table for all.

Pure data and questions about it: the page that prints the commands, the check and the API read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Feature:
    """Something of ours that does not work without `policies`. `is_core`: without it the product is of no use."""

    key: str
    label: str | Promise
    policies: tuple[str, ...]
    is_core: bool = False


FEATURES = (
    Feature(
        "accounts", _("Logins, plans, isolation, who is online, repairs, traffic, health"), ("api", "read", "write"),
        is_core=True,
    ),
    Feature("ping", _("Ping from the router"), ("test",), is_core=True),
    Feature("passwords", _("Compare passwords on the router with ours; secrets in configuration backups"), ("sensitive",)),
    Feature("reboot", _("Reboot the router from here"), ("reboot",)),
    Feature(
        "files",
        _("Files on the router: configuration backups, thousands of logins in one go, login pages of the hotspot"),
        ("ftp",),
    ),
    Feature("scripts", _("Scripts and schedulers on the router, as the hotspot wizard sets them up"), ("policy",)),
)  # fmt: skip
CORE = tuple(policy for feature in FEATURES if feature.is_core for policy in feature.policies)
OPTIONAL = tuple(feature for feature in FEATURES if not feature.is_core)
# every policy that RouterOS 6.49 and 7 both know; 7 has one more. Older ones (dude, tikapp) are never granted by us.
KNOWN = (
    "local", "telnet", "ssh", "ftp", "reboot", "read", "write", "policy", "test", "winbox", "password", "web", "sniff",
    "sensitive", "api", "romon",
)  # fmt: skip
ONLY_V7 = ("rest-api",)


def policies_for(features: Iterable[str]) -> tuple[str, ...]:
    """The core set and what these optional features add, each once."""
    wanted = set(features)
    added = [policy for feature in OPTIONAL if feature.key in wanted for policy in feature.policies]
    return tuple(dict.fromkeys([*CORE, *added]))


def policy_words(policies: Iterable[str], *, is_v7: bool) -> str:
    """The `policy=` of a group: what it has, and `!` before everything else, because `set` only adds (routeros.md 8.2)."""
    granted = set(policies)
    known = (*KNOWN, *ONLY_V7) if is_v7 else KNOWN
    return ",".join([*(one for one in known if one in granted), *(f"!{one}" for one in known if one not in granted)])


def granted_of(text: str) -> frozenset[str]:
    """The granted policies out of a group's `policy` as the router prints it."""
    return frozenset(part for part in text.replace(" ", "").split(",") if part and not part.startswith("!"))
