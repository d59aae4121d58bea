"""Reading a router's whole configuration over the API: `/export` into a file, the file in pieces, the file removed.

Policies (routeros.md 8.2): `ftp` for files, `write` to remove it, `sensitive` for passwords. `/file/read` is there from
7.13; before, a file's `contents` are printed up to a size that depends on the version (docs/unverified.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from string import digits

from core.installation import installation
from core.numbers import whole_number
from locations.choices_configs import BackupProblem
from locations.routeros.client import Reply, RouterClient, Row
from locations.routeros.errors import RouterTrap
from locations.routeros.exports import Incomplete, export_lines
from locations.routeros.values import whole
from locations.sync.pipeline import Command, pipelined

NEEDED = ("read", "write", "ftp")
SECRETS = "sensitive"
MAX_BYTES = 16 * 1024 * 1024
PIECE_BYTES = 32_768  # the most that `/file/read` gives at once
PIECES_IN_FLIGHT = 8
LINE_BYTES = 160  # of a login in an export, generously
BASE_BYTES = 128 * 1024  # of everything else
READ_SINCE, SHOW_SINCE = (7, 13), (7, 0)


class ExportFailed(Exception):
    """There is no backup: `problem` is a `BackupProblem`, `words` the router's own or what is missing."""

    def __init__(self, problem: BackupProblem, words: str = ""):
        super().__init__(problem.value)
        self.problem = problem
        self.words = words


@dataclass(frozen=True)
class Exported:
    """Whole, one command a line. `left` names a file that the router would not remove."""

    lines: list[str]
    has_secrets: bool
    left: str = ""


def file_name() -> str:
    """The same each time: what a broken link left behind is found and removed by the next backup."""
    return f"mb-{installation().tag}-backup.rsc"


def export_read(client: RouterClient, username: str, version: str) -> Exported:
    """The router's configuration, or ExportFailed; nothing half is ever returned. RouterUnreachable passes through."""
    granted = granted_policies(client, username)
    missing = [name for name in NEEDED if granted is not None and name not in granted]
    if missing:
        raise ExportFailed(BackupProblem.POLICY, ", ".join(missing))
    has_secrets = granted is None or SECRETS in granted
    name = file_name()
    _check_room(client)
    try:
        _remove(client, name)
        client.call("/export", {"file": name.removesuffix(".rsc"), **_secret_words(version, shows=has_secrets)})
        text = _read(client, name, version)
    except RouterTrap as trap:
        _remove_quietly(client, name)
        if trap.is_permission:
            raise ExportFailed(BackupProblem.POLICY, trap.words) from None
        raise ExportFailed(BackupProblem.TRAP, trap.words) from None
    except ExportFailed:
        _remove_quietly(client, name)
        raise
    left = "" if _remove_quietly(client, name) else name
    try:
        return Exported(export_lines(text, version), has_secrets, left)
    except Incomplete as cut:
        raise ExportFailed(BackupProblem.CUT, cut.reason) from None


def granted_policies(client: RouterClient, username: str) -> set[str] | None:
    """What our login may do there; None when the router does not let us look."""
    try:
        users = client.print("/user", ("group",), [f"name={username}"])
        groups = client.print("/user/group", ("policy",), [f"name={users[0].get('group', '')}"]) if users else []
    except RouterTrap:
        return None
    return set(groups[0].get("policy", "").split(",")) if groups else None


def version_key(version: str) -> tuple[int, int]:
    """(7, 16) of `7.16.1`; (0, 0) for what is no version."""
    parts = [whole("".join(c for c in part if c in digits)[:6]) for part in version.split(".")[:2]]
    return (parts[0], parts[1]) if len(parts) == 2 else (0, 0)


def _secret_words(version: str, *, shows: bool) -> dict[str, str]:
    """RouterOS 7 hides passwords unless asked to show them; 6 shows them unless asked to hide them."""
    if version_key(version) >= SHOW_SINCE:
        return {"show-sensitive": ""} if shows else {}
    return {} if shows else {"hide-sensitive": ""}


def _check_room(client: RouterClient) -> None:
    """The file must neither fill the router nor be larger than we take; logins are what makes exports long."""
    logins = client.count("/ip/hotspot/user") + client.count("/ppp/secret")
    expected = BASE_BYTES + logins * LINE_BYTES
    if expected > MAX_BYTES:
        raise ExportFailed(BackupProblem.SIZE, str(expected))
    resource = next(iter(client.print("/system/resource", ("free-hdd-space",))), {})
    free = resource.get("free-hdd-space", "")
    if (room := whole_number(free)) is not None and room < 2 * expected:
        raise ExportFailed(BackupProblem.SPACE, free)


def _found(client: RouterClient, name: str, *properties: str) -> Row | None:
    rows = client.print("/file", (".id", "name", "size", *properties), [f"name={name}"])
    return next((row for row in rows if row.get("name") == name), None)


def _read(client: RouterClient, name: str, version: str) -> str:
    row = _found(client, name)
    if row is None:
        raise ExportFailed(BackupProblem.UNREADABLE, "0")
    size = whole(row.get("size", ""))
    if size > MAX_BYTES:
        raise ExportFailed(BackupProblem.SIZE, str(size))
    if version_key(version) >= READ_SINCE:
        content = b"".join(_pieces(client, name, size))
    else:
        printed = (_found(client, name, "contents") or {}).get("contents", "")
        if len(printed.encode()) < size:
            raise ExportFailed(BackupProblem.UNREADABLE, str(size))
        content = sent_bytes(printed, size)
    again = _found(client, name)
    if again is None or whole(again.get("size", "")) != size:
        raise ExportFailed(BackupProblem.CUT, "size")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _pieces(client: RouterClient, name: str, size: int) -> Iterator[bytes]:
    def command(offset: int) -> Command:
        return "/file/read", {"file": name, "offset": str(offset), "chunk-size": str(PIECE_BYTES)}, ()

    for offset, answer in pipelined(client, range(0, size, PIECE_BYTES), command, most=PIECES_IN_FLIGHT):
        if not isinstance(answer, Reply):
            raise answer
        data = "".join(row.get("data", "") for row in answer.rows)
        yield sent_bytes(data, min(PIECE_BYTES, size - offset))


def sent_bytes(value: str, size: int) -> bytes:
    """The bytes the router sent, of the text the client made of them (`client.text`). Raises ExportFailed: not `size`."""
    for encoding in ("utf-8", "latin-1"):
        try:
            content = value.encode(encoding)
        except UnicodeEncodeError:
            continue
        if len(content) == size:
            return content
    raise ExportFailed(BackupProblem.CUT, "size")


def _remove(client: RouterClient, name: str) -> bool:
    """True when no such file is there any more, asked from the router."""
    row = _found(client, name)
    if row is None:
        return True
    client.call("/file/remove", {".id": row.get(".id", "")})
    return _found(client, name) is None


def _remove_quietly(client: RouterClient, name: str) -> bool:
    try:
        return _remove(client, name)
    except RouterTrap:
        return False
