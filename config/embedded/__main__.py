"""`python -m config.embedded --root FOLDER [--name dev] [--fast] [--urls FILE]`: a server until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from config.embedded.files import write_env
from config.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.embedded", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the server's lock and data")
    parser.add_argument("--name", default="dev")
    parser.add_argument("--fast", action="store_true", help="no crash safety, for tests")
    parser.add_argument("--urls", type=Path, help="file that gets DATABASE_URL and DATABASE_OWNER_URL (0600)")
    options = parser.parse_args()
    wanted = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    try:
        with EmbeddedPostgres(options.root, options.name, fast=options.fast) as server:
            if options.urls:
                urls = {"DATABASE_URL": server.app_url, "DATABASE_OWNER_URL": server.owner_url}
                write_env(options.urls, urls, heading="A developer's embedded PostgreSQL; gone when it stops.")
            sys.stdout.write(f"PostgreSQL runs as process {server.pid()}. Ctrl-C stops it.\n")
            sys.stdout.flush()
            signal.sigwait(wanted)
    except EmbeddedPostgresError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
