"""Values that the router computes when they are read: resource, routerboard, licence, clock, scheduler."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from .device import Device, require_single_row
from .errors import invalid_value
from .table import Row
from .values import format_date, format_duration, format_gmt_offset, format_moment, parse_date, parse_duration

_BUILD = dt.datetime(2024, 10, 10, 14, 3, 32, tzinfo=dt.UTC)


def install(device: Device) -> None:
    """Connect the hooks."""
    device.before_read["system/resource"] = lambda: _resource(device)
    device.before_read["system/routerboard"] = lambda: _routerboard(device)
    device.before_read["system/license"] = lambda: _license(device)
    device.before_read["system/clock"] = lambda: _clock(device)
    device.before_read["system/scheduler"] = lambda: _scheduler(device)
    device.after_set["system/clock"] = lambda row, before: _clock_set(device, row, before)
    device.after_set["system/identity"] = lambda row, before: device.log("system,info", "system identity changed")


def _put(device: Device, path: str, values: dict[str, str]) -> None:
    table = device.tables[path]
    row = require_single_row(table)
    row.values = {name: value for name, value in values.items() if name in table.menu.by_name}


def _resource(device: Device) -> None:
    model, rows = device.model, sum(len(table) for table in device.tables.values())
    used_memory = min(model.memory * 9 // 10, model.memory // 4 + rows * 400)
    used_disk = min(model.disk * 9 // 10, model.disk // 3 + rows * 120)
    sectors = device.writes // 4
    values = {
        "uptime": format_duration(device.uptime()),
        "version": device.version_label,
        "build-time": format_moment(_BUILD, device.version),
        "factory-software": "6.44" if device.version < (7, 0, 0) else "7.4.1",
        "free-memory": str(model.memory - used_memory),
        "total-memory": str(model.memory),
        "cpu": model.cpu,
        "cpu-count": str(model.cpu_count),
        "cpu-frequency": str(model.frequency),
        "cpu-load": str(device.random.randint(1, 9) if device.cpu_load is None else device.cpu_load),
        "free-hdd-space": str(model.disk - used_disk),
        "total-hdd-space": str(model.disk),
        "architecture-name": model.architecture,
        "board-name": "CHR" if device.is_chr else model.board_name,
        "platform": "MikroTik",
    }
    if device.is_chr:
        del values["factory-software"]
    else:
        values |= {
            "write-sect-since-reboot": str(sectors),
            "write-sect-total": str(120_000 + sectors),
            "bad-blocks": device.bad_blocks,
        }
    _put(device, "system/resource", values)


def _routerboard(device: Device) -> None:
    firmware = device.version_text
    values = {
        "routerboard": "true",
        "model": device.model.product_code,
        "serial-number": device.serial,
        "firmware-type": "ipq6000" if device.model.architecture == "arm64" else "mt7621L",
        "factory-firmware": "6.44" if device.version < (7, 0, 0) else "7.4.1",
        "current-firmware": firmware,
        "upgrade-firmware": firmware,
    }
    if device.version >= (6, 40, 0):
        values["board-name"] = device.model.board_name
    _put(device, "system/routerboard", values)


def _license(device: Device) -> None:
    code = f"{device.serial:0<8}"
    if device.is_chr:
        values = {"system-id": device.system_id, "level": "p-unlimited", "limited-upgrades": "false"}
    else:
        values = {
            "software-id": f"{code[:4]}-{code[4:8]}",
            "nlevel": str(device.model.license_level),
            "features": "",
        }
    _put(device, "system/license", values)


def _clock(device: Device) -> None:
    wall = device.clock.wall()
    row = require_single_row(device.tables["system/clock"])
    saving = wall.dst()
    row.values = {
        **row.values,
        "time": f"{wall:%H:%M:%S}",
        "date": format_date(wall, device.version),
        "time-zone-name": device.clock.time_zone,
        "gmt-offset": format_gmt_offset(wall),
        "dst-active": "true" if saving else "false",
    }


def _clock_set(device: Device, row: Row, before: dict[str, str | None]) -> None:
    clock = device.clock
    if "time-zone-name" in before:
        name = row.values["time-zone-name"]
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            raise invalid_value("time-zone-name") from None
        clock.time_zone = name
    if not before.keys() & {"date", "time"}:
        return
    wall = clock.wall()
    day = parse_date(row.values.get("date", "")) or (wall.year, wall.month, wall.day)
    seconds = parse_duration(row.values.get("time", ""))
    if seconds is None or seconds >= 86400:
        raise invalid_value("time")
    midnight = dt.datetime(*day, tzinfo=clock.zone())
    clock.skew_seconds += (midnight + dt.timedelta(seconds=seconds) - wall).total_seconds()


def _scheduler(device: Device) -> None:
    """Where an entry would run next (scripts of the scheduler are not executed)."""
    wall = device.clock.wall()
    for row in device.tables["system/scheduler"].rows.values():
        interval = parse_duration(row.values.get("interval", "0s")) or 0.0
        day = parse_date(row.values.get("start-date", ""))
        offset = parse_duration(row.values.get("start-time", ""))
        if row.values.get("disabled") == "true" or day is None or offset is None:
            row.values.pop("next-run", None)
            continue
        moment = dt.datetime(*day, tzinfo=wall.tzinfo) + dt.timedelta(seconds=offset)
        if moment <= wall:
            if not interval:
                row.values.pop("next-run", None)
                continue
            moment += dt.timedelta(seconds=((wall - moment).total_seconds() // interval + 1) * interval)
        is_today = moment.date() == wall.date() and device.version < (7, 10, 0)
        row.values["next-run"] = f"{moment:%H:%M:%S}" if is_today else format_moment(moment, device.version)
