"""Clients that other people wrote must not notice anything."""

from __future__ import annotations

import ssl

import librouteros
import pytest
import routeros_api
from librouteros.exceptions import TrapError
from librouteros.login import plain, token
from librouteros.query import And, Key, Or
from routeros_api.exceptions import RouterOsApiCommunicationError

from locations.emulator import EmulatedRouter

from .api_client import PASSWORD

name, comment, profile = Key("name"), Key("comment"), Key("profile")


def anonymous_tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ADH:@SECLEVEL=0")
    return context


def test_librouteros_reads_writes_and_queries(router: EmulatedRouter) -> None:
    api = librouteros.connect(
        host="127.0.0.1", port=router.port, username="billing", password=PASSWORD, encoding="utf-8"
    )
    users = api.path("ip", "hotspot", "user")
    ids = [users.add(name=f"u{number}", password="x", comment=f"c{number % 2}") for number in range(6)]
    assert ids == [f"*{number + 1:X}" for number in range(6)]
    query = users.select(name).where(Or(name == "u1", name == "u2"))
    assert [row["name"] for row in query] == ["u1", "u2"]
    query = users.select(name).where(And(comment == "c0", profile == "default"))
    assert [row["name"] for row in query] == ["u0", "u2", "u4"]
    query = users.select(name).where(name.In("u3", "u5", "nobody"))
    assert [row["name"] for row in query] == ["u3", "u5"]
    users.update(**{".id": "*1", "comment": "Pelanggan é ☕"})
    assert [row["comment"] for row in users.select(comment).where(name == "u0")] == ["Pelanggan é ☕"]
    users.remove("*1", "*2")
    assert [row["name"] for row in users][1:] == ["u2", "u3", "u4", "u5"]
    with pytest.raises(TrapError, match="already have user with this name for this server"):
        users.add(name="u5")
    with pytest.raises(TrapError, match="no such item"):
        users.remove("*1")
    api.close()
    assert router.rows("/ip/hotspot/user", name="u2")[0]["comment"] == "c0"


@pytest.mark.parametrize(("version", "method"), [("6.42.12", token), ("6.44.6", token), ("7.16.1", plain)])
def test_librouteros_logs_in_both_ways(version: str, method: object) -> None:
    with EmulatedRouter(version, password=PASSWORD) as router:
        api = librouteros.connect(
            host="127.0.0.1", port=router.port, username="billing", password=PASSWORD, login_method=method
        )
        assert [row["name"] for row in api.path("system", "identity")] == ["MikroTik"]
        api.close()
        with pytest.raises(TrapError):
            librouteros.connect(
                host="127.0.0.1", port=router.port, username="billing", password="bad", login_method=method
            )


def test_librouteros_over_anonymous_tls() -> None:
    with EmulatedRouter(password=PASSWORD, tls="anonymous") as router:
        api = librouteros.connect(
            host="127.0.0.1",
            port=router.tls_port,
            username="billing",
            password=PASSWORD,
            ssl_wrapper=anonymous_tls().wrap_socket,
        )
        assert [row["via"] for row in api.path("user", "active")] == ["api-ssl"]
        api.close()


@pytest.mark.parametrize("version", ["6.42.12", "6.49.17", "7.9.2", "7.16.1", "7.21.3"])
def test_routeros_api_works_with_every_version(version: str) -> None:
    with EmulatedRouter(version, password=PASSWORD) as router:
        pool = routeros_api.RouterOsApiPool("127.0.0.1", "billing", PASSWORD, port=router.port, plaintext_login=True)
        users = pool.get_api().get_resource("/ip/hotspot/user")
        promises = [users.add_async(name=f"u{number}", password="x") for number in range(20)]
        assert [promise.get().done_message["ret"] for promise in promises][-1] == "*14"
        assert users.get(name="nobody") == []
        (row,) = users.get(name="u3")
        users.set(id=row["id"], comment="hello", disabled="yes")
        assert users.get(name="u3")[0]["disabled"] == "true"
        with pytest.raises(RouterOsApiCommunicationError) as error:
            users.add(name="u3")
        assert error.value.original_message == b"failure: already have user with this name for this server"
        users.remove(id=row["id"])
        assert len(users.get()) == 20
        pool.disconnect()


def test_routeros_api_over_anonymous_tls() -> None:
    with EmulatedRouter(password=PASSWORD, tls="anonymous") as router:
        pool = routeros_api.RouterOsApiPool(
            "127.0.0.1",
            "billing",
            PASSWORD,
            port=router.tls_port,
            plaintext_login=True,
            ssl_context=anonymous_tls(),
        )
        assert pool.get_api().get_resource("/system/identity").get() == [{"name": "MikroTik"}]
        pool.disconnect()


def test_winbox_wrote_a_latin_1_comment(router: EmulatedRouter) -> None:
    pool = routeros_api.RouterOsApiPool("127.0.0.1", "billing", PASSWORD, port=router.port, plaintext_login=True)
    users = pool.get_api().get_binary_resource("/ip/hotspot/user")
    users.add(name=b"a", comment=b"caf\xe9")
    assert users.get(name=b"a")[0]["comment"] == b"caf\xe9"
    assert router.rows("/ip/hotspot/user", name="a")[0]["comment"] == "café"
    pool.disconnect()
