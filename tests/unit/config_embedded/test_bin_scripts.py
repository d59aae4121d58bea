"""The Python parts of bin/test and of the installation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from config.embedded.names import CLONE

sys.path.insert(0, str(CLONE / "bin"))

import _install
import _test

QUICK = ["-m", "not browser and not redis and not tls and not clients and not soak"]
WORKERS = ["-n", "auto", "--dist", "loadgroup"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], [*WORKERS, *QUICK]),
        (["-x", "tests/unit"], [*WORKERS, *QUICK, "-x", "tests/unit"]),
        (["-n0"], [*QUICK, "-n0"]),
        (["--pdb"], [*QUICK, "--pdb"]),
        (["-p", "no:xdist"], [*QUICK, "-p", "no:xdist"]),
        (["-m", "redis"], [*WORKERS, "-m", "redis"]),
    ],
)
def test_what_the_caller_decides_stays(given: list[str], expected: list[str]) -> None:
    assert _test.pytest_arguments(given, everything=False, soak=False) == expected


def test_everything_means_coverage_and_all_suites() -> None:
    arguments = _test.pytest_arguments([], everything=True, soak=False)
    coverage = ["--cov", "--cov-report=term-missing:skip-covered"]
    assert arguments == [*WORKERS, *coverage, "tests/unit", "tests/integration", "tests/e2e", "tests/soak"]
    one = _test.pytest_arguments(["tests/unit/core"], everything=True, soak=False)
    assert one == [*WORKERS, "tests/unit/core"]


def test_soak_runs_alone() -> None:
    assert _test.pytest_arguments([], everything=False, soak=True) == ["-m", "soak", "tests/soak"]


def test_a_developers_shell_does_not_reach_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REDIS_URL", "MIKROTIK_HOST", "SENTRY_DSN", "MB_STATE_ROOT", "SESSION_SECRET"):
        monkeypatch.setenv(name, "theirs")
    env = _test.environment({"DATABASE_URL": "ours"}, {"TEST_REDIS_URL": "redis"})
    assert [env.get(name) for name in ("REDIS_URL", "MIKROTIK_HOST", "SENTRY_DSN", "MB_STATE_ROOT")] == [None] * 4
    assert len(env["SESSION_SECRET"]) == 64
    assert (env["DATABASE_URL"], env["TEST_REDIS_URL"]) == ("ours", "redis")


class Venv:
    """A virtual environment whose pip writes down what it is asked and answers a given code."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / ".venv"
        (self.folder / "bin").mkdir(parents=True)
        self.log, self.code = folder / "pip.log", folder / "code"
        self.code.write_text("0")
        self.fits = folder / "fits"
        self.fits.write_text("0")
        python = self.folder / "bin" / "python"
        python.write_text(
            f'#!/bin/sh\nif [ "$2" = pip ]; then echo "$@" >> "{self.log}"\n'
            f'    if [ "$3" = check ]; then echo "one 1 needs two"; exit "$(cat "{self.fits}")"; fi\n'
            f'    exit "$(cat "{self.code}")"\nfi\n'
            f'exec "{sys.executable}" "$@"\n'
        )
        python.chmod(0o755)

    def installs(self) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if " install " in line]


def test_packages_are_installed_with_hashes_only_when_the_pins_change(tmp_path: Path) -> None:
    venv, requirements = Venv(tmp_path), tmp_path / "requirements.txt"
    requirements.write_text("one==1\n")
    _install.install(venv.folder, requirements)
    assert venv.installs() == [
        f"-m pip install --quiet --disable-pip-version-check --no-input --require-hashes --no-deps -r {requirements}"
    ]
    _install.install(venv.folder, requirements)
    assert len(venv.installs()) == 1
    requirements.write_text("one==2\n")
    _install.install(venv.folder, requirements)
    assert len(venv.installs()) == 2


def test_packages_that_do_not_fit_are_named_and_do_not_stop_anything(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    venv, requirements = Venv(tmp_path), tmp_path / "requirements.txt"
    requirements.write_text("one==1\n")
    _install.install(venv.folder, requirements)
    assert venv.log.read_text().splitlines()[-1] == "-m pip check --disable-pip-version-check"
    assert capfd.readouterr().err == ""
    requirements.write_text("one==2\n")
    venv.fits.write_text("1")
    _install.install(venv.folder, requirements)
    said = capfd.readouterr()
    assert "one 1 needs two" in said.out
    assert f"The packages in {venv.folder} do not fit together" in said.err
    _install.install(venv.folder, requirements)  # installed as pinned: not again at every start
    assert len(venv.installs()) == 2


def test_a_failed_installation_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv, requirements = Venv(tmp_path), tmp_path / "requirements.txt"
    requirements.write_text("one==1\n")
    monkeypatch.setattr(_install, "has_pip", lambda _: True)
    venv.code.write_text("1")
    with pytest.raises(SystemExit, match="Installing the packages failed"):
        _install.install(venv.folder, requirements)
    venv.code.write_text("0")
    _install.install(venv.folder, requirements)
    assert len(venv.installs()) == 2


def test_without_venv_and_pip_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr(_install, "has_pip", lambda _: False)
    with pytest.raises(SystemExit, match="apt-get install python3-venv"):
        _install.make_venv(tmp_path / ".venv")


def test_without_venv_the_systems_pip_installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr(_install, "has_pip", lambda python: str(python) == sys.executable)
    _install.make_venv(tmp_path / ".venv")
    assert _install.works(_install.venv_python(tmp_path / ".venv"))
    assert _install.pip_command(tmp_path / ".venv") == [
        sys.executable, "-m", "pip", "--python", str(tmp_path / ".venv" / "bin" / "python"),
    ]  # fmt: skip


def test_a_broken_environment_is_noticed(tmp_path: Path) -> None:
    assert not _install.works(tmp_path / "nothing")
    (tmp_path / "python").symlink_to(tmp_path / "removed")
    assert not _install.works(tmp_path / "python")


@pytest.mark.parametrize("name", ["demo", "test", "bench", "soak", "upgrade"])
def test_scripts_are_executable_posix_shell(name: str) -> None:
    script = CLONE / "bin" / name
    assert script.stat().st_mode & 0o111 == 0o111
    assert script.read_text().startswith("#!/bin/sh\n")
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0
