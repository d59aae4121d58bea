from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import names
from config.embedded.account import Account, server_account
from config.embedded.layout import make_layout, orphaned_homes, remove_layout

ME = Account(os.geteuid(), os.getegid(), switch=False)
SWITCHED = Account(os.geteuid(), os.getegid(), switch=True)


@pytest.fixture
def state() -> Iterator[Path]:
    """A short path, as /var/lib/mikrotik-billing is one."""
    with tempfile.TemporaryDirectory(prefix="mb-") as folder:
        yield Path(folder) / "s"


def test_without_root_everything_lies_under_the_callers_folder(tmp_path: Path) -> None:
    layout = make_layout(tmp_path / "postgres", "demo", ME, tmp_path / "state")
    assert layout.home == tmp_path / "postgres" / "demo"
    assert layout.home.stat().st_mode & 0o777 == 0o700
    assert not (tmp_path / "state").exists()


def test_as_root_data_lies_under_the_state_folder_and_a_new_clone_begins_anew(tmp_path: Path, state: Path) -> None:
    root = tmp_path / "postgres"
    first = make_layout(root, "demo", SWITCHED, state)
    assert make_layout(root, "demo", SWITCHED, state) == first
    assert first.home.parent.parent == state
    assert sorted(path.name for path in root.iterdir()) == ["demo.id"]

    shutil.rmtree(root)  # the clone was deleted and made again at the same path
    second = make_layout(root, "demo", SWITCHED, state)
    assert second.home != first.home
    assert first.home.is_dir()


def test_only_homes_whose_root_is_gone_are_orphans(tmp_path: Path, state: Path) -> None:
    kept = make_layout(tmp_path / "a", "test", SWITCHED, state)
    gone = make_layout(tmp_path / "b", "test", SWITCHED, state)
    other = make_layout(tmp_path / "c", "demo", SWITCHED, state)
    shutil.rmtree(tmp_path / "b")
    shutil.rmtree(tmp_path / "c")
    assert orphaned_homes("test", state) == [gone.home]
    assert kept.home.is_dir()
    assert other.home.is_dir()


def test_a_damaged_identity_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo.id").write_text("../../elsewhere\n")
    with pytest.raises(ValueError, match="damaged"):
        make_layout(tmp_path, "demo", SWITCHED, tmp_path / "s")


def deep(tmp_path: Path) -> Path:
    return tmp_path.joinpath(*["a-rather-long-folder-name"] * 5)


def test_a_long_path_gets_a_short_private_socket_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep(tmp_path) / "also-too-long"))
    layout = make_layout(deep(tmp_path), "demo", ME, tmp_path / "state")
    try:
        assert layout.sockets.parent == Path("/tmp")  # noqa: S108 - the last resort for a socket
        assert len(str(layout.sockets / names.SOCKET_NAME)) <= names.SOCKET_PATH_LIMIT
        assert layout.sockets.stat().st_mode & 0o777 == 0o700
        assert make_layout(deep(tmp_path), "demo", ME, tmp_path / "state") == layout
    finally:
        remove_layout(deep(tmp_path), "demo", layout)
    assert not layout.sockets.exists()


def test_somebody_elses_socket_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = tmp_path / "r"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setattr(names, "SOCKET_PATH_LIMIT", len(str(runtime)) + 60)
    layout = make_layout(deep(tmp_path), "demo", ME, tmp_path / "state")
    assert layout.sockets.parent == runtime
    layout.sockets.chmod(0o777)
    with pytest.raises(PermissionError, match="not a private folder"):
        make_layout(deep(tmp_path), "demo", ME, tmp_path / "state")
    layout.sockets.rmdir()
    layout.sockets.symlink_to(tmp_path)
    with pytest.raises(PermissionError, match="not a private folder"):
        make_layout(deep(tmp_path), "demo", ME, tmp_path / "state")


def test_root_never_runs_the_server_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    account = server_account()
    assert account.switch
    assert account.uid != 0

    def nobody(_: str) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwnam", nobody)
    with pytest.raises(LookupError, match="no account 'postgres' or 'nobody'"):
        server_account()


def test_another_account_runs_it_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1234)
    assert server_account() == Account(1234, os.getegid(), switch=False)
