"""Commands and live values that belong to one menu only; ``install`` connects them to a device."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import exporting, files, import_rsc, state, streams, system_info, torch
from .commands import SPECIAL, require_policies, selected
from .device import Device
from .errors import NOT_PERMITTED, Trap, invalid_value, missing_value, unknown_parameter
from .hotspot import login_command
from .sentence import Caller, Done, Outcome, Sentence
from .table import Row, Table
from .values import format_duration, parse_duration

if TYPE_CHECKING:
    from .core import RouterCore


def install(core: RouterCore) -> None:
    """Hooks of one device."""
    device = core.device
    system_info.install(device)
    _AddressListTimeouts(device)
    _CORES[device] = core


_CORES: weakref.WeakKeyDictionary[Device, RouterCore] = weakref.WeakKeyDictionary()
"""The core of a device, for commands that reach beyond tables (sessions, reboot)."""


def core_of(device: Device) -> RouterCore:
    """The core this device belongs to."""
    return _CORES[device]


def _hotspot_login(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    for name in sentence.attributes:
        if name not in ("user", "password", "ip", "mac-address", "domain"):
            raise unknown_parameter(name)
    if not (sentence.attributes.get("ip") or sentence.attributes.get("mac-address")):
        raise missing_value("ip")
    login_command(core_of(device).hotspot, sentence.attributes)
    return Done()


def _make_binding(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    for row in selected(table, sentence, ".id", "numbers"):
        kind = sentence.attributes.get("type", "regular")
        comment = {"comment": sentence.attributes["comment"]} if "comment" in sentence.attributes else {}
        binding = {"mac_address": row.values["mac-address"], "address": row.values["address"], **comment}
        if kind not in ("regular", "bypassed", "blocked"):
            raise invalid_value("type")
        device.insert("ip/hotspot/ip-binding", type=kind, bypassed=str(kind == "bypassed").lower(), **binding)
    return Done()


def _log(topic: str) -> Callable[[Device, Caller, Table, Sentence], Outcome]:
    def handler(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
        device.log(f"script,{topic}", sentence.attributes.get("message", ""))
        return Done()

    return handler


def _reboot(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    require_policies(caller, "reboot")
    core = core_of(device)
    core.loop.call_soon(core.reboot)
    return Done()


def _load_backup(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    outcome = files.backup_load(device, caller, table, sentence)
    core = core_of(device)
    core.loop.call_soon(state.restore, core)
    return outcome


def _sign(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    """Sign a template with its own key. The fingerprint is invented; the TLS port keeps the certificate it began with."""
    require_policies(caller, "write")
    for row in selected(table, sentence, ".id", "numbers", "number"):
        if row.values.get("private-key") == "true":
            raise Trap("failure: already signed")
        digest = hashlib.sha256(f"{device.serial}{row.id}{row.values['name']}".encode()).hexdigest()
        table.update(row, {"fingerprint": digest, "private-key": "true", "authority": "true", "expired": "false"})
    return Done()


def _nothing(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    """A monitor of hardware that this board does not have: rows are looked up, and there are none."""
    selected(table, sentence, "numbers", ".id")
    return Done()


def _torch(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    core = core_of(device)

    def flows() -> list[torch.Flow]:
        through = sentence.attributes["interface"]
        running = [] if through.startswith("<") else list(core.hotspot.guests.values())
        dialled = [d for d in core.ppp.dialins.values() if through in (f"<{d.service}-{d.name}>", "ether1")]
        here = [(guest.address, guest.usage) for guest in running] + [(one.address, one.usage) for one in dialled]
        return [(address, int(usage.up_rate * 8), int(usage.down_rate * 8)) for address, usage in here]

    return torch.torch(device, sentence, flows)


def _refused(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    raise Trap(NOT_PERMITTED)


def _end_user_session(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    require_policies(caller, "policy")
    core = core_of(device)
    for row in selected(table, sentence, ".id", "numbers"):
        for connection in [c for c in core.connections if c.active_row_id == row.id]:
            connection.close()
        if row.id in table.rows:
            table.delete(row)
    return Done()


def _run_script(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    row = selected(table, sentence, "number", ".id", "numbers")[0]
    import_rsc.run(device, caller, row.values.get("source", ""))
    changes: dict[str, str | None] = {
        "last-started": device.moment_text(),
        "run-count": str(int(row.values.get("run-count", "0")) + 1),
    }
    table.update(row, changes)
    return Done()


class _AddressListTimeouts:
    """Entries with a timeout count down and go."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._ends: dict[str, float] = {}
        device.after_set["ip/firewall/address-list"] = self._changed
        device.before_read["ip/firewall/address-list"] = self._refresh

    def _changed(self, row: Row, before: dict[str, str | None]) -> None:
        if "timeout" not in row.values or (before and "timeout" not in before):
            return
        clock = self._device.clock
        end = clock.now() + (parse_duration(row.values["timeout"]) or 0.0)
        self._ends[row.id] = end

        def expire() -> None:
            table = self._device.tables["ip/firewall/address-list"]
            if table.rows.get(row.id) is row and self._ends.get(row.id) == end:
                table.delete(row)

        clock.call_at(end, expire)

    def _refresh(self) -> None:
        now = self._device.clock.now()
        rows = self._device.tables["ip/firewall/address-list"].rows
        for row_id, end in list(self._ends.items()):
            row = rows.get(row_id)
            if row is None or "timeout" not in row.values:
                del self._ends[row_id]
            else:
                row.values["timeout"] = format_duration(max(1.0, end - now))


SPECIAL.update(
    {
        ("ip/hotspot/active", "login"): _hotspot_login,
        ("ip/hotspot/host", "make-binding"): _make_binding,
        ("interface", "monitor-traffic"): streams.monitor_traffic,
        ("interface/ethernet", "monitor"): streams.monitor_ethernet,
        ("interface/ethernet/poe", "monitor"): _nothing,
        ("interface/lte", "monitor"): _nothing,
        ("interface/w60g", "monitor"): _nothing,
        ("", "ping"): streams.ping,
        ("tool", "torch"): _torch,
        ("", "import"): import_rsc.import_command,
        ("", "execute"): import_rsc.execute_command,
        ("", "export"): exporting.export_command,
        ("*", "export"): exporting.export_command,
        ("file", "read"): files.read_command,
        ("system/backup", "save"): files.backup_save,
        ("system/backup", "load"): _load_backup,
        ("log", "info"): _log("info"),
        ("log", "warning"): _log("warning"),
        ("log", "error"): _log("error"),
        ("log", "debug"): _log("debug"),
        ("certificate", "sign"): _sign,
        ("system", "reboot"): _reboot,
        ("system", "shutdown"): _refused,
        ("system", "reset-configuration"): _refused,
        ("system/script", "run"): _run_script,
        ("user/active", "remove"): _end_user_session,
        ("user/active", "request-logout"): _end_user_session,
        ("ip/hotspot", "setup"): _refused,
        ("ip/dhcp-server", "setup"): _refused,
        ("ip/hotspot", "reset-html"): _refused,
    }
)
