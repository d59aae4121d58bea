"""Ansible's community.routeros: every billing path twice, and the second time there is nothing to change."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from locations.emulator import EmulatedRouter

from .conftest import PASSWORD

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]
PLAYBOOKS = Path(__file__).parent / "ansible"
SECONDS = 900


def play(tools: Path, home: Path, router: EmulatedRouter, playbook: str, tls: str) -> dict[str, object]:
    """Run a playbook against the router and return Ansible's own account of it."""
    environment = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ROUTER_HOST": "127.0.0.1",
        "ROUTER_PORT": str(router.tls_port if tls else router.port),
        "ROUTER_USER": router.user,
        "ROUTER_PASSWORD": PASSWORD,
        "ROUTER_TLS": tls,
    }
    done = subprocess.run(
        [tools / "ansible-playbook", "-i", "localhost,", "-e", f"ansible_python_interpreter={tools}/python", playbook],
        cwd=PLAYBOOKS, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, failures(done.stdout) + done.stderr[-2000:]
    found: dict[str, object] = json.loads(done.stdout[done.stdout.index("{") :])
    return found


def failures(output: str) -> str:
    """What failed, from the JSON of Ansible, or its last words when there is none."""
    try:
        plays = json.loads(output[output.index("{") :])["plays"]
    except ValueError:
        return output[-2000:]
    results = [(task["task"]["name"], r) for play in plays for task in play["tasks"] for r in task["hosts"].values()]
    return "\n".join(
        f"{name}: {json.dumps({k: result.get(k) for k in ('msg', 'assertion', 'results')})[:3000]}"
        for name, result in results
        if result.get("failed")
    )


def test_billing_paths_are_idempotent(client_tools: Path, home: Path, full_router: EmulatedRouter) -> None:
    account = play(client_tools, home, full_router, "billing.yml", "anonymous")
    assert account["stats"]["localhost"]["failures"] == 0  # type: ignore[index]  # Ansible's own JSON
    (gold,) = full_router.rows("/ip/hotspot/user/profile", name="gold")
    assert (gold["rate-limit"], gold["shared-users"], gold["session-timeout"]) == ("5M/20M", "3", "1d")
    (user,) = full_router.rows("/ip/hotspot/user", name="ansible-1")
    assert "comment" not in user
    assert user["disabled"] == "true"
    assert full_router.rows("/ip/hotspot/user", name="ansible-2") == []
    assert [row["name"] for row in full_router.rows("/queue/simple")] == ["total", "c7"]
    assert [row["action"] for row in full_router.rows("/ip/hotspot/walled-garden")] == ["allow", "allow", "deny"]
    assert full_router.op_counts()["/ip/hotspot/user/add"] == 2
    assert {row["via"] for row in full_router.rows("/user/active")} <= {"api-ssl"}
