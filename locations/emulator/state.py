"""The state file: configuration, counters and time of a device, so that restarting the process is a
reboot."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .traffic import CHECKPOINT_SECONDS, PACKET_BYTES
from .values import format_duration, parse_duration

if TYPE_CHECKING:
    from .core import RouterCore

FORMAT = 1


def save(core: RouterCore, path: Path) -> None:
    """Write the whole state at once (a new file takes the place of the old one, readable by the owner
    only)."""
    device = core.device
    tables: dict[str, Any] = {}
    for name, table in device.tables.items():
        if table.menu.forget_on_reboot:
            continue
        rows = [[row.id, row.values] for row in table.rows.values() if not row.is_dynamic]
        tables[name] = {"next": table.next_number, "rows": rows}
    _credit_running(core, tables)
    content = {
        "format": FORMAT,
        "version": device.version_text,
        "model": device.model.board_name,
        "serial": device.serial,
        "system_id": device.system_id,
        "boot_count": device.boot_count,
        "skew": core.clock.skew_seconds,
        "time_zone": core.clock.time_zone,
        "advanced": core.clock.ahead(),
        "cookies": core.hotspot.rows.cookie_ends(),
        "files": device.file_contents,
        "tables": tables,
    }
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(json.dumps(content))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def load(core: RouterCore, path: Path) -> None:
    """Read a state and boot with it. The version and the board are
    those of this start (an upgrade). Raises ValueError for a file of another format."""
    content = json.loads(path.read_text(encoding="ascii"))
    if content.get("format") != FORMAT:
        raise ValueError(f"{path} was not written by this emulator")
    device = core.device
    if not core.has_given_serial:
        device.serial = content["serial"]
    device.system_id = content["system_id"]
    device.boot_count = int(content["boot_count"])
    core.clock.skew_seconds = float(content["skew"])
    core.clock.time_zone = str(content["time_zone"])
    core.clock.jump(float(content["advanced"]))
    for name, saved in content["tables"].items():
        table = device.tables.get(name)
        if table is not None:
            table.clear()
            table.extend([(row_id, dict(values)) for row_id, values in saved["rows"]], int(saved["next"]))
    device.file_contents.update(content["files"])
    for row_id, seconds in content["cookies"].items():
        row = device.tables["ip/hotspot/cookie"].rows.get(row_id)
        if row is not None:
            core.hotspot.rows.restore_cookie(row, float(seconds))
    _keep_api_user(core)
    device.restart()


def restore(core: RouterCore) -> None:
    """Take the binary backup back that somebody asked to load, and boot with it."""
    tables, core.device.planned_restore = core.device.planned_restore, None
    core.drop_connections()
    core.hotspot.forget()
    core.ppp.forget()
    for path, rows in (tables or {}).items():
        table = core.device.tables.get(path)
        if table is not None:
            following = table.next_number
            table.clear()
            table.extend([(row_id, dict(values)) for row_id, values in rows], following)
    core.reboot()


def _keep_api_user(core: RouterCore) -> None:
    """The user named at the start may always log in, also when the saved state had another password."""
    users = core.device.tables["user"]
    for wanted in core.device.users_at_reset:
        row = users.named(wanted["name"])
        if row is None:
            core.device.insert("user", **wanted)
        elif "password" in wanted:
            users.update(row, {"password": wanted["password"]})


def _credit_running(core: RouterCore, tables: dict[str, Any]) -> None:
    """Usage of running sessions up to their last checkpoint counts as saved."""
    by_id = dict(tables["ip/hotspot/user"]["rows"])
    now = core.clock.now()
    credited: dict[str, dict[str, str]] = {}
    for guest in core.hotspot.guests.values():
        whole = int(guest.usage.seconds(now) // CHECKPOINT_SECONDS) * CHECKPOINT_SECONDS
        values = credited.get(guest.user_row_id) or by_id.get(guest.user_row_id)
        if not whole or values is None:
            continue
        moment = guest.usage.started + whole
        up, down = guest.usage.up(moment), guest.usage.down(moment)
        more = {
            "bytes-in": up,
            "bytes-out": down,
            "packets-in": up // PACKET_BYTES,
            "packets-out": down // PACKET_BYTES,
        }
        uptime = (parse_duration(values["uptime"]) or 0.0) + whole
        credited[guest.user_row_id] = {
            **values,
            **{name: str(int(values[name]) + count) for name, count in more.items()},
            "uptime": format_duration(uptime),
        }
    if credited:
        rows = tables["ip/hotspot/user"]["rows"]
        tables["ip/hotspot/user"]["rows"] = [[row_id, credited.get(row_id, values)] for row_id, values in rows]
