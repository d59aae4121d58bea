"""Where one embedded server keeps its things, as root and not."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.embedded import names
from config.embedded.account import Account
from config.embedded.files import write_private
from config.embedded.postmaster import server_pid

_ORIGIN = "origin"
"""File in a home under the state root: the path of the id file in `root` that belongs to it."""


@dataclass(frozen=True)
class Layout:
    """Folders of one server. `home` is ours; only `data` and `sockets` belong to the server's account."""

    home: Path
    sockets: Path

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def credentials(self) -> Path:
        return self.home / "credentials.env"

    @property
    def settings(self) -> Path:
        return self.home / "postgresql.conf"

    @property
    def access_rules(self) -> Path:
        return self.home / "pg_hba.conf"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"


def lock_path(root: Path, name: str) -> Path:
    """The lock that one running supervisor of this server holds."""
    return root / f"{name}.lock"


def make_layout(root: Path, name: str, account: Account, state_root: Path = names.STATE_ROOT) -> Layout:
    """Create the folders (not the database) and return where they are.

    As root the home lies under `state_root` and its name holds a random id kept beside the lock in `root`,
    so that a clone made anew at the same path never meets the data, and the unreadable secrets, of the one
    before it.
    """
    root.mkdir(parents=True, exist_ok=True)
    if not account.switch:
        home = root.resolve() / name
        home.mkdir(mode=0o700, exist_ok=True)
        sockets = _socket_folder(home)
        return Layout(home, sockets)
    home = state_root / _clone_hash() / f"{name}-{_identity(root, name)}"
    for folder in (state_root, home.parent, home):
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
    if not (home / _ORIGIN).exists():
        write_private(home / _ORIGIN, f"{_identity_path(root.resolve(), name)}\n")
    layout = Layout(home, home / "s")
    if not layout.sockets.is_dir():
        layout.sockets.mkdir()
        os.chown(layout.sockets, account.uid, account.gid)
        layout.sockets.chmod(0o755)
    if _too_long(layout.sockets):
        raise ValueError(f"{state_root} is too long a path for a unix socket.")
    return layout


def remove_layout(root: Path, name: str, layout: Layout) -> None:
    """Delete the server's data for good. The lock file stays; its holder is the caller."""
    shutil.rmtree(layout.home, ignore_errors=False)
    if layout.sockets.is_dir():
        shutil.rmtree(layout.sockets)
    _identity_path(root, name).unlink(missing_ok=True)


def orphaned_homes(name: str, state_root: Path = names.STATE_ROOT) -> list[Path]:
    """Data folders of servers `name` of this clone whose root folder is gone; nobody can start them again.

    Only for throw-away servers: a person's data is never judged by this.
    """
    parent = state_root / _clone_hash()
    if not parent.is_dir():
        return []
    found: list[Path] = []
    for home in parent.glob(f"{name}-*"):
        try:
            origin = Path((home / _ORIGIN).read_text(encoding="utf-8").strip())
        except OSError:
            continue
        if not origin.exists() and server_pid(home / "data") is None:
            found.append(home)
    return found


def _clone_hash() -> str:
    return hashlib.sha256(str(names.CLONE).encode()).hexdigest()[:10]


def _identity_path(root: Path, name: str) -> Path:
    return root / f"{name}.id"


def _identity(root: Path, name: str) -> str:
    path = _identity_path(root, name)
    if not path.exists():
        write_private(path, secrets.token_hex(4) + "\n")
    identity = path.read_text(encoding="ascii").strip()
    if not identity.isalnum():
        raise ValueError(f"{path} is damaged; it must hold one word of letters and digits.")
    return identity


def _too_long(sockets: Path) -> bool:
    return len(os.fsencode(sockets / names.SOCKET_NAME)) > names.SOCKET_PATH_LIMIT


def _socket_folder(home: Path) -> Path:
    """`home/s`, or a short private folder when that path is too long for a unix socket."""
    sockets = home / "s"
    if not _too_long(sockets):
        sockets.mkdir(mode=0o700, exist_ok=True)
        return sockets
    short = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    sockets = base / f"mb-{os.geteuid()}-{short}"
    if _too_long(sockets):
        sockets = Path("/tmp") / sockets.name  # noqa: S108 - checked below to be ours and private
    try:
        sockets.mkdir(mode=0o700)
    except FileExistsError:
        found = sockets.lstat()
        # In a shared /tmp another account could have put its own folder there to listen in our place.
        if sockets.is_symlink() or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise PermissionError(f"{sockets} exists and is not a private folder of this account.") from None
    return sockets
