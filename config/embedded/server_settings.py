"""The two configuration files of the embedded server, written anew at every start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_ALWAYS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0777",  # the password decides: web and workers may run as another account
    "password_encryption": "'scram-sha-256'",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "datestyle": "'iso, mdy'",
    "log_line_prefix": "'%m [%p] %u@%d '",
    # A failing row is otherwise logged with its values: voucher codes and phones do not belong in a log.
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
    "jit": "off",
    "shared_buffers": "'128MB'",
    "max_wal_size": "'1GB'",
    "random_page_cost": "1.1",
}
_SAFE = {"max_connections": "120"}
_FAST = {
    "max_connections": "200",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "'5min'",
}

_LOCAL_RULE = "local all all scram-sha-256"
_TLS_RULE = "hostssl all all 127.0.0.1/32 scram-sha-256"


@dataclass(frozen=True)
class TlsListener:
    """A TCP port on the loopback interface that speaks TLS only; how a server elsewhere looks to a client."""

    port: int
    certificate: Path
    key: Path


def access_rules(tls: TlsListener | None) -> str:
    """Text of pg_hba.conf: a password for everyone, over the unix socket or TLS; nothing else."""
    return "\n".join([_LOCAL_RULE, *([_TLS_RULE] if tls else []), ""])


def server_settings(*, sockets: Path, rules: Path, fast: bool, tls: TlsListener | None = None) -> str:
    """Text of postgresql.conf. `fast` gives up crash safety and is for tests only."""
    values = _ALWAYS | (_FAST if fast else _SAFE)
    values["unix_socket_directories"] = quoted(str(sockets))
    values["hba_file"] = quoted(str(rules))
    if tls is not None:
        values |= {"listen_addresses": "'127.0.0.1'", "port": str(tls.port), "ssl": "on"}
        values |= {"ssl_cert_file": quoted(str(tls.certificate)), "ssl_key_file": quoted(str(tls.key))}
    lines = [f"{key} = {value}" for key, value in values.items()]
    return "\n".join(["# Written by config/embedded at every start; changes here are lost.", *lines, ""])


def quoted(value: str) -> str:
    """A string value of postgresql.conf."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
