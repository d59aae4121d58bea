"""Files, binary backups, ``/execute``: what is written to the disk of the router and read from it."""

from __future__ import annotations

import json

from .commands import require_policies
from .device import Device
from .errors import OUT_OF_MEMORY, Trap, invalid_value, missing_value, no_match, unknown_parameter
from .filenames import file_type
from .sentence import Caller, Done, Emit, Live, Outcome, Sentence
from .table import Row, Table

INLINE_LIMIT = 61_440
"""From this size on ``contents`` is not printed; such a file is read in pieces."""
_CHUNK_LIMIT = 32_768
_BACKUP_WORDS = frozenset({"name", "password", "dont-encrypt", "encryption"})


def write_file(device: Device, name: str, contents: str) -> Row:
    """Put a file in the place of the one with that name. A long one is only read in pieces."""
    if device.is_full():
        raise Trap(OUT_OF_MEMORY)
    table = device.tables["file"]
    row = table.named(name)
    if row is None:
        row = device.insert("file", name=name)
    changes: dict[str, str | None] = {"size": str(len(contents)), "type": file_type(name)}
    changes["contents"] = contents if len(contents) < INLINE_LIMIT else None
    moment = device.moment_text()
    changes["last-modified" if "last-modified" in table.menu.by_name else "creation-time"] = moment
    table.update(row, {key: value for key, value in changes.items() if key in table.menu.by_name})
    device.file_contents[name] = contents
    return row


def contents_of(device: Device, name: str) -> str | None:
    """The text of a file, whatever its size; None when there is none."""
    row = device.tables["file"].named(name)
    if row is None:
        return None
    return row.values.get("contents") or device.file_contents.get(name, "")


def read_command(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    """A piece of a file."""
    words = sentence.attributes
    for name in words:
        if name not in ("file", "offset", "chunk-size", "as-value"):
            raise unknown_parameter(name)
    if not words.get("file"):
        raise missing_value("file")
    contents = contents_of(device, words["file"])
    if contents is None:
        raise no_match("file")
    offset, size = (
        _number(words, name, otherwise) for name, otherwise in (("offset", 0), ("chunk-size", _CHUNK_LIMIT))
    )
    if not 1 <= size <= _CHUNK_LIMIT:
        raise Trap(f"value of chunk-size out of range (1..{_CHUNK_LIMIT})", 1)
    piece = contents[offset : offset + size]

    async def run(emit: Emit) -> None:
        await emit([("data", piece)])

    return Live(run)


def _number(words: dict[str, str], name: str, otherwise: int) -> int:
    text = words.get(name, str(otherwise))
    if not (text.isdigit() and text.isascii() and len(text) < 12):
        raise invalid_value(name)
    return int(text)


def backup_save(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    """A binary backup as a file; only this device can load it."""
    require_policies(caller, "write", "ftp", "policy", "sensitive")
    words = _backup_words(sentence)
    name = words.get("name") or f"{device.single('system/identity')['name']}-{device.moment_text()}".replace(" ", "-")
    tables = {
        path: [[row.id, row.values] for row in other.rows.values() if not row.is_dynamic]
        for path, other in device.tables.items()
        if not other.menu.forget_on_reboot and path != "file"
    }
    content = json.dumps({"password": words.get("password", ""), "serial": device.serial, "tables": tables})
    row = write_file(device, name if name.endswith(".backup") else f"{name}.backup", content)
    device.tables["file"].update(row, {"contents": None})
    return Done()


def backup_load(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    """Take a backup back; the router reboots with it."""
    require_policies(caller, "write", "ftp", "policy", "sensitive", "reboot")
    words = _backup_words(sentence)
    name = words.get("name", "")
    text = contents_of(device, name if name.endswith(".backup") else f"{name}.backup")
    if text is None:
        raise Trap("failure: backup file not found")
    content = json.loads(text) if text.startswith("{") else {}
    if "tables" not in content or content["password"] != words.get("password", ""):
        raise Trap("failure: wrong password or corrupt backup file")
    device.planned_restore = content["tables"]
    return Done()


def _backup_words(sentence: Sentence) -> dict[str, str]:
    for name in sentence.attributes:
        if name not in _BACKUP_WORDS:
            raise unknown_parameter(name)
    return sentence.attributes
