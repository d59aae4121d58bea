"""Events of services as sentences; what nobody has put into words yet is shown, not hidden."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from billing.models import SubscriptionEvent
from dashboard.happenings.sentences import SENTENCES, event_sentence
from tests.unit.dashboard import lines

TODAY = date(2026, 11, 22)


def told(kind: str, from_status: str = "", to_status: str = "", **details: Any) -> str:
    row = SubscriptionEvent(
        subscription=lines.subscription(), kind=kind, from_status=from_status, to_status=to_status, details=details
    )
    return event_sentence(row, TODAY)


@pytest.mark.parametrize(
    ("sentence", "event"),
    [
        ("Service sri started", ("activated", "draft", "active")),
        ("Service sri open again", ("reopened", "isolated", "active")),
        ("Service sri open again", ("resumed", "paused", "active")),
        ("Service sri overdue, still open", ("overdue", "active", "grace")),
        ("Service sri isolated", ("isolated", "grace", "isolated")),
        ("Service sri paused", ("paused", "active", "paused")),
        ("Service sri ended", ("ended", "paused", "ended")),
    ],
)
def test_moves(sentence: str, event: tuple[str, str, str]) -> None:
    assert told(*event) == sentence


def test_what_was_recorded_stands_in_the_sentence() -> None:
    assert (
        told("created", "", "draft", plan="Rumah 10M", location="Pos 2")
        == "Service sri written down: Rumah 10M at Pos 2"
    )
    assert (
        told("addon_added", name="Public address", amount="50000.00", from_on="2026-12-01")
        == "Service sri: add-on Public address of IDR 50,000 a month"
    )
    assert (
        told("plan_change_asked", before="Rumah 10M", after="Rumah 20M", effective_on="2027-01-01")
        == "Service sri changes from Rumah 10M to Rumah 20M on 1 Jan 2027"
    )


@pytest.mark.parametrize("kind", [*SENTENCES, "invented_kind"])
def test_missing_details_and_unknown_kinds_are_still_told(kind: str) -> None:
    assert told(kind).startswith(("Service sri", "Login of service sri"))
    assert "%(" not in told(kind)
    assert told("invented_kind") == "Service sri: invented kind"


def test_broken_details_break_nothing() -> None:
    assert told("moved", before="50 % off %(x)s", after="B") == "Service sri moved from 50 % off %(x)s to B"
