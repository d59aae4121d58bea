"""One part of a benchmark in a process of its own; started by `tests.perf`, with the database it may fill."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

import django

from tests.perf.figures import Report


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part")
    parser.add_argument("--scale", type=float, required=True)
    parser.add_argument("--report", type=Path, required=True)
    options = parser.parse_args()
    django.setup()
    module = importlib.import_module(f"tests.perf.parts.{options.part}")
    module.run(Report(options.report, is_full_size=options.scale == 1.0), options.scale)


if __name__ == "__main__":
    main()
