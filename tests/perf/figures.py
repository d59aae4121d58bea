"""One line of the table a benchmark prints, and how the lines are collected and judged."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

OK, MISS, WRONG, INFO = "ok", "MISS", "WRONG", "-"


@dataclass(frozen=True)
class Figure:
    """`verdict`: ok, MISS (slower than the figure), WRONG (the result is not right), - (nothing to reach)."""

    what: str
    rows: str
    delay: str
    measured: str
    reach: str
    compared: str
    ratio: str
    verdict: str


HEADINGS = Figure("what", "rows", "delay model", "measured", "figure to reach", "compared with", "ratio", "verdict")


class Report:
    """Where one part writes its figures, notes (plans, samples) and wrong results; read by the caller afterwards."""

    def __init__(self, path: Path, *, is_full_size: bool) -> None:
        self.path = path
        self.is_full_size = is_full_size

    def figure(
        self, what: str, *, measured: str, rows: int | str = "", delay: str = "", reach: str = "", compared: str = "",
        ratio: float | None = None, is_reached: bool | None = None,
    ) -> None:  # fmt: skip
        """`is_reached` None: a line for comparison only. A figure of a scaled run is judged too, and says so."""
        verdict = INFO if is_reached is None else OK if is_reached else MISS
        if is_reached is not None and not self.is_full_size:
            verdict += " (scaled)"
        number = f"{rows:,}" if isinstance(rows, int) else rows
        line = Figure(what, number, delay, measured, reach, compared, "" if ratio is None else f"{ratio:.2f}", verdict)
        self._write({"figure": asdict(line)})
        say(f"  {what}: {measured} {f'({reach}) ' if reach else ''}{verdict}")

    def verify(self, what: str, problems: Sequence[str]) -> None:
        """Problems make the run fail whatever it measured."""
        if not problems:
            say(f"  verified: {what}")
            return
        shown = "; ".join(problems[:5])
        self._write({"figure": asdict(Figure(what, "", "", shown[:120], "", "", "", WRONG))})
        say(f"  WRONG: {what}: {shown}")

    def note(self, text: str) -> None:
        self._write({"note": text})
        say(f"  {text}")

    def _write(self, entry: dict[str, object]) -> None:
        with self.path.open("a") as stream:
            stream.write(json.dumps(entry) + "\n")


def read_figures(path: Path) -> list[Figure]:
    entries = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [Figure(**entry["figure"]) for entry in entries if "figure" in entry]


def table(figures: Iterable[Figure]) -> str:
    rows = [tuple(asdict(figure).values()) for figure in [HEADINGS, *figures]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def exit_code(figures: Sequence[Figure]) -> int:
    """1: something is wrong; 2: something is right but slower than its figure; 0: all reached."""
    if not figures or any(figure.verdict == WRONG for figure in figures):
        return 1
    return 2 if any(figure.verdict.startswith(MISS) for figure in figures) else 0


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank: the smallest value that at least `share` of all are not above."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
