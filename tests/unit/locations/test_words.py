"""The words for truth, exactly as UI.md writes them, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from core.words import Tone
from locations.choices import Hold, Reach, RolloutMethod, RolloutStatus, SessionEnd
from locations.words import Fact, advice_for, reach_words, rollout_words, row_words, session_end_words

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SINCE = datetime(2026, 11, 22, 7, 5, tzinfo=UTC)  # 14.05 in Jakarta
FACT = Fact(
    location_name="Pos 2", is_present=True, is_synced=True, applied_at=NOW - timedelta(seconds=12), hold=Hold.NONE,
    router_words="", reach=Reach.ONLINE, reach_since=SINCE, waiting=12, zone="Asia/Jakarta", name="ABC123",
)  # fmt: skip
PERMISSION = "failure: not enough permissions (9)"


@pytest.mark.parametrize(
    ("changes", "tone", "english", "indonesian"),
    [
        ({}, Tone.GOOD, "On router, checked 12 s ago", "Di router, dicek 12 dtk lalu"),
        ({"is_synced": False}, Tone.WAITING, "Waiting for router “Pos 2”", "Menunggu router “Pos 2”"),
        (
            {"is_synced": False, "reach": Reach.OFFLINE}, Tone.BAD,
            "Router offline since 14.05; 12 changes wait", "Router offline sejak 14.05; 12 perubahan menunggu",
        ),
        (
            {"is_synced": False, "is_present": False}, Tone.WAITING,
            "Waiting for router “Pos 2” to remove it", "Menunggu router “Pos 2” menghapusnya",
        ),
        (
            {"is_disabled": True}, Tone.QUIET,
            "Switched off on the router, checked 12 s ago", "Dimatikan di router, dicek 12 dtk lalu",
        ),
        (
            {"is_synced": False, "hold": Hold.REFUSED, "router_words": PERMISSION}, Tone.BAD,
            "Router says: “failure: not enough permissions (9)” — give our router user the policies read, write, api and "
            "test, then retry.",
            "Kata router: “failure: not enough permissions (9)” — beri user router kita izin read, write, api dan test, "
            "lalu coba lagi.",
        ),
        (
            {"is_synced": False, "hold": Hold.CONFLICT}, Tone.BAD,
            "The router has its own “ABC123”, not made by us. Take it over or choose another name.",
            "Router sudah punya “ABC123” yang bukan buatan kita. Ambil alih atau pakai nama lain.",
        ),
        ({"is_present": False}, Tone.QUIET, "Gone from the router", "Sudah hilang dari router"),
    ],
)  # fmt: skip
def test_a_row_says_what_we_want_and_what_the_router_confirmed(
    changes: dict[str, object], tone: Tone, english: str, indonesian: str
) -> None:
    fact = replace(FACT, **changes)  # type: ignore[arg-type]
    with translation.override("en"):
        words = row_words(fact, NOW)
    assert (words.tone, words.text) == (tone, english)
    with translation.override("id"):
        assert row_words(fact, NOW).text == indonesian


def test_a_confirmed_row_stays_confirmed_while_its_router_is_offline() -> None:
    with translation.override("en"):
        assert row_words(replace(FACT, reach=Reach.OFFLINE), NOW).tone == Tone.GOOD


@pytest.mark.parametrize(
    ("reach", "waiting", "text"),
    [
        (Reach.ONLINE, 0, "Online, seen 12 s ago"),
        (Reach.OFFLINE, 0, "Router offline since 14.05"),
        (Reach.OFFLINE, 1, "Router offline since 14.05; 1 change waits"),
        (Reach.REFUSED, 2, "Router refuses our login since 14.05; 2 changes wait"),
        (Reach.WRONG_ROUTER, 2, "Another router answers at this address; nothing is written to it; 2 changes wait"),
        (Reach.UNKNOWN, 2, "Not contacted yet"),
    ],
)
def test_a_router_as_a_whole(reach: str, waiting: int, text: str) -> None:
    with translation.override("en"):
        seen = NOW - timedelta(seconds=12)
        words = reach_words(reach, SINCE, seen, waiting=waiting, zone="Asia/Jakarta", now=NOW)
    assert words.text == text


# the router's real texts (research/routeros.md 1.6)
@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("failure: already have user with this name for this server", "take the router's entry over"),
        ("failure: secret with the same name already exists", "take the router's entry over"),
        ("input does not match any value of profile", "publish the plan again"),
        ("input does not match any value of address-pool", "create this address pool"),
        ("no such item (4)", "retry puts it back"),
        ("unknown parameter keepalive-timeout", "update the router"),
        ("invalid value for argument rate-limit", "correct this value"),
        ("action timed out - try again, if error continues contact MikroTik support", "retry"),
        ("something nobody has seen yet", "look at the router"),
    ],
)
def test_every_known_refusal_has_a_next_step(words: str, part: str) -> None:
    with translation.override("en"):
        assert part in advice_for(words)


@pytest.mark.parametrize(
    ("changes", "tone", "text"),
    [
        ({"is_isolated": True}, Tone.BAD, "Isolated on the router, checked 12 s ago"),
        ({"is_isolated": True, "is_synced": False}, Tone.WAITING, "Waiting for router “Pos 2” to isolate it"),
        ({"is_isolated": True, "is_disabled": True}, Tone.QUIET, "Switched off on the router, checked 12 s ago"),
    ],
)
def test_an_isolated_row_says_so_and_whether_the_router_knows(changes: dict[str, bool], tone: Tone, text: str) -> None:
    words = row_words(replace(FACT, **changes), NOW)  # type: ignore[arg-type]
    assert (words.tone, words.text) == (tone, text)


def test_ends_of_sessions_and_speed_changes_in_words() -> None:
    at = NOW - timedelta(seconds=12)
    assert session_end_words(at, SessionEnd.KICKED, now=NOW).text == "Session ended by us 12 s ago"
    assert session_end_words(at, SessionEnd.RESTART, now=NOW).text == "Session lost when the router restarted, 12 s ago"
    assert "customer's side" in session_end_words(at, SessionEnd.ENDED, now=NOW).text

    def said(method: str, status: str, *, on_old: int, is_confirmed: bool = True) -> tuple[str, str]:
        words = rollout_words(
            method, status, is_confirmed=is_confirmed, total=300, on_old=on_old, eta_seconds=50 if on_old else None
        )
        return words.text, words.title

    kick, running = RolloutMethod.KICK, RolloutStatus.RUNNING
    assert said(kick, running, on_old=300, is_confirmed=False)[0] == "Waiting for the router to confirm the new speed"
    assert said(kick, running, on_old=250) == ("250 of 300 sessions still on the old speed", "about 50 s left")
    assert said(kick, RolloutStatus.CANCELLED, on_old=250)[1] == "They get it with their next login"
    assert said(RolloutMethod.LIVE, running, on_old=3)[0] == "3 of 300 queues wait for the new speed"
    assert said(kick, RolloutStatus.DONE, on_old=0)[0] == "Everybody online has the new speed"
