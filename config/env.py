"""Every environment variable of the product, in one table: type, default, one line of help.

`.env.example` is generated from it (`manage.py env_example`), and a test checks that each takes effect.
A bad value stops the start with a sentence that says what to set.
"""

from __future__ import annotations

import re
import ssl
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config.env_rules import password_problem, secret_problem, secrets_named, values_problem


class EnvError(ValueError):
    """A sentence about what to set."""


@dataclass(frozen=True)
class Var:
    name: str
    parse: Callable[[str], Any]
    default: Any
    help: str
    example: str = ""


def text(value: str) -> str:
    return value


def boolean(value: str) -> bool:
    if value.lower() not in {"true", "false", "1", "0", "yes", "no"}:
        raise EnvError("must be true or false")
    return value.lower() in {"true", "1", "yes"}


def whole(minimum: int, maximum: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise EnvError("must be a whole number") from None
        if not minimum <= number <= maximum:
            raise EnvError(f"must be between {minimum} and {maximum}")
        return number

    return parse


def one_of(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise EnvError(f"must be one of {', '.join(allowed)}")
        return value

    return parse


def time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise EnvError("must be the name of a time zone, for example Asia/Jakarta") from None
    return value


def currency(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", value):
        raise EnvError("must be the three capital letters of a currency, for example IDR")
    return value


def country(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", value):
        raise EnvError("must be the two capital letters of a country, for example ID")
    return value


def items(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def path(value: str) -> Path:
    return Path(value).expanduser()


def secret(value: str) -> str:
    """A key nobody else has."""
    if problem := secret_problem(value):
        raise EnvError(problem)
    return value


def router_password(value: str) -> str:
    if problem := password_problem(value):
        raise EnvError(f"is {problem}; give the router's API user one of its own, e.g. from `openssl rand -hex 12`")
    return value


def router_host(value: str) -> str:
    from locations.routeros.addresses import is_host, is_impossible, numeric_addresses

    if not is_host(value) or len(value) > 255:
        raise EnvError("must be a host name or an IP address of a router, without http:// and without a port")
    if any(is_impossible(address) for address in numeric_addresses(value)):
        raise EnvError("cannot be the address of a router; set the one this server reaches it at")
    return value


def router_user(value: str) -> str:
    if len(value) > 64:
        raise EnvError("is too long: the name of the router's API user has at most 64 characters")
    return value


def fernet_keys(value: str) -> list[str]:
    from cryptography.fernet import Fernet

    keys = items(value)
    if not keys:
        raise EnvError("holds no key; make one with `manage.py make_key`")
    for key in keys:
        try:
            Fernet(key)
        except ValueError:
            raise EnvError(
                "must hold Fernet keys, comma separated, newest first; make one with `manage.py make_key`"
            ) from None
        if len(set(urlsafe_b64decode(key))) == 1:
            raise EnvError("holds a key of one repeated character; make one with `manage.py make_key`")
    return keys


def http_url(value: str) -> str:
    if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).netloc:
        raise EnvError("must be a URL that starts with http:// or https://")
    return value.rstrip("/")


def listen_host(value: str) -> str:
    """One address of ours, or a name of it: who asks for metrics is not asked who he is."""
    from locations.routeros.addresses import is_host, numeric_addresses

    if not is_host(value) or value == "*" or any(address.is_unspecified for address in numeric_addresses(value)):
        raise EnvError("must be one address or name of this machine, in a network where only Prometheus is")
    return value


def redis_url(value: str) -> str:
    """Over TLS the certificate is always checked: kombu checks nothing unless the URL says so, redis-py does without."""
    parts = urlsplit(value)
    if problem := password_problem(unquote(parts.password or "")):
        raise EnvError(f"holds {problem}; give Redis one of its own, e.g. from `openssl rand -hex 24`")
    if parts.scheme == "unix":
        return value
    if parts.scheme == "rediss":
        options = dict(parse_qsl(parts.query))
        is_checked = options.setdefault("ssl_cert_reqs", "required") in {"required", "CERT_REQUIRED"}
        if not is_checked or options.get("ssl_check_hostname", "true").lower() not in {"true", "1", "yes"}:
            raise EnvError("must not turn off the check of the certificate; name your own authority with ssl_ca_certs=")
        return urlunsplit(parts._replace(query=urlencode(options)))
    if parts.scheme == "redis" and (parts.hostname or "localhost") in LOCAL_HOSTS:
        return value
    raise EnvError("must be rediss:// (TLS) to another host; redis:// only to this machine, or unix:///path")


AUTHORITY_FILES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
INDIRECT = {"service", "servicefile"}  # libpq would read the host from a file that nobody checks for TLS
WITHOUT_TLS = {"disable", "allow", "prefer"}
SSL_MODES = WITHOUT_TLS | {"require", "verify-ca", "verify-full"}


@dataclass(frozen=True)
class Database:
    """What a `postgresql://` URL says. `is_remote` is a TCP connection to another host (libpq dials `hostaddr` if given)."""

    name: str
    user: str
    password: str
    host: str
    port: str
    options: dict[str, str]

    @property
    def is_remote(self) -> bool:
        hosts = [item for value in (self.host, self.options.get("hostaddr", "")) for item in value.split(",") if item]
        return any(not host.startswith("/") and host not in LOCAL_HOSTS for host in hosts)


def database_url(value: str) -> Database:
    """Parse a PostgreSQL URL; to another host TLS with a verified certificate is the default."""
    parts = urlsplit(value)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise EnvError("must start with postgresql:// (other databases are not supported)")
    options = dict(parse_qsl(parts.query))
    if indirect := sorted(INDIRECT & options.keys()):
        raise EnvError(f"must not name a {indirect[0]}: write host, name and sslmode here, where they can be checked")
    host = options.pop("host", "") or (unquote(parts.hostname) if parts.hostname else "")
    database = Database(
        name=unquote(parts.path.lstrip("/")), user=unquote(parts.username or ""),
        password=unquote(parts.password or ""), host=host, port=str(parts.port or options.pop("port", "")),
        options=options,
    )  # fmt: skip
    if not database.name:
        raise EnvError("must name the database: postgresql://user:password@host/name")
    if problem := password_problem(database.password):
        raise EnvError(f"holds {problem}; give the database role one of its own, e.g. from `openssl rand -hex 24`")
    if options.get("sslmode", "verify-full") not in SSL_MODES:
        raise EnvError(f"has an unknown sslmode; one of {', '.join(sorted(SSL_MODES))}")
    if database.is_remote:
        options.setdefault("sslmode", "verify-full")
        if options["sslmode"] in WITHOUT_TLS:
            raise EnvError(
                f"has sslmode={options['sslmode']}, which sends passwords and data to another host unencrypted;"
                " take it out (verify-full is the default)"
            )
        if options["sslmode"] == "verify-full":
            options.setdefault("sslrootcert", system_authorities())
    return database


def system_authorities() -> str:
    """The machine's list of certificate authorities as a file (SSL_CERT_FILE counts), or libpq's word `system`.

    Not simply `system`: psycopg's wheel brings its own OpenSSL, which looks in a folder that exists on no machine.
    """
    for file in (ssl.get_default_verify_paths().cafile, *AUTHORITY_FILES):
        if file and Path(file).is_file():
            return file
    return "system"


VARS: tuple[Var, ...] = (
    Var(
        "DATABASE_URL",
        database_url,
        None,
        "PostgreSQL 14+, the application's role. Another host needs TLS (sslmode=verify-full).",
        "postgresql://mb_app:…@localhost:5432/mikrotik_billing",
    ),
    Var(
        "DATABASE_OWNER_URL",
        database_url,
        None,
        "The role that owns the tables and migrates; same host, port and database as DATABASE_URL.",
        "postgresql://mb_owner:…@localhost:5432/mikrotik_billing",
    ),
    Var("DATABASE_POOL_MAX", whole(0, 500), 10, "Connections one process may keep; 0 turns the pool off."),
    Var(
        "REDIS_URL",
        redis_url,
        "",
        "Redis 6+ for Celery, cache and sessions; rediss:// to another host (own authority: ?ssl_ca_certs=/path/ca.pem).",
        "rediss://:…@redis.example.net:6379/0",
    ),
    Var("JWT_SECRET", secret, None, "Signs API tokens. No two secrets may be equal."),
    Var("SESSION_SECRET", secret, None, "Signs sessions and forms (Django's SECRET_KEY)."),
    Var(
        "FIELD_ENCRYPTION_KEYS",
        fernet_keys,
        None,
        "Encrypts router and gateway passwords; newest first. Losing it loses them.",
    ),
    Var(
        "ALLOWED_HOSTS",
        items,
        ["localhost", "127.0.0.1", "[::1]"],
        "Host names this site answers to.",
        "billing.example.net",
    ),
    Var(
        "PUBLIC_URL",
        http_url,
        "http://localhost:8000",
        "The address people open; https:// turns on secure cookies and HSTS.",
        "https://billing.example.net",
    ),
    Var("TRUSTED_PROXIES", whole(0, 5), 0, "How many reverse proxies in front set X-Forwarded-For (nginx: 1)."),
    Var("RATE_LIMIT_WINDOW", whole(1000, 86_400_000), 900_000, "API rate limit window, milliseconds."),
    Var("RATE_LIMIT_MAX", whole(1, 1_000_000), 100, "API requests per user or address in the window."),
    Var("MIKROTIK_HOST", router_host, "", "Seeds the first location, once; then MIKROTIK_PASSWORD too.", "192.168.1.1"),
    Var("MIKROTIK_PORT", whole(1, 65535), 8728, "API port of the first location."),
    Var("MIKROTIK_USERNAME", router_user, "admin", "API user of the first location."),
    Var("MIKROTIK_PASSWORD", router_password, "", "API password of the first location."),
    Var("MIKROTIK_TIMEOUT", whole(1000, 300_000), 30_000, "Longest wait for one router answer, milliseconds."),
    Var(
        "WHATSAPP_WEB_HOOK_URL",
        http_url,
        "",
        "Where WhatsApp gateways deliver their events.",
        "https://billing.example.net/webhook/whatsapp",
    ),
    Var(
        "WHATSAPP_SESSION_TIMEOUT",
        whole(1000, 3_600_000),
        300_000,
        "A silent WhatsApp session counts as lost after this, milliseconds.",
    ),
    Var("BACKUP_STORAGE_PATH", path, Path("var/backups"), "Folder of local backups."),
    Var("SFTP_HOST", text, "", "Seeds the first SFTP backup storage.", "backup.example.net"),
    Var("SFTP_PORT", whole(1, 65535), 22, "Port of the SFTP storage."),
    Var("SFTP_USERNAME", text, "", "User of the SFTP storage."),
    Var("SFTP_PRIVATE_KEY_PATH", path, None, "Private key of the SFTP user."),
    Var("CURRENCY", currency, "IDR", "ISO 4217 code of the one currency; do not change it later."),
    Var("TIME_ZONE", time_zone, "Asia/Jakarta", "Zone of the office; each location has its own."),
    Var("PHONE_REGION", country, "ID", "Country of phone numbers written without one."),
    Var("LANGUAGE_CODE", one_of("id", "en"), "id", "Default language: id or en."),
    Var("LOG_LEVEL", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO", "DEBUG, INFO, WARNING or ERROR."),
    Var("LOG_DIR", path, Path("var/log"), "Folder of the rotated JSON log."),
    Var("METRICS_PORT", whole(0, 65535), 0, "Prometheus metrics at METRICS_HOST, this port; 0 turns them off."),
    Var(
        "METRICS_HOST",
        listen_host,
        "127.0.0.1",
        "Address or name of this machine in the network Prometheus comes from.",
    ),
    Var("SENTRY_DSN", text, "", "Error tracking; empty turns it off."),
    Var("VAR_DIR", path, Path("var"), "Folder for local state."),
    Var("DEMO_MODE", boolean, False, "The trial with emulated routers; never on a public address."),
    Var("MIKROTIK_CA_FILE", text, "", "Own authorities for routers whose certificate is checked, as a PEM file."),
    Var("MIKROTIK_ALLOW_LOOPBACK", boolean, False, "Routers may be reached at 127.0.0.1, for a tunnel that ends here."),
    Var("KICKS_ENABLED", boolean, True, "Wake workers at once; false leaves all work to the sweeps."),
)
REQUIRED = ("DATABASE_URL", "JWT_SECRET", "SESSION_SECRET", "FIELD_ENCRYPTION_KEYS")


def read_file(file: Path) -> dict[str, str]:
    """`NAME=value` lines of an env file; missing file: nothing."""
    if not file.is_file():
        return {}
    pairs = (line.split("=", 1) for line in file.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def layers(base: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The process environment, then `.env`, then, if neither names a database, what a running demo left under `var/`."""
    own = read_file(base / ".env") | dict(environ)
    if own.get("DATABASE_URL") or own.get("DATABASE_URL_FILE"):
        return own
    var = base / (own.get("VAR_DIR") or "var")
    return read_file(var / "secrets.env") | read_file(var / "embedded.env") | own


def read(environ: Mapping[str, str]) -> dict[str, Any]:
    """All variables, typed. `NAME_FILE` may point to a file that holds the value (container secrets).

    Raises EnvError with a sentence that names the variable and says what to set.
    """
    values: dict[str, Any] = {}
    for var in VARS:
        raw = environ.get(var.name, "")
        file = environ.get(f"{var.name}_FILE", "")
        if not raw and file:
            raw = _read_secret_file(var.name, Path(file))
        if not raw:
            if var.name in REQUIRED:
                raise EnvError(f"{var.name} is not set. {var.help} `bin/demo` sets everything up for a trial.")
            values[var.name] = var.default
            continue
        try:
            values[var.name] = var.parse(raw)
        except EnvError as error:
            raise EnvError(f"{var.name} {error}.") from None
        except ValueError:  # a port that is no number, a broken IPv6 address: the message could hold the password
            raise EnvError(f"{var.name} cannot be understood; check its host, port and brackets.") from None
    if problem := values_problem(values):
        raise EnvError(f"{problem}.")
    return values


def _read_secret_file(name: str, file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError as error:
        raise EnvError(f"{name}_FILE cannot be read: {error.strerror}.") from None


def secret_values(values: Mapping[str, Any]) -> list[str]:
    """The secrets among the values of `read`, also those inside URLs, for the scrubber of logs."""
    return [secret for _name, secret in secrets_named(values)]
