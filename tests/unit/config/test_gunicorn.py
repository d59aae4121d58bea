"""Gunicorn's configuration decides how metrics are kept from the same values as the settings."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import pytest

from config import env as env_module

from .environment import COMPLETE, ROOT, clean_environment

MULTIPLE = "PROMETHEUS_MULTIPROC_DIR"


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nothing of these tests' environment, state under `tmp_path`, and a counter that the last run left there."""
    clean_environment(monkeypatch, {**COMPLETE, "VAR_DIR": str(tmp_path)})
    monkeypatch.setenv(MULTIPLE, "")  # so that what the file sets is taken back afterwards
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "counter_1.db").touch()
    return tmp_path


def configure() -> str:
    runpy.run_path(str(ROOT / "config" / "gunicorn.py"))
    return os.environ[MULTIPLE]


def test_metrics_are_off_unless_asked_for(own: Path) -> None:
    assert configure() == ""
    assert (own / "metrics" / "counter_1.db").exists()


@pytest.mark.parametrize("layer", ["environment", "file", ".env"])
def test_all_processes_count_together_wherever_the_port_is_set(
    own: Path, monkeypatch: pytest.MonkeyPatch, layer: str
) -> None:
    if layer == "environment":
        monkeypatch.setenv("METRICS_PORT", "9464")
    elif layer == "file":
        (own / "port").write_text("9464\n")
        monkeypatch.setenv("METRICS_PORT_FILE", str(own / "port"))
    else:
        monkeypatch.delenv("VAR_DIR")
        values = {"METRICS_PORT": "9464", "VAR_DIR": str(own)}
        monkeypatch.setattr(env_module, "read_file", lambda file: values if file.name == ".env" else {})
    assert configure() == str(own / "metrics")
    assert list((own / "metrics").iterdir()) == []  # the last run's numbers


def test_a_bad_value_ends_the_start_with_the_sentence(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_PORT", "many")
    with pytest.raises(SystemExit, match=r"^Configuration: METRICS_PORT must be a whole number\.$"):
        configure()
