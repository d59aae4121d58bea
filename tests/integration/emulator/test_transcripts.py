"""The golden transcripts of the protocol, over plain sockets."""

from __future__ import annotations

import hashlib

import pytest

from locations.emulator import EmulatedRouter
from locations.emulator.wire import encode_sentence

from .api_client import PASSWORD, ApiClient


def test_login_echoes_the_tag(router: EmulatedRouter) -> None:
    with ApiClient(router.port) as client:
        assert client.talk("/login", "=name=billing", f"=password={PASSWORD}", ".tag=1") == [["!done", ".tag=1"]]


def test_wrong_password_is_a_trap_and_the_client_may_retry(router: EmulatedRouter) -> None:
    with ApiClient(router.port) as client:
        wrong = [["!trap", "=message=invalid user name or password (6)"], ["!done"]]
        assert client.talk("/login", "=name=billing", "=password=bad") == wrong
        assert client.talk("/login") == wrong
        assert client.talk("/login", "=name=nobody", "=password=") == wrong
        assert client.talk("/login", "=name=billing", f"=password={PASSWORD}") == [["!done"]]


def test_a_command_before_login_is_fatal(router: EmulatedRouter) -> None:
    with ApiClient(router.port) as client:
        assert client.talk("/ip/hotspot/user/print", ".tag=4") == [["!fatal", "not logged in"]]
        assert client.read() is None


def test_quit(api: ApiClient) -> None:
    assert api.talk("/quit") == [["!fatal", "session terminated on request"]]
    assert api.read() is None


@pytest.mark.parametrize(("version", "has_empty"), [("7.18", True), ("7.16.1", False), ("6.49.17", False)])
def test_empty_comes_with_7_18(version: str, has_empty: bool) -> None:
    with EmulatedRouter(version, password=PASSWORD) as router, ApiClient.logged_in(router) as client:
        empty = [["!empty", ".tag=2"]] if has_empty else []
        nobody = client.talk("/ip/hotspot/user/print", "?name=nobody", ".tag=2")
        assert nobody == [*empty, ["!done", ".tag=2"]]
        assert client.talk("/ip/hotspot/user/print", "=count-only=", "?name=nobody") == [["!done", "=ret=0"]]


def test_count_only_with_and_without_the_second_equals_sign(router: EmulatedRouter, api: ApiClient) -> None:
    router.seed(6)
    assert api.talk("/ip/hotspot/user/print", "=count-only=") == [["!done", "=ret=7"]]
    assert api.talk("/ip/hotspot/user/print", "=count-only", ".tag=x") == [["!done", ".tag=x", "=ret=7"]]


def test_add_twice(api: ApiClient) -> None:
    words = ("/ip/hotspot/user/add", "=name=a", "=password=b")
    assert api.talk(*words, ".tag=3") == [["!done", ".tag=3", "=ret=*1"]]
    assert api.talk(*words, ".tag=4") == [
        ["!trap", ".tag=4", "=message=failure: already have user with this name for this server"],
        ["!done", ".tag=4"],
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("/ip/hotspot/user/add", "=name=c", "=rate-limit=1M/1M"), "unknown parameter rate-limit"),
        (("/ip/hotspot/user/add", "=name=d", "=profile=nope"), "input does not match any value of profile"),
        (("/ip/hotspot/user/add", "=name=d", "=server=nope"), "input does not match any value of server"),
        (("/ip/hotspot/user/add", "=name=d", "=address=nope"), "invalid value for argument address"),
        (("/ip/hotspot/user/add", "=name=d", "=limit-uptime=x"), "invalid value for argument limit-uptime"),
        (("/ip/hotspot/user/add", "=name=d", "=uptime=1h"), "unknown parameter uptime"),
        (("/ip/hotspot/user/add", "=password=x"), "missing value(s) of argument(s) name"),
        (("/ip/hotspot/user/remove", "=.id=*FFFF"), "no such item (4)"),
        (("/ip/hotspot/user/set", "=.id=nobody", "=comment=x"), "no such item (4)"),
        (("/ip/hotspot/user/frobnicate",), "no such command"),
        (("/ip/nowhere/print",), "no such command or directory (nowhere), no such command prefix"),
        (("/ip/hotspot/user/print", "=show-sensitive="), "unknown parameter show-sensitive"),
        (("/interface/monitor-traffic", "=interface=ether99"), "input does not match any value of interface"),
    ],
)
def test_traps(api: ApiClient, words: tuple[str, ...], message: str) -> None:
    assert api.trap(*words) == message


@pytest.mark.parametrize(
    ("first", "again", "message"),
    [
        ("/ppp/secret/add =name=x", "", "failure: secret with the same name already exists"),
        ("/ip/pool/add =name=x =ranges=10.0.0.1-10.0.0.9", "", "failure: pool with such name exists"),
        ("/queue/simple/add =name=x =target=10.0.0.1", "", "failure: already have such name"),
        (
            "/ip/firewall/address-list/add =list=l =address=10.0.0.1",
            "",
            "failure: already have such entry",
        ),
        ("/ip/address/add =address=10.9.9.1/24 =interface=ether1", "", "failure: already have such address"),
        (
            "/ip/hotspot/user/profile/add =name=x",
            "",
            "failure: profile with the same name already exists",
        ),
        ("/ppp/profile/add =name=x", "", "failure: profile with the same name already exists"),
    ],
)
def test_duplicates(api: ApiClient, first: str, again: str, message: str) -> None:
    words = first.split(" ")
    api.add(*words)
    assert api.trap(*words) == message


def test_or_query_and_boolean_spellings(api: ApiClient) -> None:
    both = api.rows("/interface/print", "?type=ether", "?type=bridge", "?#|", "=.proplist=name")
    assert [row["name"] for row in both] == ["ether1", "ether2", "ether3", "ether4", "ether5", "bridge"]
    assert api.talk("/interface/print", "?disabled=false") == api.talk("/interface/print", "?disabled=no")


def test_routerboard_is_missing_on_the_cloud_router() -> None:
    with EmulatedRouter(model="CHR", password=PASSWORD) as router, ApiClient.logged_in(router) as client:
        message = "no such command or directory (routerboard), no such command prefix"
        assert client.trap("/system/routerboard/print") == message
        assert client.rows("/system/license/print")[0]["level"] == "p-unlimited"
    with EmulatedRouter("6.49.17", "CHR", password=PASSWORD) as router, ApiClient.logged_in(router) as client:
        assert client.talk("/system/routerboard/print")[0] == ["!trap", "=message=no such command prefix"]


def test_cancel_ends_an_endless_command(api: ApiClient) -> None:
    api.send("/interface/monitor-traffic", "=interface=ether1", ".tag=5")
    first = api.read()
    assert first is not None
    assert first[:3] == ["!re", ".tag=5", "=name=ether1"]
    api.send("/cancel", "=tag=5", ".tag=6")
    assert [api.read(), api.read(), api.read()] == [
        ["!trap", ".tag=5", "=category=2", "=message=interrupted"],
        ["!done", ".tag=6"],
        ["!done", ".tag=5"],
    ]


def test_monitor_once_and_ping(api: ApiClient) -> None:
    rows = api.rows("/interface/monitor-traffic", "=interface=ether1,ether2", "=once=")
    assert [row["name"] for row in rows] == ["ether1", "ether2"]
    assert api.rows("/ping", "=address=10.5.50.1", "=count=1")[0]["received"] == "1"
    lost = api.rows("/ping", "=address=192.0.2.1", "=count=1")[0]
    assert (lost["status"], lost["packet-loss"]) == ("timeout", "100")


def test_listen_tells_changes_and_deaths(router: EmulatedRouter, api: ApiClient) -> None:
    api.send("/ppp/secret/listen", "=.proplist=.id,name,comment", ".tag=l")
    api.send("/ppp/secret/add", "=name=x", ".tag=a")
    api.send("/ppp/secret/set", "=.id=x", "=comment=y", ".tag=s")
    api.send("/ppp/secret/remove", "=.id=x", ".tag=r")
    found = [api.read() for _ in range(6)]
    router.command("/ppp/secret/add", {"name": "last"})
    found.append(api.read())
    assert [sentence for sentence in found if sentence and ".tag=l" in sentence] == [
        ["!re", ".tag=l", "=.id=*1", "=name=x"],
        ["!re", ".tag=l", "=.id=*1", "=name=x", "=comment=y"],
        ["!re", ".tag=l", "=.id=*1", "=.dead=true"],
        ["!re", ".tag=l", "=.id=*2", "=name=last"],
    ]


@pytest.mark.parametrize("version", ["6.42.12", "6.44.6"])
def test_challenge_login_of_old_versions(version: str) -> None:
    with EmulatedRouter(version, password=PASSWORD) as router, ApiClient(router.port) as client:
        (done,) = client.talk("/login")
        challenge = done[1].removeprefix("=ret=")
        assert len(challenge) == 32
        digest = hashlib.md5(b"\0" + PASSWORD.encode() + bytes.fromhex(challenge), usedforsecurity=False).hexdigest()
        assert client.talk("/login", "=name=billing", f"=response=00{digest}") == [["!done"]]
        assert client.rows("/system/resource/print")[0]["version"] == f"{version} (long-term)"


def test_old_versions_refuse_in_their_own_words() -> None:
    with EmulatedRouter("6.42.12", password=PASSWORD) as router, ApiClient(router.port) as client:
        (done,) = client.talk("/login", "=name=billing", f"=password={PASSWORD}")
        assert done[1].startswith("=ret=")
        assert client.trap("/login", "=name=billing", "=response=00" + "0" * 32) == "cannot log in"


def test_long_and_strange_words_come_back_as_they_went(api: ApiClient) -> None:
    every_byte = "".join(chr(number) for number in range(1, 256))
    for text in ("a=b=c==", every_byte, "x" * 8192, "y" * 0x4000, " lead and trail ", "mb:inst:batch"):
        api.talk("/ip/hotspot/user/set", "=.id=*0", f"=comment={text}")
        (row,) = api.rows("/ip/hotspot/user/print", "?.id=*0", "=.proplist=comment")
        assert row == {"comment": text}


def test_too_much_before_login_and_reserved_bytes_close(router: EmulatedRouter, api: ApiClient) -> None:
    with ApiClient(router.port) as client:
        client.send("/login", "=name=" + "x" * 70_000)
        assert client.read() is None
    api.socket.sendall(b"\xff")
    assert api.read() is None


def test_pipelined_commands_come_back_in_order(api: ApiClient) -> None:
    api.socket.sendall(
        b"".join(encode_sentence([b"/ip/hotspot/user/add", b"=name=u%d" % n, b".tag=%d" % n]) for n in range(1000))
    )
    assert [api.read() for _ in range(1000)] == [["!done", f".tag={n}", f"=ret=*{n + 1:X}"] for n in range(1000)]
