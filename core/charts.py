"""Drawings of numbers as SVG shapes in a box of 300 by 80. The sentence and the table beside them say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 300, 80


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    label: str


def bars(values: Sequence[tuple[str, int]]) -> list[Bar]:
    """Columns, the highest filling the box; a value that is not 0 is never invisible."""
    most = max((value for _label, value in values), default=0)
    if not most:
        return []
    step = WIDTH / len(values)
    found = []
    for place, (label, value) in enumerate(values):
        height = max(1.0, HEIGHT * value / most) if value else 0.0
        found.append(
            Bar(round(place * step, 2), round(HEIGHT - height, 2), round(step * 0.8, 2), round(height, 2), label)
        )
    return found


def areas(points: Sequence[tuple[float, int]], *, gap: float) -> list[str]:
    """Filled shapes under (x from 0 to 1, value), as SVG points; a hole where two are further apart than `gap`."""
    most = max((value for _x, value in points), default=0) or 1
    parts: list[list[tuple[float, int]]] = []
    for point in points:
        if parts and point[0] - parts[-1][-1][0] <= gap:
            parts[-1].append(point)
        else:
            parts.append([point])
    return [_area(part, most) for part in parts]


def _area(part: Sequence[tuple[float, int]], most: int) -> str:
    top = [f"{x * WIDTH:.1f},{HEIGHT - max(1.0, HEIGHT * value / most) if value else HEIGHT:.1f}" for x, value in part]
    first, last = part[0][0] * WIDTH, max(part[-1][0] * WIDTH, part[0][0] * WIDTH + 1)
    return " ".join([f"{first:.1f},{HEIGHT}", *top, f"{last:.1f},{HEIGHT}"])
