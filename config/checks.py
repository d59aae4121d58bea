"""System checks of the composition root: settings that are dangerous or cannot work, told before the first request.

`manage.py check --deploy` runs them all; the plain `check` (and every start) the ones that are always wrong.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name
from django.http.request import validate_host

LOCAL_NAMES = {"localhost", "testserver"}
WITHOUT_NAME_CHECK = {"require", "verify-ca"}


@register(Tags.security)
def debug_is_off(**_kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG:
        return [Error("DEBUG is on: error pages would show settings and data to everybody.", id="config.E001")]
    return []


@register(Tags.security)
def demo_stays_at_home(**_kwargs: Any) -> list[CheckMessage]:
    """The demo has emulated routers and a password printed on the terminal."""
    if not settings.DEMO_MODE:
        return []
    hosts = [urlsplit(settings.PUBLIC_URL).hostname or "", *settings.ALLOWED_HOSTS]
    public = sorted({host for host in hosts if not is_local(host)})
    if public:
        return [
            Error(
                f"DEMO_MODE is on, but the site answers to {', '.join(public)}.",
                hint="Set DEMO_MODE=false, or PUBLIC_URL and ALLOWED_HOSTS to this machine only.", id="config.E002",
            )
        ]  # fmt: skip
    return []


@register(Tags.security)
def encryption_keys_are_there(**_kwargs: Any) -> list[CheckMessage]:
    if settings.FIELD_ENCRYPTION_KEYS:
        return []
    return [
        Error(
            "FIELD_ENCRYPTION_KEYS is empty: router passwords could not be stored.",
            hint="Make a key with `manage.py make_key`.", id="config.E003",
        )
    ]  # fmt: skip


@register(Tags.security)
def database_link_is_verified(**_kwargs: Any) -> list[CheckMessage]:
    """Unencrypted is refused earlier, by config.env."""
    return [
        Warning(
            f"sslmode={mode} does not prove that the other end is your database server.",
            hint=f"Use sslmode=verify-full with sslrootcert=/path/to/ca.crt in {name}.", id="config.W004",
        )
        for name, mode in settings.DATABASE_SSLMODES.items()
        if mode in WITHOUT_NAME_CHECK
    ]  # fmt: skip


@register(Tags.database)
def pool_and_kept_connections_exclude_each_other(**_kwargs: Any) -> list[CheckMessage]:
    default = settings.DATABASES["default"]
    if default.get("OPTIONS", {}).get("pool") and default.get("CONN_MAX_AGE", 0) != 0:
        return [Error("A connection pool needs CONN_MAX_AGE = 0.", id="config.E005")]
    return []


@register(Tags.security, deploy=True)
def public_url_is_answered(**_kwargs: Any) -> list[CheckMessage]:
    """A link we send must lead to us."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    found: list[CheckMessage] = []
    if not validate_host(host, settings.ALLOWED_HOSTS):
        found.append(
            Error(
                f"PUBLIC_URL names {host}, but ALLOWED_HOSTS does not.", hint=f"Add {host} to ALLOWED_HOSTS.",
                id="config.E006",
            )
        )  # fmt: skip
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            Warning("ALLOWED_HOSTS holds *: links in answers can be made to point anywhere.", id="config.W006")
        )
    return found


@register(Tags.security, deploy=True)
def public_site_has_https(**_kwargs: Any) -> list[CheckMessage]:
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    if not settings.IS_HTTPS and not is_local(host):
        return [
            Warning(
                f"PUBLIC_URL is http://{host}: passwords of staff cross the network readable.",
                hint="Put a proxy with TLS in front and set PUBLIC_URL=https://…", id="config.W007",
            )
        ]  # fmt: skip
    if settings.IS_HTTPS and not settings.TRUSTED_PROXIES:
        return [
            Warning(
                "PUBLIC_URL is https, but TRUSTED_PROXIES is 0: every request behind the proxy looks like http and is "
                "redirected for ever.",
                hint="Set TRUSTED_PROXIES=1 (the number of proxies that set X-Forwarded-For and -Proto).",
                id="config.W008",
            )
        ]  # fmt: skip
    return []


def is_local(host: str) -> bool:
    """Whether only this machine can mean `host`."""
    host = host.strip("[]")
    if host in LOCAL_NAMES or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
