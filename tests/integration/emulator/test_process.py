"""The emulator as a process of its own: command line, control port, state file."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from locations.emulator import ControlClient, EmulatedRouter, HotspotRefused
from locations.emulator.cli import main

from .api_client import PASSWORD, ApiClient

ROOT = Path(__file__).resolve().parents[3]
MAC = "AA:BB:CC:00:11:22"


@contextmanager
def emulator_process(*options: str) -> Iterator[tuple[int, ControlClient]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "locations.emulator", "--port", "0", "--control-port", "0", *options],
        cwd=ROOT,
        env={**os.environ, "EMULATOR_PASSWORD": PASSWORD},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        ports = re.search(r"127\.0\.0\.1:(\d+).* control=(\d+)", line)
        assert ports is not None, line
        with ControlClient("127.0.0.1", int(ports[2])) as control:
            yield int(ports[1]), control
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
        if process.stdout is not None:
            process.stdout.close()


def test_a_restart_is_a_reboot(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    options = ("--state-file", str(state), "--version", "7.16.1", "--identity", "Warnet", "--seed-users", "3")
    with emulator_process(*options) as (port, control):
        before = control.info()
        with ApiClient(port) as api:
            api.talk("/login", "=name=billing", f"=password={PASSWORD}")
            api.add("/ip/hotspot/user/add", "=name=a", "=password=b", "=comment=caf\xe9")
        control.hotspot_login("a", "b", MAC, up_rate=10, down_rate=0, returns=False)
        control.advance(450)
        with pytest.raises(HotspotRefused, match="no more sessions are allowed for user a"):
            control.hotspot_login("a", "b", "AA:BB:CC:00:11:33")
        with pytest.raises(ValueError, match="unknown fault"):
            control.set_fault("fire")
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    with emulator_process(*options) as (port, control):
        after = control.info()
        assert after["serial"] == before["serial"]
        assert after["uptime"] < before["uptime"] + 450
        assert after["boot_count"] == before["boot_count"] + 1
        assert control.count("/ip/hotspot/user") == 5
        assert control.sessions() == {"hotspot": [], "ppp": []}
        (row,) = control.rows("/ip/hotspot/user", name="a")
        assert (row["uptime"], row["bytes-in"], row["comment"]) == ("5m", "3000", "café")
        with ApiClient(port) as api:
            api.talk("/login", "=name=billing", f"=password={PASSWORD}")
            assert api.add("/ip/hotspot/user/add", "=name=next") == "*5"
        assert control.hotspot_return(MAC)["login_by"] == "cookie"


def test_it_refuses_to_start_without_a_password_or_on_another_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EMULATOR_PASSWORD", raising=False)
    assert main(["--port", "0"]) == 2
    assert "give the API user a password" in capsys.readouterr().err
    assert main(["--port", "0", "--password", "x", "--bind", "0.0.0.0"]) == 2
    assert "serves only 127.0.0.1" in capsys.readouterr().err
    assert main(["--port", "0", "--password", "x", "--version", "seven"]) == 2
    assert "not a RouterOS version" in capsys.readouterr().err


def test_many_routers_share_one_thread() -> None:
    routers = [EmulatedRouter(password=PASSWORD, identity=f"r{number}").start() for number in range(50)]
    try:
        clients = [ApiClient.logged_in(router) for router in routers]
        names = [client.rows("/system/identity/print")[0]["name"] for client in clients]
        assert names == [f"r{number}" for number in range(50)]
        assert len({router.serial for router in routers}) == 50
        for client in clients:
            client.close()
    finally:
        for router in routers:
            router.stop()
