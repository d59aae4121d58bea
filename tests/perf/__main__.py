"""`bin/bench [name] [--scale 0.01]`: measure, verify, print one table. Exit 1: wrong result; 2: figure missed.

Every part runs in a process and a database of its own; routers and writers are further processes, so that nobody
measured shares an interpreter with his counterpart.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.perf.databases import CLONE, Databases
from tests.perf.figures import WRONG, Figure, exit_code, read_figures, say, table

# part: the database it works on (parts that name the same one share it, in this order)
PARTS = {
    "codes": "million",
    "lists": "million",
    "push": "push",
    "activation": "activation",
    "expiry": "expiry",
    "single": "single",
    "dead": "dead",
    "bills": "bills",
    "nights": "nights",
    "customers": "customers",
    "reports": "reports",
    "payments": "payments",
    "clients": "clients",
    "rsc": "rsc",
    "polls": "polls",
    "emulator": "emulator",
}
GROUPS = {
    "vouchers": ["codes", "lists", "push", "activation", "expiry", "single", "dead"],
    "billing": ["bills", "nights", "customers", "reports", "payments"],
    "routers": ["clients", "rsc", "single", "polls", "emulator"],
}
CEILING = "Against the emulator a figure is the protocol's ceiling, not a promise about hardware."


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure the figures of the plan (section 7).")
    parser.add_argument("names", nargs="*", metavar="name", help=f"{', '.join([*GROUPS, *PARTS])}; default: vouchers")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full sizes, for trying out (0.01)")
    options = parser.parse_args()
    names = options.names or ["vouchers"]
    if unknown := [name for name in names if name not in GROUPS and name not in PARTS]:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join([*GROUPS, *PARTS])}")
    chosen = {part for name in names for part in GROUPS.get(name, [name])}
    with tempfile.TemporaryDirectory(prefix="mb-bench-") as folder, Databases() as databases:
        (Path(folder) / "var" / "static").mkdir(parents=True)  # whitenoise warns without it
        say(f"Machine: {_machine()}")
        say(f"PostgreSQL: {databases.server()}")
        say(f"{CEILING}\n")
        figures = [
            figure
            for part in PARTS
            if part in chosen
            for figure in _run_part(part, options.scale, Path(folder), databases)
        ]
    say(f"\n{table(figures)}\n\n{CEILING}")
    return exit_code(figures)


def _run_part(part: str, scale: float, folder: Path, databases: Databases) -> list[Figure]:
    report = folder / f"{part}.jsonl"
    base = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "tests.perf.settings", "VAR_DIR": str(folder / "var"),
        "LOG_DIR": str(folder / "log"), "LOG_LEVEL": "WARNING", "KICKS_ENABLED": "true", "DATABASE_POOL_MAX": "24",
    }  # fmt: skip
    say(f"== {part} (load {os.getloadavg()[0]:.1f})")
    done = subprocess.run(
        [sys.executable, "-m", "tests.perf.part", part, "--scale", str(scale), "--report", str(report)],
        cwd=CLONE, env=databases.environment(PARTS[part], base), check=False,
    )  # fmt: skip
    figures = read_figures(report)
    if done.returncode:
        figures.append(Figure(part, "", "", f"ended with code {done.returncode}", "", "", "", WRONG))
    return figures


def _machine() -> str:
    facts = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    gib = int(facts["MemTotal"].split()[0]) / 1024**2
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].split(":", 1)[1].strip() if models else platform.machine()
    load = os.getloadavg()[0]
    python = platform.python_version()
    return f"{os.cpu_count()} cores ({model}), {gib:.0f} GiB, Python {python}, load {load:.1f} before the start"


if __name__ == "__main__":
    sys.exit(main())
