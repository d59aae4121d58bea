"""The cut-down icon font holds every icon a page can show; a missing one would appear as its name."""

from __future__ import annotations

import ast

import pytest

from core.admin import build_icons


def committed() -> tuple[str, set[str]]:
    first, *names = build_icons.NAMES.read_text().splitlines()
    return first.rsplit(" ", 1)[1], set(names)


def test_every_icon_in_use_is_in_the_font() -> None:
    missing = build_icons.icons_used() - committed()[1]
    assert missing == set(), "run manage.py update_icons"


def test_the_font_is_the_one_the_list_was_made_with() -> None:
    assert build_icons.font_digest() == committed()[0]
    assert build_icons.FONT.stat().st_size < 12_000


@pytest.mark.parametrize(
    "code",
    [
        'Words(Tone.GOOD, "probe_icon", "text")',
        'Tile("a", "1", "/", Tone.GOOD, "probe_icon")',
        'Link("a", "/", "probe_icon")',
        'Confirmation(icon="probe_icon")',
        'nav_group, nav_icon, nav_order = "sell", "probe_icon", 3',
        'icon = {"a": "probe_icon"}',
    ],
)
def test_the_scan_sees_icons_in_code(code: str) -> None:
    assert "probe_icon" in set(build_icons._icons_of(ast.parse(code)))
