"""Why a customer is offline: for each reason the exact sentence and what to do, and no other check that blames something."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from dashboard.offline import CHECKS, Line, Verdict, explain
from tests.unit.dashboard import lines
from tests.unit.dashboard.lines import DAY, HOUR, NOW

NOTHING_HERE = "Nothing on our side keeps it off: check power, cable and signal at the customer's, then the device."
SEEN = "Not online; last seen 22 Nov 2026 13.00 (1 h ago)."
AGAIN = "It is tried again by itself."


def service(**fields: Any) -> Line:
    return lines.line(subscription=lines.subscription(**fields))


def login(**fields: Any) -> Line:
    return lines.line(account=lines.account(**fields))


CAUSES: dict[str, tuple[Line, str, str, str]] = {
    "draft": (
        service(status="draft", started_on=None, billed_until=None), "status",
        "Not started yet: the service is a draft.", "Start it on its page.",
    ),
    "paused": (
        service(status="paused", paused_on=date(2026, 11, 3), resume_on=date(2026, 12, 1)), "status",
        "Paused since 3 Nov, comes back on 1 Dec.", "Let it come back earlier on its page, if the customer wants.",
    ),
    "paused without end": (
        service(status="paused", paused_on=date(2025, 11, 3)), "status",
        "Paused since 3 Nov 2025, without a day to come back.",
        "Let it come back earlier on its page, if the customer wants.",
    ),
    "ended": (
        service(status="ended", ended_on=date(2026, 11, 3)), "status",
        "Ended on 3 Nov.", "Make a new service if the customer comes back.",
    ),
    "isolated": (
        lines.isolated(), "isolated",
        "Isolated since 14 Nov: invoice INV/2026/000012 of IDR 150,000 was due 10 Nov.",
        "Take a payment or write a promise.",
    ),
    "isolated, part paid": (
        lines.isolated(unpaid=lines.bill(settled_amount=Decimal(100_000))), "isolated",
        "Isolated since 14 Nov: IDR 50,000 of invoice INV/2026/000012 are still open and were due 10 Nov.",
        "Take a payment or write a promise.",
    ),
    "isolated by staff": (
        lines.isolated(subscription=lines.subscription(status="isolated", isolated_by_hand_on=date(2026, 11, 14))),
        "isolated", "Isolated by staff since 14 Nov: invoice INV/2026/000012 of IDR 150,000 was due 10 Nov.",
        "Take a payment or write a promise.",
    ),
    "isolated with a promise": (
        lines.isolated(promise=lines.promise(date(2026, 11, 25))), "isolated",
        "Isolated since 14 Nov: invoice INV/2026/000012 of IDR 150,000 was due 10 Nov.",
        "A promise to pay is open, so the next check reopens the service.",
    ),
    "isolated without a bill": (
        lines.isolated(unpaid=None), "isolated",
        "Isolated since 14 Nov, although no bill of this service is overdue.", "Reopen it on its page.",
    ),
    "isolated and online": (
        lines.isolated(sessions=[lines.session()]), "isolated",
        "Isolated since 14 Nov: invoice INV/2026/000012 of IDR 150,000 was due 10 Nov.",
        "Take a payment or write a promise.",
    ),
    "location switched off": (
        service(location=lines.location(is_active=False)), "location",
        "Location “Pos 2” is switched off by us; nothing is written to its router.", "Switch the location on.",
    ),
    "router offline": (
        lines.line(state=lines.state(reach="offline", reach_since=NOW - HOUR), waiting=12), "router",
        "Router offline since 13.00; 12 changes wait.",
        "Check power and line at “Pos 2”. Until the router answers, nobody can see who is online there.",
    ),
    "router offline with sessions of before": (
        lines.line(state=lines.state(reach="offline", reach_since=NOW - DAY), sessions=[lines.session()]), "router",
        "Router offline since 21 Nov 14.00.",
        "Check power and line at “Pos 2”. Until the router answers, nobody can see who is online there.",
    ),
    "router refuses our login": (
        lines.line(state=lines.state(reach="refused", reach_since=NOW - HOUR), waiting=1), "router",
        "Router refuses our login since 13.00; 1 change waits.",
        "Correct the router's user name and password in the location.",
    ),
    "wrong router": (
        lines.line(state=lines.state(reach="wrong_router", reach_since=NOW - HOUR)), "router",
        "Another router answers at this address; nothing is written to it.",
        "Accept the new router on the location's page, or correct the address.",
    ),
    "router never contacted": (
        lines.line(state=None), "router",
        "Router “Pos 2” was not contacted yet.", "Test the connection on its page.",
    ),
    "plan not published": (
        lines.line(account=None, publication=None), "plan",
        "Plan “Rumah 10M” is not published at “Pos 2”, so the router has no profile for it.",
        "Publish the plan at this location.",
    ),
    "profile refused": (
        login(profile=lines.profile(hold="refused", router_words="failure: not enough permissions (9)")), "profile",
        "Profile “rumah-10m” is not as we want it. Router says: “failure: not enough permissions (9)” — give our router "
        "user the policies read, write, api and test, then retry.",
        "Correct it, then retry on the page.",
    ),
    "profile leaving": (
        login(profile=lines.profile(presence="absent")), "profile",
        "Profile “rumah-10m” is being removed from the router.", "Publish the plan again.",
    ),
    "profile not there yet": (
        login(profile=lines.profile(applied_revision=0), applied_revision=0), "profile",
        "Profile “rumah-10m” is not on the router yet.", AGAIN,
    ),
    "no login": (
        lines.line(account=None), "login",
        "The service has no login on the router.", "Change the service on its page; that makes one.",
    ),
    "login removed": (
        login(presence="absent"), "login", "Login “sri” was taken off the router.", "Put it back on its page.",
    ),
    "login refused": (
        login(hold="refused", router_words="invalid value for argument address"), "held",
        "Router says: “invalid value for argument address” — correct this value in the plan or account, then retry.",
        "Correct it, then retry on the page.",
    ),
    "login of somebody else": (
        login(hold="conflict"), "held",
        "The router has its own “sri”, not made by us. Take it over or choose another name.",
        "Correct it, then retry on the page.",
    ),
    "login switched off": (
        login(is_disabled=True), "disabled",
        "Login “sri” is switched off on the router.", "Switch it on if that was a mistake.",
    ),
    "login held back": (
        login(is_isolated=True), "held_back",
        "Login “sri” is still held back on the router, although the service is open.",
        "The next check releases it; if it does not, reopen the service on its page.",
    ),
    "validity over": (
        login(valid_until=NOW - HOUR), "limits",
        "The login was valid until 22 Nov 2026 13.00.", "Change the plan or give more on its page.",
    ),
    "time used up": (
        login(limit_uptime_seconds=36_000, past_uptime_seconds=30_000, epoch_uptime_seconds=6_000), "limits",
        "The online time of 10 h is used up.", "Change the plan or give more on its page.",
    ),
    "data used up": (
        login(limit_bytes=1024**3, epoch_bytes=1024**3), "limits",
        "The data of 1 GB is used up.", "Change the plan or give more on its page.",
    ),
    "waiting for router": (
        login(revision=3), "sync",
        "Waiting for router “Pos 2”: login “sri”, changed 12.00, is not confirmed yet.", AGAIN,
    ),
    "online": (
        lines.line(sessions=[lines.session()]), "online",
        "Online for 3 h 20 min with address 10.5.0.7.",
        "If nothing loads there, look at the customer's own router and Wi-Fi.",
    ),
    "online twice": (
        lines.line(sessions=[lines.session(address="10.5.0.8", uptime_seconds=30), lines.session()]), "online",
        "Online with 2 devices, the longest for 3 h 20 min with address 10.5.0.7.",
        "If nothing loads there, look at the customer's own router and Wi-Fi.",
    ),
}  # fmt: skip

NOTES: dict[str, tuple[Line, str, str]] = {
    "last seen": (lines.line(), SEEN, NOTHING_HERE),
    "never seen": (
        login(last_seen_at=None), "Has never been online with login “sri”.",
        "Check user name and password in the customer's device.",
    ),
    "session ended by itself": (
        login(last_session_ended_at=NOW - HOUR, last_session_end="restart"),
        "Not online; the last session ended 22 Nov 2026 13.00 (1 h ago): the router restarted.", NOTHING_HERE,
    ),
    "session that we ended after it was seen": (
        lines.line(
            account=lines.account(last_session_ended_at=NOW - timedelta(seconds=5), last_session_end="kicked"),
            sessions=[lines.session()],
        ),
        "Not online; the last session ended 22 Nov 2026 13.59 (5 s ago): ended by us.", NOTHING_HERE,
    ),
    "static address": (
        service(type="static"), "A static address has no login, so nobody can see whether it is in use.", NOTHING_HERE,
    ),
}  # fmt: skip

HINTS: dict[str, tuple[Line, str, str, str]] = {
    "overdue but open": (
        lines.line(subscription=lines.subscription(status="grace"), unpaid=lines.bill(due_on=date(2026, 11, 20))), "bills",
        "Invoice INV/2026/000012 of IDR 150,000 was due 20 Nov; the service stays open through 23 Nov.",
        "Remind the customer or take the payment.",
    ),
    "promise not kept": (
        lines.line(promise=lines.promise(date(2026, 11, 21))), "promise",
        "The promise to pay by 21 Nov was not kept.", "Call the customer.",
    ),
    "device lock": (
        login(mac_address="AA:BB:CC:00:00:02"), "device",
        "Only device AA:BB:CC:00:00:02 may log in.", "If the customer has a new device, take the lock off.",
    ),
    "another device": (
        lines.line(account=lines.account(mac_address="AA:BB:CC:00:00:02"), sessions=[lines.session()]), "device",
        "Device AA:BB:CC:00:00:01 is in use, but the login is locked to AA:BB:CC:00:00:02.",
        "If the customer has a new device, take the lock off.",
    ),
    "clock ahead": (
        lines.line(state=lines.state(clock_skew_seconds=720)), "clock",
        "The router's clock is 12 min ahead.", "Switch on the NTP client of the router.",
    ),
    "clock behind": (
        lines.line(state=lines.state(clock_skew_seconds=-3_600)), "clock",
        "The router's clock is 1 h behind.", "Switch on the NTP client of the router.",
    ),
    "contact failed": (
        lines.line(state=lines.state(last_error="timeout: no answer within 30 s", failures=2)), "contact",
        "The last contact with the router failed: No answer in time. Check address, firewall and VPN.", AGAIN,
    ),
    "sessions read long ago": (
        lines.line(state=lines.state(polled_at=NOW - 20 * timedelta(minutes=1))), "contact",
        "Who is online was last read from the router 20 min ago.", "Test the connection on its page.",
    ),
    "plan withdrawn under a login": (
        lines.line(publication=None), "plan",
        "Plan “Rumah 10M” is not published at “Pos 2”, so the router has no profile for it.",
        "Publish the plan at this location.",
    ),
}  # fmt: skip

CLEAR: dict[str, tuple[Line, str, str]] = {
    "bills": (lines.line(), "bills", "No bill of this service is overdue."),
    "bill not due yet": (
        lines.line(unpaid=lines.bill(due_on=date(2026, 11, 22))), "bills", "No bill of this service is overdue."
    ),
    "bill under a promise": (
        lines.line(unpaid=lines.bill(), promise=lines.promise(date(2026, 11, 22))), "bills",
        "Invoice INV/2026/000012 of IDR 150,000 was due 10 Nov; a promise keeps the service open.",
    ),
    "promise": (lines.line(promise=lines.promise(date(2026, 11, 22))), "promise", "Promised to pay by 22 Nov."),
    "router": (lines.line(), "router", "Router “Pos 2” is online, seen 30 s ago."),
    "plan": (lines.line(), "plan", "Plan “Rumah 10M” is published at “Pos 2”."),
    "login": (lines.line(), "sync", "On router, checked 12 s ago."),
    "clock": (lines.line(state=lines.state(clock_skew_seconds=299)), "clock", "The router's clock is right."),
}  # fmt: skip


def blamed(line: Line) -> list[tuple[str, str]]:
    """Checks that blame something, with their sentence."""
    found = [finding for check in CHECKS if (finding := check(line)) is not None]
    return [(f.key, f.verdict) for f in found if f.verdict in {Verdict.CAUSE, Verdict.INTENDED, Verdict.WAITING}]


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


@pytest.mark.parametrize("name", CAUSES)
def test_each_reason_is_the_headline_and_the_only_one(name: str) -> None:
    line, key, sentence, advice = CAUSES[name]
    headline = explain(line).headline
    assert (headline.key, headline.sentence, headline.advice) == (key, sentence, advice)
    assert headline.explains
    assert [k for k, _verdict in blamed(line)] == ([] if key == "online" else [key])


@pytest.mark.parametrize("name", NOTES)
def test_without_a_reason_the_last_session_is_told(name: str) -> None:
    line, sentence, advice = NOTES[name]
    explanation = explain(line)
    assert (explanation.headline.sentence, explanation.headline.advice) == (sentence, advice)
    assert (explanation.headline.verdict, blamed(line)) == (Verdict.NOTE, [])
    assert [f.verdict for f in explanation.others] == [Verdict.CLEAR] * len(explanation.others)


@pytest.mark.parametrize("name", HINTS)
def test_hints_stand_below_and_blame_nothing(name: str) -> None:
    line, key, sentence, advice = HINTS[name]
    explanation = explain(line)
    hints = [(f.key, f.sentence, f.advice) for f in explanation.others if f.verdict is Verdict.HINT]
    assert hints == [(key, sentence, advice)]
    assert blamed(line) == []


@pytest.mark.parametrize("name", CLEAR)
def test_what_is_fine_is_said_too(name: str) -> None:
    line, key, sentence = CLEAR[name]
    found = {f.key: f for f in explain(line).others}
    assert (found[key].verdict, found[key].sentence) == (Verdict.CLEAR, sentence)


def test_two_reasons_money_first_the_other_listed() -> None:
    explanation = explain(lines.isolated(state=lines.state(reach="offline", reach_since=NOW - HOUR), waiting=2))
    assert explanation.headline.key == "isolated"
    router_line = next(f for f in explanation.others if f.key == "router")
    assert (router_line.verdict, router_line.sentence) == (
        Verdict.CAUSE, "Router offline since 13.00; 2 changes wait.",
    )  # fmt: skip


def test_every_check_has_a_case() -> None:
    keys = {key for _line, key, *_rest in [*CAUSES.values(), *HINTS.values(), *CLEAR.values()]} | {"seen"}
    assert keys == {
        "status", "isolated", "online", "location", "router", "plan", "profile", "login", "held", "disabled",
        "held_back", "limits", "sync", "seen", "bills", "promise", "device", "clock", "contact",
    }  # fmt: skip
    assert len(keys) == len(CHECKS)


def test_days_are_those_of_the_location() -> None:
    """23.30 UTC on the 13th is the 14th in Jakarta, and a bill due today there is not overdue."""
    late = NOW.replace(day=13, hour=23, minute=30)
    line = lines.isolated(since=lines.since("isolated", late))
    assert explain(line).headline.sentence.startswith("Isolated since 14 Nov:")
    line = lines.isolated(now=NOW.replace(day=9, hour=18), unpaid=lines.bill(due_on=date(2026, 11, 10)))
    assert "although no bill of this service is overdue" in explain(line).headline.sentence
