"""The wiring of `core.events` as text, for `manage.py show_wiring` and the test that pins it."""

from __future__ import annotations

from core.events import wiring


def wiring_lines() -> list[str]:
    """`StaffActed  10 ! accounts.services.activity.activity_write`: event, order, critical, subscriber."""
    return [
        f"{entry.event.__name__:<20} {entry.order:>4} {'!' if entry.is_critical else ' '} {entry.name}"
        for entry in wiring()
    ]
