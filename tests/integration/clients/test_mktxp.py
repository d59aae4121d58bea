"""mktxp, a Prometheus exporter for RouterOS, exports what is on the emulated router."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from locations.emulator import EmulatedRouter

from .conftest import PASSWORD

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]
SECONDS = 60
SWITCHED_ON = (
    "health installed_packages dhcp dhcp_lease connections connection_stats interface interface_with_default_name "
    "routerboard wireguard_peers bridge_vlan route pool firewall neighbor dns ipv6_route ipv6_pool ipv6_firewall "
    "ipv6_neighbor poe monitor netwatch public_ip wireless wireless_clients capsman capsman_clients w60g eoip gre ipip "
    "lte ipsec switch_port kid_control_assigned user queue bfd bgp routing_stats certificate"
).split()
ROUTER = """
[Emulated]
    hostname = 127.0.0.1
[default]
    enabled = True
    port = {port}
    username = {user}
    password = {password}
    use_ssl = {tls}
    no_ssl_certificate = {tls}
    address_list = isolated
    check_for_updates = False
{switches}
"""
ITSELF = """
[MKTXP]
    listen = '127.0.0.1:{port}'
    socket_timeout = 5
    minimal_collect_interval = 0
    verbose_mode = False
    bandwidth = False
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def exporter(tools: Path, home: Path, router: EmulatedRouter, *, tls: bool) -> Iterator[str]:
    """A running mktxp; its address."""
    port = free_port()
    switches = "\n".join(f"    {name} = True" for name in SWITCHED_ON)
    settings = ROUTER.format(
        port=router.tls_port if tls else router.port, user=router.user, password=PASSWORD, tls=tls, switches=switches
    )
    (home / "mktxp.conf").write_text(settings)
    (home / "_mktxp.conf").write_text(ITSELF.format(port=port))
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    with (home / "output").open("w") as output:
        process = subprocess.Popen(
            [tools / "mktxp", "--cfg-dir", home, "export"], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield f"http://127.0.0.1:{port}/metrics"
        finally:
            process.terminate()
            process.wait(20)


def scrape(address: str, home: Path) -> dict[str, float]:
    """All metrics; waits until the exporter answers."""
    ends = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(address, timeout=SECONDS) as answer:  # noqa: S310 - our own http address
                lines = answer.read().decode().splitlines()
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < ends, (home / "output").read_text()[-3000:]
            time.sleep(0.1)
        else:
            return {key: float(value) for key, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}


def value(metrics: dict[str, float], metric: str, /, **labels: str) -> float:
    """The one value of a metric with these labels."""
    wanted = [f'{label}="{text}"' for label, text in labels.items()]
    found = [v for key, v in metrics.items() if key.startswith(f"mktxp_{metric}{{") and all(w in key for w in wanted)]
    assert len(found) == 1, (metric, labels, [key for key in metrics if metric in key])
    return found[0]


@pytest.mark.parametrize("tls", [False, True])
def test_it_exports_the_router(client_tools: Path, home: Path, full_router: EmulatedRouter, tls: bool) -> None:
    router = full_router
    for address in ("10.0.0.66", "10.0.0.67"):
        router.command("/ip/firewall/address-list/add", {"list": "isolated", "address": address})
    router.command("/queue/simple/add", {"name": "c7", "target": "10.0.0.7", "max-limit": "5M/20M"})
    router.queue_use("c7", 1000, 9000)
    router.command("/ip/dns/set", {"servers": "1.1.1.1"})
    with exporter(client_tools, home, router, tls=tls) as address:
        metrics = scrape(address, home)
        output = (home / "output").read_text()
    assert not re.search(r"(?i)exception|traceback|error getting", output), output[-3000:]
    assert value(metrics, "system_identity_info", name="MikroTik") == 1
    assert value(metrics, "ip_pool_total", pool="hs-pool") == 253
    assert value(metrics, "firewall_address_list_selected_count", list="isolated") == 2
    assert value(metrics, "interface_running", name="ether1") == 1
    assert value(metrics, "interface_rate", name="ether1") == 1000
    assert value(metrics, "system_cpu_count") == 4
    assert value(metrics, "active_users_info", name=router.user, via="api-ssl" if tls else "api") > 1_700_000_000
    used = {key: v for key, v in metrics.items() if key.startswith("mktxp_queue_simple") and 'name="c7"' in key}
    assert {1000.0, 9000.0} <= set(used.values())
    refused = [entry["command"] for entry in router.op_log() if entry["result"] != "ok"]
    assert refused == []
