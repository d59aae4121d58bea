"""Bar charts as SVG made on the server. Widths are percentages and text has real pixels: it stays readable at 320 px.

The page says the same in one sentence and in the table below, so the picture needs no more than a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.formats import money

HEIGHT, TOP, BOTTOM = 190, 24, 24  # pixels: the whole, above the bars, below them
LINE = 42
MOST_LINES = 12

Point = tuple[str, Decimal]


def column_chart(points: Sequence[Point], name: str) -> SafeString:
    """Upright bars for days and months, with the first and the last named below and the largest amount above."""
    highest = max([amount for _label, amount in points] + [Decimal(0)])
    lowest = min([amount for _label, amount in points] + [Decimal(0)])
    reach = (highest - lowest) or Decimal(1)
    room = Decimal(HEIGHT - TOP - BOTTOM)
    zero = TOP + room * highest / reach
    step = Decimal(100) / max(1, len(points))
    bars = format_html_join(
        "", '<rect x="{}%" y="{}" width="{}%" height="{}" class="{}"><title>{}</title></rect>',
        (
            (
                _short(step * place), _short(zero - max(amount, Decimal(0)) * room / reach), _short(step * Decimal("0.8")),
                _short(abs(amount) * room / reach), "mb-bar is-below" if amount < 0 else "mb-bar", f"{label}: {money(amount)}",
            )
            for place, (label, amount) in enumerate(points)
        ),
    )  # fmt: skip
    return format_html(
        '<svg class="mb-chart" width="100%" height="{}" role="img" aria-label="{}">{}'
        '<line x1="0" x2="100%" y1="{}" y2="{}" class="mb-axis"/><text x="0" y="14">{}</text>'
        '<text x="0" y="{}">{}</text><text x="100%" y="{}" text-anchor="end">{}</text></svg>',
        HEIGHT, name, bars, _short(zero), _short(zero), money(highest if highest else lowest), HEIGHT - 6, points[0][0],
        HEIGHT - 6, points[-1][0] if len(points) > 1 else "",
    )  # fmt: skip


def line_chart(points: Sequence[Point], name: str) -> SafeString:
    """Lying bars for names, the largest `MOST_LINES` of them."""
    drawn = sorted(points, key=lambda point: -abs(point[1]))[:MOST_LINES] if len(points) > MOST_LINES else points
    largest = max([abs(amount) for _label, amount in drawn] + [Decimal(0)]) or Decimal(1)
    lines = format_html_join(
        "",
        '<svg y="{}" width="60%" height="20"><text x="0" y="14">{}</text></svg><text x="100%" y="{}" text-anchor="end">{}</text>'
        '<rect x="0" y="{}" width="{}%" height="10" class="{}"><title>{}</title></rect>',
        (
            (
                LINE * place, label, LINE * place + 14, money(amount), LINE * place + 21, _short(abs(amount) * 100 / largest),
                "mb-bar is-below" if amount < 0 else "mb-bar", f"{label}: {money(amount)}",
            )
            for place, (label, amount) in enumerate(drawn)
        ),
    )  # fmt: skip
    return format_html(
        '<svg class="mb-chart" width="100%" height="{}" role="img" aria-label="{}">{}</svg>',
        LINE * len(drawn),
        name,
        lines,
    )


def _short(value: Decimal) -> str:
    return f"{value:.2f}"
