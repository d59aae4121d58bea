"""The files under test, found from the root of the clone."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

CLONE = Path(__file__).resolve().parents[3]
DEPLOY = CLONE / "deploy"


def text(path: str) -> str:
    return (CLONE / path).read_text(encoding="utf-8")


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(text("docker-compose.yml"))
    return loaded


def script(path: str) -> ModuleType:
    """A script outside the packages, as a module."""
    file = CLONE / path
    name = f"under_test_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def run_parts() -> set[str]:
    """The names `deploy/run` knows."""
    return set(re.findall(r"^([a-z-]+)\)$", text("deploy/run"), re.MULTILINE))


def unit_values(path: str, key: str) -> list[str]:
    """All values of a key in a systemd unit, in order."""
    return re.findall(rf"^{re.escape(key)}=(.*)$", text(path), re.MULTILINE)
