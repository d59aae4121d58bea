from __future__ import annotations

from pathlib import Path

from config.embedded.server_settings import TlsListener, access_rules, quoted, server_settings


def values(text: str) -> dict[str, str]:
    pairs = (line.split(" = ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {pair[0]: pair[1] for pair in pairs}


def test_the_demo_is_crash_safe_and_reachable_by_socket_only() -> None:
    found = values(server_settings(sockets=Path("/s o'x"), rules=Path("/hba"), fast=False))
    assert "fsync" not in found
    assert "full_page_writes" not in found
    assert found["listen_addresses"] == "''"
    assert found["unix_socket_directories"] == "'/s o''x'"
    assert found["shared_buffers"] == "'128MB'"
    assert found["max_connections"] == "120"


def test_tests_trade_safety_for_speed() -> None:
    found = values(server_settings(sockets=Path("/s"), rules=Path("/hba"), fast=True))
    assert (found["fsync"], found["synchronous_commit"], found["full_page_writes"]) == ("off", "off", "off")
    assert found["max_connections"] == "200"


def test_a_tls_listener_takes_no_plain_connection() -> None:
    tls = TlsListener(5999, Path("/c.crt"), Path("/c.key"))
    found = values(server_settings(sockets=Path("/s"), rules=Path("/hba"), fast=True, tls=tls))
    assert (found["listen_addresses"], found["port"], found["ssl"]) == ("'127.0.0.1'", "5999", "on")
    assert access_rules(tls).splitlines() == [
        "local all all scram-sha-256",
        "hostssl all all 127.0.0.1/32 scram-sha-256",
    ]
    assert access_rules(None).splitlines() == ["local all all scram-sha-256"]


def test_quoting() -> None:
    assert quoted("a'b\\c") == "'a''b\\\\c'"
