"""librouteros as its own documentation uses it: paths, queries, encodings, raw commands, asyncio, configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import librouteros
import pytest
from librouteros.exceptions import FatalError, LibRouterosError, TrapError
from librouteros.login import async_plain, plain, token
from librouteros.query import And, Key, Or

from locations.emulator import EmulatedRouter

from .conftest import PASSWORD, VERSION

ADDRESS, COMMENT, ID, NAME = Key("address"), Key("comment"), Key(".id"), Key("name")


def connect(router: EmulatedRouter, **options: Any) -> Any:
    return librouteros.connect(
        **{"host": "127.0.0.1", "port": router.port, "username": router.user, "password": PASSWORD, **options}
    )


@pytest.fixture
def api(full_router: EmulatedRouter) -> Iterator[Any]:
    client = connect(full_router, encoding="utf-8")
    yield client
    client.close()


@pytest.mark.parametrize(
    ("version", "method"),
    [("6.33.3", token), ("6.42.12", token), ("6.49.17", plain), ("7.9.2", plain), ("7.24", plain)],
)
def test_login_and_a_reading_of_every_menu(version: str, method: Any) -> None:
    with EmulatedRouter(version, password=PASSWORD, group="full") as router:
        client = connect(router, login_method=method)
        menus = router.menus()
        assert len(menus) > 80
        for menu in menus:
            assert all(isinstance(row, dict) for row in client.path(menu)), menu
        client.close()


def test_what_is_added_is_found_updated_and_removed(api: Any) -> None:
    addresses = api.path("ip", "address")
    new = addresses.add(interface="ether1", address="192.168.1.1/24")
    found = tuple(addresses.select(ID, ADDRESS).where(new == ID, ADDRESS == "192.168.1.1/24"))
    assert found == ({".id": new, "address": "192.168.1.1/24"},)
    addresses.update(**{".id": new, "address": "172.16.1.1/24"})
    assert tuple(addresses.select(ADDRESS).where(new == ID)) == ({"address": "172.16.1.1/24"},)
    addresses.remove(new)
    assert tuple(addresses.select(ID).where(new == ID)) == ()


def test_queries_of_every_shape(api: Any) -> None:
    users = api.path("ip", "hotspot", "user")
    for number in range(20):
        users.add(name=f"u{number:02d}", comment=f"c{number % 3}", **{"limit-bytes-total": number * 1000})
    limit, nothing = Key("limit-bytes-total"), Key("email")

    def names(*conditions: Any) -> list[str]:
        return [row["name"] for row in users.select(NAME).where(*conditions)]

    assert names(Or(NAME == "u01", And(COMMENT == "c1", limit > 15000))) == ["u01", "u16", "u19"]
    assert names(limit < 3000) == ["u01", "u02"]
    assert names(NAME != "u01", COMMENT == "c1", limit < 8000) == ["u04", "u07"]
    assert names(NAME.In("u03", "u05", "x")) == ["u03", "u05"]
    assert names(Or(NAME == "u01", NAME == "u02", NAME == "u03")) == ["u01", "u02", "u03"]
    assert names(nothing == "") == []


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("ascii", "plain"), ("utf-8", "Café ☕ ПРИМЕР"), ("cp1251", "ПРИМЕР"), ("latin-1", "Café"), ("shift_jis", "日本")],
)
def test_every_encoding_gets_its_own_bytes_back(full_router: EmulatedRouter, encoding: str, text: str) -> None:
    client = connect(full_router, encoding=encoding)
    users = client.path("ip", "hotspot", "user")
    new = users.add(name="a", comment=text)
    assert tuple(users.select(COMMENT).where(new == ID)) == ({"comment": text},)
    client.close()


def test_a_comment_of_winbox_is_read_right_only_in_its_own_encoding(full_router: EmulatedRouter) -> None:
    connect(full_router, encoding="latin-1").path("ip", "hotspot", "user").add(name="a", comment="Café")
    rows = list(connect(full_router, encoding="utf-8").path("ip", "hotspot", "user"))
    assert rows[-1]["comment"] != "Café"
    rows = list(connect(full_router, encoding="latin-1").path("ip", "hotspot", "user"))
    assert rows[-1]["comment"] == "Café"


@pytest.mark.parametrize("size", [1, 0x7F - 9, 0x80 - 9, 256 - 9, 0x3FFF - 9, 0x4000 - 9, 0x1FFFFF - 9, 0x200000 - 9])
def test_words_at_the_edges_of_the_length_forms(api: Any, size: int) -> None:
    scripts = api.path("system", "script")
    new = scripts.add(name="long", source="a" * size, comment="b" * size)
    (row,) = scripts.select(Key("source"), COMMENT).where(new == ID)
    assert row == {"source": "a" * size, "comment": "b" * size}


def test_a_generator_may_be_left_and_the_next_command_works(api: Any) -> None:
    for _ in api.path("interface"):
        break
    assert [row["name"] for row in api.path("system", "identity")] == ["MikroTik"]


def test_streams_end_by_themselves_and_by_cancel(api: Any) -> None:
    assert len(list(api("/ping", address="10.5.50.1", count=3, interval="0.01"))) == 3
    rows = list(api("/interface/monitor-traffic", interface="ether1,bridge", once=True))
    assert [row["name"] for row in rows] == ["ether1", "bridge"]
    api.protocol.writeSentence("/interface/monitor-traffic", "=interface=ether1", "=interval=0.01", ".tag=t")
    for _ in range(3):
        word, words = api.protocol.readSentence()
        assert (word, words[0]) == ("!re", ".tag=t")
    api.protocol.writeSentence("/cancel", "=tag=t", ".tag=c")
    seen = []
    while ("!done", [".tag=t"]) not in seen:
        word, words = api.protocol.readSentence()
        seen.append((word, list(words)))
    assert [entry for entry in seen if entry[0] != "!re"] == [
        ("!trap", [".tag=t", "=category=2", "=message=interrupted"]),
        ("!done", [".tag=c"]),
        ("!done", [".tag=t"]),
    ]


def test_raw_commands_and_errors(api: Any) -> None:
    assert list(api.rawCmd("/ip/hotspot/user/print", "?name=default-trial", "=.proplist=name")) == [
        {"name": "default-trial"}
    ]
    with pytest.raises(TrapError, match="no such command"):
        list(api("/ip/hotspot/user/explode"))
    with pytest.raises(TrapError, match="unknown parameter"):
        api.path("ip", "hotspot", "user").add(name="x", **{"rate-limit": "1M/1M"})
    with pytest.raises(FatalError, match="session terminated on request"):
        list(api("/quit"))


def test_the_same_from_asyncio(full_router: EmulatedRouter) -> None:
    async def work() -> list[Any]:
        client = await librouteros.async_connect(
            host="127.0.0.1", port=full_router.port, username=full_router.user, password=PASSWORD,
            login_method=async_plain, encoding="utf-8",
        )  # fmt: skip
        users = client.path("ip", "hotspot", "user")
        new = await users.add(name="a", comment="é")
        await users.update(**{".id": new, "comment": "ö"})
        found = [row async for row in users.select(NAME, COMMENT).where(new == ID)]
        await users.remove(new)
        await client.close()
        return found

    assert asyncio.run(work()) == [{"name": "a", "comment": "ö"}]
    assert [row["name"] for row in full_router.rows("/ip/hotspot/user")] == ["default-trial"]


# -- its configuration management: /export, /import, /file, /system/backup


def addresses(api: Any) -> list[str]:
    return [row["address"] for row in api.path("ip", "address")]


def test_export_is_taken_back_by_import(api: Any, full_router: EmulatedRouter) -> None:
    users = api.path("ip", "hotspot", "user")
    users.add(name='a"b$c\\d', password="x y", comment="Café", **{"limit-uptime": "1d"})
    api.path("queue", "simple").add(name="c7", target="10.0.0.7", **{"max-limit": "5M/20M"})
    api.path("interface", "ethernet").update(**{".id": "ether3", "name": "wan"})
    config = api.config()
    text = config.export(show_sensitive=True)
    assert text.startswith("# ")
    assert f"by RouterOS {VERSION}\n" in text.partition("\n")[0] + "\n"
    assert 'add name="a\\"b\\$c\\\\d" password="x y" limit-uptime=1d comment="Caf\\C3\\A9"' in text.replace(
        "\\\n    ", ""
    )
    assert "password" not in config.export()
    with EmulatedRouter(VERSION, password=PASSWORD, group="full") as fresh:
        other = connect(fresh, encoding="utf-8")
        for menu in ("ip/hotspot", "ip/hotspot/profile", "ip/pool", "ip/address", "ip/arp", "interface/bridge"):
            rows = [row for row in fresh.rows(menu) if row.get("default") != "true"]
            for row in rows if menu != "interface/bridge" else []:
                fresh.command(f"/{menu}/remove", {".id": row[".id"]})
        other.config().apply("\n".join(line for line in text.splitlines() if line not in _ALREADY_THERE))
        assert fresh.rows("/ip/hotspot/user")[-1]["name"] == 'a"b$c\\d'
        assert fresh.rows("/ip/hotspot/user")[-1]["comment"] == "Café"
        assert fresh.rows("/queue/simple")[0]["max-limit"] == "5000000/20000000"
        assert [row["name"] for row in fresh.rows("/interface/ethernet")][2] == "wan"
        assert other.config().compare(text, show_sensitive=True).count("\n+") <= 3  # the heading, with its own serial
        other.close()
    assert full_router.rows("/file") == []


_ALREADY_THERE = (
    "add name=bridge",
    "add service-name=pppoe interface=bridge disabled=no",
)


def test_a_script_is_applied_whole_or_not_at_all_when_it_cannot_be_read(api: Any) -> None:
    config, before = api.config(), addresses(api)
    good = "/ip address add address=10.99.1.1/24 interface=ether1 comment=mine\r\n"
    for bad in ("/bogus/path set x=1", "/ip address add nothing=1", '/ip pool add name="x', "/ip address add x y z"):
        with pytest.raises(TrapError, match=r"line 2 column \d+"):
            config.apply(f"{good}{bad}\r\n")
        with pytest.raises(TrapError, match="line 2"):
            config.validate(f"{good}{bad}\r\n")
    config.validate(good)
    assert addresses(api) == before
    config.apply(good)
    assert addresses(api) == [*before, "10.99.1.1/24"]
    config.apply("/ip address remove [ find comment=mine ]\r\n/ip address remove [find comment=nobody]\r\n")
    assert addresses(api) == before


def test_a_long_export_is_read_in_pieces(api: Any, full_router: EmulatedRouter) -> None:
    full_router.seed(2000)
    text = api.config().export()
    assert len(text) > 60_000
    assert text.count("add name=seed") == 2000


def test_rollback_is_armed_and_a_backup_comes_back(api: Any, full_router: EmulatedRouter) -> None:
    config = api.config()
    config.arm_rollback(300)
    assert config.rollback_pending()
    assert config.backup_exists("librouteros-rollback")
    config.cancel_rollback()
    assert not config.rollback_pending()
    assert not config.backup_exists("librouteros-rollback")
    config.backup_save("before")
    api.path("ip", "pool").add(name="later", ranges="10.3.0.0/24")
    config.backup_load("before")
    with pytest.raises((LibRouterosError, OSError)):
        [list(api("/system/identity/print")) for _ in range(3)]
    assert [row["name"] for row in full_router.rows("/ip/pool")] == ["hs-pool"]
    assert full_router.info()["boot_count"] == 2
