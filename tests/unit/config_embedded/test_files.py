from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.embedded.files import FileLock, LockBusyError, read_env, write_env, write_private


def test_a_lock_has_one_holder_and_names_it(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "one.lock"), FileLock(tmp_path / "one.lock")
    first.acquire()
    with pytest.raises(LockBusyError) as caught:
        second.acquire()
    assert caught.value.pid == os.getpid()
    first.release()
    second.acquire()
    second.release()


def test_a_lock_ends_with_its_holder_and_is_not_inherited(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, subprocess, os; from config.embedded.files import FileLock;"
        "lock = FileLock(pathlib.Path(sys.argv[1])); lock.acquire();"
        "subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=0);"
        "os.kill(os.getpid(), 9)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "one.lock")], stdin=subprocess.PIPE)
    assert holder.wait() == -9
    lock = FileLock(tmp_path / "one.lock")
    lock.acquire()
    lock.release()
    assert holder.stdin is not None
    holder.stdin.close()


def test_private_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(tmp_path / "new" / "secret", "one\n")
        write_private(tmp_path / "new" / "secret", "two\n")
    finally:
        os.umask(before)
    assert (tmp_path / "new" / "secret").read_text() == "two\n"
    assert (tmp_path / "new" / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret"]


def test_values_come_back_literally(tmp_path: Path) -> None:
    values = {"URL": "postgresql://u:p@:5432/db?host=/a b", "EMPTY": "", "SIGNS": "a=b#c'\"$x"}
    write_env(tmp_path / "x.env", values, heading="first\nsecond")
    assert (tmp_path / "x.env").read_text().startswith("# first\n# second\nURL=")
    assert read_env(tmp_path / "x.env") == values
    assert read_env(tmp_path / "missing.env") == {}


def test_a_value_with_a_line_break_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="KEY must be one line"):
        write_env(tmp_path / "x.env", {"KEY": "a\nOTHER=b"}, heading="x")
    assert not (tmp_path / "x.env").exists()
