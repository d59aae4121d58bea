from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

from config import demo_children as children

ENV = {"EMULATOR_PASSWORD": "not-on-a-command-line"}


def test_one_router_of_each_generation_on_ports_of_their_own(tmp_path: Path) -> None:
    taken = {18700}
    emulators = children.plan_emulators(tmp_path, taken=taken)
    assert [(e.name, e.version) for e in emulators] == [("router-6", "6.49.17"), ("router-7", "7.16.1")]
    ports = [port for e in emulators for port in (e.port, e.tls_port, e.control_port)]
    assert len(set(ports)) == 6
    assert taken == {18700, *ports}
    assert all(18700 <= port <= 19999 for port in ports)
    assert [e.state_file for e in emulators] == [
        str(tmp_path / "emulator" / "router-6.json"),
        str(tmp_path / "emulator" / "router-7.json"),
    ]


def test_routers_keep_their_ports_between_runs_while_they_are_free(tmp_path: Path) -> None:
    first = children.plan_emulators(tmp_path, taken=set())
    children.write_plan(tmp_path, first, url="http://127.0.0.1:1")
    assert children.plan_emulators(tmp_path, taken=set()) == first

    with socket.create_server(("127.0.0.1", first[0].port)):
        moved = children.plan_emulators(tmp_path, taken=set())
    assert moved[0].port not in {port for e in first for port in (e.port, e.tls_port, e.control_port)}
    assert (moved[0].tls_port, moved[0].control_port, moved[1]) == (
        first[0].tls_port,
        first[0].control_port,
        first[1],
    )


def test_the_plan_tells_the_seed_where_routers_are_and_no_secret(tmp_path: Path) -> None:
    emulators = children.plan_emulators(tmp_path, taken=set())
    children.write_plan(tmp_path, emulators, url="http://127.0.0.1:8000")
    plan = json.loads((tmp_path / "demo.json").read_text())
    assert plan["url"] == children.plan_url(tmp_path) == "http://127.0.0.1:8000"
    assert sorted(plan["emulators"][0]) == [
        "control_port", "host", "model", "name", "port", "state_file", "tls_port", "user", "version",
    ]  # fmt: skip
    (tmp_path / "demo.json").write_text("{half")
    assert children.plan_url(tmp_path) == ""


def test_static_files_are_collected_again_only_when_something_changed(tmp_path: Path) -> None:
    (tmp_path / "core" / "static" / "core").mkdir(parents=True)
    style = tmp_path / "core" / "static" / "core" / "style.css"
    style.write_text("a{}")
    (tmp_path / "requirements.txt").write_text("one==1")
    seen = [children.static_fingerprint(tmp_path)]
    (tmp_path / "var" / "static").mkdir(parents=True)
    (tmp_path / "var" / "static" / "collected.css").write_text("a{}")
    seen.append(children.static_fingerprint(tmp_path))
    style.write_text("a{b:c}")
    seen.append(children.static_fingerprint(tmp_path))
    (tmp_path / "requirements.txt").write_text("one==2")
    seen.append(children.static_fingerprint(tmp_path))
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3
    assert list(children.setup_commands(static=True)[0]) == ["migrate", "collectstatic"]
    assert list(children.setup_commands(static=False)[0]) == ["migrate"]


def test_processes_and_their_queues() -> None:
    specs = {spec.name: spec.command[1:] for spec in children.child_specs(ENV, port=8123)}
    assert list(specs) == ["web", "worker", "routers", "routers-slow", "beat"]
    assert specs["web"][:3] == ["-m", "gunicorn", "config.wsgi:application"]
    assert "127.0.0.1:8123" in specs["web"]
    assert "--no-control-socket" in specs["web"]
    chosen = {name: specs[name][specs[name].index("-Q") + 1 :][:5] for name in ("worker", "routers", "routers-slow")}
    assert chosen == {
        "worker": ["celery,batches", "-P", "prefork", "-c", "2"],
        "routers": ["routers", "-P", "threads", "-c", "16"],
        "routers-slow": ["routers_slow", "-P", "threads", "-c", "4"],
    }
    assert specs["beat"][-2:] == ["--scheduler", "django_celery_beat.schedulers:DatabaseScheduler"]


def test_a_router_stops_last_and_its_password_is_on_no_command_line(tmp_path: Path) -> None:
    router = children.plan_emulators(tmp_path, taken=set())[1]
    spec = children.emulator_spec(router, ENV)
    assert spec.name == "emulator-router-7"
    assert spec.stops_last
    assert spec.command[:3] == [sys.executable, "-m", "locations.emulator"]
    options = dict(zip(spec.command[3::2], spec.command[4::2], strict=True))
    assert options == {
        "--port": str(router.port),
        "--tls-port": str(router.tls_port),
        "--control-port": str(router.control_port),
        "--version": "7.16.1",
        "--model": "RB5009UG+S+",
        "--identity": "router-7",
        "--user": "billing",
        "--state-file": router.state_file,
        "--policies": "read,write,api,test,sensitive,ftp,reboot",
    }
    assert not any("not-on-a-command-line" in word for word in spec.command)
