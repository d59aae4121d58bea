"""`bin/demo`: the whole product on this machine, with two emulated routers, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from config.demo_children import Ports, child_specs, setup_commands
from config.embedded import names
from config.embedded.broker import prepare_broker
from config.embedded.environment import (
    Databases,
    child_environment,
    remove_embedded_env,
    write_embedded_env,
)
from config.embedded.files import FileLock, LockBusyError, read_env
from config.embedded.ports import answers, is_free
from config.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError
from config.embedded.processes import StopRequestedError, Supervisor
from config.embedded.secrets_file import EMULATOR_PASSWORD, ensure_secrets, secrets_path

READY_SECONDS = 120.0
PORT = 8000
_DATA = ("demo.json", "demo-admin-password", "emulator", "broker", "media", "postgres")


class DemoError(Exception):
    """A sentence for the person at the terminal."""


def say(text: str) -> None:
    """One line to the terminal, at once (a pipe would otherwise hold it back)."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bin/demo", description="Try the product with two emulated routers.")
    parser.add_argument("--port", type=int, help=f"port on 127.0.0.1 (default {PORT}; with --check a free one)")
    parser.add_argument("--reset", action="store_true", help="delete the demo's data first")
    parser.add_argument("--check", action="store_true", help="run the main job once, print each step, stop")
    options = parser.parse_args(arguments)
    var = Path(os.environ.get("VAR_DIR") or names.VAR).resolve()
    try:
        with _only_demo(var) as scope:
            return Demo(var, scope, port=options.port, check=options.check).run(reset=options.reset)
    except (DemoError, EmbeddedPostgresError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except StopRequestedError:
        say("Stopped.")
        return 130
    except PermissionError as error:
        sys.stderr.write(f"{error.filename} belongs to another account. Run the demo as the account that made it.\n")
        return 1


@contextlib.contextmanager
def _only_demo(var: Path) -> contextlib.AbstractContextManager[Path]:  # type: ignore[misc]
    raise NotImplementedError
