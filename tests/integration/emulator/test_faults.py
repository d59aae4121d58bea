"""What goes wrong on a real line, on demand."""

from __future__ import annotations

import socket
import time

import pytest

from locations.emulator import EmulatedRouter
from locations.emulator.wire import encode_sentence

from .api_client import PASSWORD, ApiClient


def test_down_refuses_and_cuts_and_comes_back_on_the_same_port(router: EmulatedRouter, api: ApiClient) -> None:
    port = router.port
    router.set_fault("down")
    assert api.read() is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    router.clear_fault("down")
    assert router.port == port
    ApiClient.logged_in(router).close()


def test_silent_accepts_and_answers_only_when_it_wakes_up(router: EmulatedRouter, api: ApiClient) -> None:
    router.set_fault("silent")
    api.send("/ip/hotspot/user/add", "=name=late")
    with ApiClient(router.port) as client:
        client.send("/login", "=name=billing", f"=password={PASSWORD}")
        client.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.read()
    assert router.op_counts() == {"/login": 1}
    router.clear_fault("silent")
    assert api.read() == ["!done", "=ret=*1"]


def test_drop_after_executes_the_last_command_and_says_nothing(router: EmulatedRouter, api: ApiClient) -> None:
    router.set_fault("drop_after", sentences=3)
    api.add("/ip/hotspot/user/add", "=name=a")
    api.add("/ip/hotspot/user/add", "=name=b")
    api.send("/ip/hotspot/user/add", "=name=c")
    assert api.read() is None
    assert [row["name"] for row in router.rows("/ip/hotspot/user")] == ["default-trial", "a", "b", "c"]
    assert router.faults_active() == []


def test_drop_after_can_lose_the_command_too(router: EmulatedRouter, api: ApiClient) -> None:
    router.set_fault("drop_after", sentences=1, execute_last=False)
    api.send("/ip/hotspot/user/add", "=name=c")
    assert api.read() is None
    assert router.rows("/ip/hotspot/user", name="c") == []


def test_half_a_sentence(router: EmulatedRouter, api: ApiClient) -> None:
    router.set_fault("half_sentence", after=1)
    assert api.talk("/ip/hotspot/user/add", "=name=a") == [["!done", "=ret=*1"]]
    whole = encode_sentence([b"!done", b"=ret=*2"])
    api.send("/ip/hotspot/user/add", "=name=b")
    assert api.socket.recv(65536) == whole[: len(whole) // 2]
    assert api.socket.recv(65536) == b""


def test_a_list_that_breaks_off(router: EmulatedRouter, api: ApiClient) -> None:
    router.seed(2000)
    router.set_fault("truncate", rows=700, pattern="hotspot/user/print")
    assert len(api.talk("/interface/print")) == 7
    replies = api.talk("/ip/hotspot/user/print")
    assert len(replies) == 700
    assert {reply[0] for reply in replies} == {"!re"}


def test_a_stalled_write_holds_later_writes_and_not_reads(router: EmulatedRouter, api: ApiClient) -> None:
    router.set_fault("stall", pattern="/ip/hotspot/user/add", contains="slow")
    api.send("/ip/hotspot/user/add", "=name=slow", "=password=secret", ".tag=1")
    api.send("/ip/hotspot/user/add", "=name=later", ".tag=2")
    api.send("/ip/hotspot/user/print", "=count-only=", ".tag=3")
    assert api.read() == ["!done", ".tag=3", "=ret=1"]
    (held,) = router.held()
    assert held["words"] == {"name": "slow", "password": "*"}
    assert router.write_count() == 0
    assert router.release() == 1
    assert [api.read(), api.read()] == [["!done", ".tag=1", "=ret=*1"], ["!done", ".tag=2", "=ret=*2"]]


def test_a_held_write_happens_even_when_the_client_has_gone(router: EmulatedRouter, api: ApiClient) -> None:
    router.set_fault("stall", pattern="user/add$", count=1)
    api.send("/ip/hotspot/user/add", "=name=late")
    api.talk("/system/identity/print")
    api.close()
    with ApiClient.logged_in(router) as other:
        assert other.rows("/ip/hotspot/user/print", "?name=late") == []
        router.clear_fault("stall")
        assert len(other.rows("/ip/hotspot/user/print", "?name=late")) == 1


def test_an_answer_can_be_held_after_the_write(router: EmulatedRouter, api: ApiClient) -> None:
    router.set_fault("stall", pattern="user/add$", when="after")
    api.send("/ip/hotspot/user/add", "=name=a", ".tag=1")
    assert api.talk("/ip/hotspot/user/print", "=count-only=", ".tag=2") == [["!done", ".tag=2", "=ret=2"]]
    api.send("/cancel", "=tag=1", ".tag=3")
    assert [api.read(), api.read(), api.read()] == [
        ["!trap", ".tag=1", "=category=2", "=message=interrupted"],
        ["!done", ".tag=3"],
        ["!done", ".tag=1"],
    ]


def test_session_cap(router: EmulatedRouter) -> None:
    clients = [ApiClient.logged_in(router) for _ in range(20)]
    with ApiClient(router.port) as one_too_many:
        assert one_too_many.read() is None
    clients[0].close()
    clients.pop(0)
    clients[0].talk("/system/identity/print")
    router.set_fault("session_cap", sessions=100)
    ApiClient.logged_in(router).close()
    for client in clients:
        client.close()


def test_round_trips_overlap_when_commands_are_pipelined(router: EmulatedRouter, api: ApiClient) -> None:
    router.set_rtt(100)
    started = time.monotonic()
    api.socket.sendall(b"".join(encode_sentence([b"/system/identity/print", b".tag=%d" % n]) for n in range(50)))
    assert api.read() == ["!re", ".tag=0", "=name=MikroTik"]
    # Not before its trip was over; and by then all the others had been executed, none waited for this one.
    assert time.monotonic() - started >= 0.099
    assert router.op_counts()["/system/identity/print"] == 50
    assert [api.read() for _ in range(99)][-1] == ["!done", ".tag=49"]


def test_a_slow_reader_takes_everything_in_the_end(router: EmulatedRouter, api: ApiClient) -> None:
    router.set_fault("slow_reader", bytes_per_second=200_000)
    for number in range(5):
        api.talk("/ip/hotspot/user/add", f"=name=u{number}", "=comment=" + "x" * 2000)
    assert router.count("/ip/hotspot/user") == 6


def test_factory_reset_and_other_hardware(router: EmulatedRouter, api: ApiClient) -> None:
    serial = router.serial
    api.add("/ip/hotspot/user/add", "=name=a")
    router.advance(1000)
    assert router.factory_reset()["uptime"] == 0.0
    assert api.read() is None
    assert router.serial == serial
    with ApiClient.logged_in(router) as again:
        assert [row["name"] for row in again.rows("/ip/hotspot/user/print")] == ["default-trial"]
        assert again.add("/ip/hotspot/user/add", "=name=a") == "*1"
    router.replace_hardware(serial="ANOTHER123", model="hEX")
    with ApiClient.logged_in(router) as again:
        assert again.rows("/system/routerboard/print")[0]["serial-number"] == "ANOTHER123"
        assert again.rows("/system/resource/print")[0]["board-name"] == "hEX"
        assert again.talk("/ip/hotspot/user/print", "=count-only=") == [["!done", "=ret=1"]]
    router.factory_reset(keep_user=False)
    with ApiClient(router.port) as client:
        assert client.trap("/login", "=name=billing", f"=password={PASSWORD}") == ("invalid user name or password (6)")


def test_unknown_faults_and_options_are_refused(router: EmulatedRouter) -> None:
    with pytest.raises(ValueError, match="unknown fault 'fire'"):
        router.set_fault("fire")
    with pytest.raises(ValueError, match="unknown option 'seconds'"):
        router.set_fault("delay", seconds=1)


def test_duplicate_sends_the_next_replies_twice(router: EmulatedRouter, api: ApiClient) -> None:
    router.set_fault("duplicate", count=2, after=1)
    api.send("/ip/hotspot/user/add", "=name=a", ".tag=1")
    assert api.read() == ["!done", ".tag=1", "=ret=*1"]
    api.send("/ip/hotspot/user/print", "?name=a", "=.proplist=name", ".tag=2")
    row, done = ["!re", ".tag=2", "=name=a"], ["!done", ".tag=2"]
    assert [api.read() for _ in range(4)] == [row, row, done, done]
    assert router.faults_active() == []
    assert api.talk("/system/identity/print") == [["!re", "=name=MikroTik"], ["!done"]]
