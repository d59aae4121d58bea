"""The configuration a device comes up with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .schema.system import POLICIES

if TYPE_CHECKING:
    from .device import Device

BILLING_POLICIES = ("read", "write", "api", "test", "sensitive")
_GROUPS = {
    "read": (
        "local",
        "telnet",
        "ssh",
        "reboot",
        "read",
        "test",
        "winbox",
        "password",
        "web",
        "sniff",
        "sensitive",
        "api",
        "romon",
        "rest-api",
    ),
    "write": (
        "local",
        "telnet",
        "ssh",
        "reboot",
        "read",
        "write",
        "test",
        "winbox",
        "password",
        "web",
        "sniff",
        "sensitive",
        "api",
        "romon",
        "rest-api",
    ),
    "full": POLICIES,
}
_SERVICES = (
    ("telnet", "23"),
    ("ftp", "21"),
    ("www", "80"),
    ("ssh", "22"),
    ("www-ssl", "443"),
    ("api", "8728"),
    ("winbox", "8291"),
    ("api-ssl", "8729"),
)
_UPLINK = "10.255.255.1"
"""Somebody answers at the uplink, so /ip/arp is not empty (invented)."""
_QUEUE_TYPES = (
    ("default", "pfifo"),
    ("ethernet-default", "pfifo"),
    ("wireless-default", "sfq"),
    ("synchronous-default", "red"),
    ("hotspot-default", "sfq"),
    ("pcq-upload-default", "pcq"),
    ("pcq-download-default", "pcq"),
    ("only-hardware-queue", "none"),
    ("multi-queue-ethernet-default", "mq-pfifo"),
    ("default-small", "pfifo"),
)


def policy_text(granted: tuple[str, ...] | frozenset[str]) -> str:
    """A group's policy as printed: granted first, the rest with ``!``."""
    return ",".join(
        [
            *(name for name in POLICIES if name in granted),
            *(f"!{name}" for name in POLICIES if name not in granted),
        ]
    )


def apply(device: Device) -> None:
    """Fill empty tables."""
    _interfaces(device)
    _network(device)
    _queues(device)
    _lists(device)
    _hotspot(device)
    _ppp(device)
    _system(device)
    _users(device)
    for path, table in device.tables.items():
        if table.menu.is_single and not table.rows:
            device.insert(path)
    if "system/package/update" in device.tables:
        device.single("system/package/update")["installed-version"] = device.version_text


def _mac(device: Device, number: int) -> str:
    base = int(device.serial.encode("utf-8").hex()[-6:] or "0", 16) & 0xFFFF00
    value = (0x48A98A << 24) | ((base + number) & 0xFFFFFF)
    return ":".join(f"{value:012X}"[i : i + 2] for i in range(0, 12, 2))


def _interfaces(device: Device) -> None:
    moment = device.moment_text()
    for number in range(1, device.model.ethernet_ports + 1):
        name, mac = f"ether{number}", _mac(device, number)
        is_up = number <= 2
        device.insert(
            "interface/ethernet",
            name=name,
            default_name=name,
            l2mtu="1598",
            mac_address=mac,
            orig_mac_address=mac,
            running=str(is_up).lower(),
            **({"slave": "true"} if number > 1 else {}),
        )
        common = device.tables["interface"].by("name", name)[0]
        common.values["max-l2mtu"] = "9578"
        if is_up:
            common.values["last-link-up-time"] = moment
    device.insert("interface/bridge", name="bridge", l2mtu="1598", mac_address=_mac(device, 2))


def _network(device: Device) -> None:
    device.insert(
        "ip/address",
        address="10.5.50.1/24",
        network="10.5.50.0",
        interface="bridge",
        actual_interface="bridge",
    )
    device.insert("ip/pool", name="hs-pool", ranges="10.5.50.2-10.5.50.254")
    for name, port in _SERVICES:
        is_off = name in ("www-ssl",)
        certificate = {"certificate": "none"} if name in ("www-ssl", "api-ssl") else {}
        tls = {"tls_version": "any"} if certificate and device.version >= (6, 45, 0) else {}
        device.insert("ip/service", name=name, port=port, disabled=str(is_off).lower(), **certificate, **tls)
    device.insert("ip/arp", address=_UPLINK, mac_address="48:A9:8A:00:00:01", interface="ether1")
    if device.version >= (7, 0, 0):
        device.insert("routing/table", name="main", fib="", dynamic="true")


def _queues(device: Device) -> None:
    for name, kind in _QUEUE_TYPES:
        device.insert("queue/type", name=name, kind=kind, default="true")
    for row in device.tables["interface/ethernet"].rows.values():
        queue = "only-hardware-queue"
        names = {"default_queue": queue, "active_queue": queue}
        device.insert("queue/interface", interface=row.values["name"], queue=queue, **names)


def _lists(device: Device) -> None:
    for name in ("all", "none", "dynamic", "static") if "interface/list" in device.tables else ():
        device.insert("interface/list", name=name, builtin="true", comment=f"contains {name} interfaces")
    for name, target in (("memory", "memory"), ("disk", "disk"), ("echo", "echo"), ("remote", "remote")):
        device.insert("system/logging/action", name=name, target=target, default="true")
    for topics, action in (("info", "memory"), ("error", "memory"), ("warning", "memory"), ("critical", "echo")):
        default = {"default": "true"} if device.version >= (7, 0, 0) else {}
        device.insert("system/logging", topics=topics, action=action, **default)
    device.insert("snmp/community", name="public", default="true")


def _hotspot(device: Device) -> None:
    device.insert("ip/hotspot/profile", name="default", default="true")
    device.insert(
        "ip/hotspot/profile",
        name="hsprof1",
        hotspot_address="10.5.50.1",
        dns_name="login.example",
        login_by="cookie,http-chap,http-pap",
    )
    device.insert("ip/hotspot", name="hotspot1", interface="bridge", address_pool="hs-pool", profile="hsprof1")
    device.insert("ip/hotspot/user/profile", name="default", address_pool="hs-pool", default="true")
    trial_comment = "counters and limits for trial users"
    device.insert("ip/hotspot/user", name="default-trial", default="true", comment=trial_comment)
    device.insert("ip/hotspot/service-port", name="ftp", ports="21")


def _ppp(device: Device) -> None:
    device.insert("ppp/profile", name="default", default="true")
    device.insert("ppp/profile", row_id="*FFFFFFFE", name="default-encryption", use_encryption="yes", default="true")
    device.insert("interface/pppoe-server/server", service_name="pppoe", interface="bridge", disabled="false")


def _system(device: Device) -> None:
    device.insert("system/identity", name=device.identity_at_reset)
    device.insert("system/clock", time_zone_name=device.clock.time_zone)
    if device.version < (7, 0, 0):
        device.insert("system/health", voltage="24", temperature="38")
    elif not device.is_chr:
        device.insert("system/health", name="cpu-temperature", value="44", type="C")
    package = "system" if device.version < (7, 0, 0) else "routeros"
    device.insert(
        "system/package",
        name=package,
        version=device.version_text,
        build_time=device.moment_text(),
        scheduled="",
        disabled="false",
    )


def _users(device: Device) -> None:
    for name, policies in _GROUPS.items():
        device.insert("user/group", name=name, policy=policy_text(policies))
    for group in device.groups_at_reset:
        if device.tables["user/group"].named(group["name"]) is None:
            device.insert("user/group", **group)
    for user in device.users_at_reset:
        device.insert("user", **user)
