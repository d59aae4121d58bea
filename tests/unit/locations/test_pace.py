"""The window and the rate of one router, on a clock that only the simulated router and line move."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from locations.routeros import pace as pacing
from locations.routeros.client import Reply
from locations.routeros.errors import RouterTrap
from locations.routeros.pace import FEWEST, FIRST, Pace
from locations.sync.pipeline import pipelined

SEND_SECONDS = 0.0001  # what a command costs us


@dataclass
class Line:
    """A router that works on one command at a time, at the end of a line. Stands in for a RouterClient."""

    round_trip: float
    each: float
    now: float = 1000.0
    pace: Pace = field(default_factory=Pace)
    sent: list[tuple[str, float]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)  # how long each command stood in front of the router
    _free_at: float = 0.0
    _done_at: dict[bytes, float] = field(default_factory=dict)

    def send(self, path: str, words: dict[str, str], queries: tuple[str, ...]) -> bytes:
        self.now += SEND_SECONDS
        arrives = self.now + self.round_trip / 2
        starts = max(arrives, self._free_at)
        self._free_at = starts + self.each
        self.waited.append(starts - arrives)
        self.sent.append((path, self.now))
        tag = b"%d" % len(self.sent)
        self._done_at[tag] = self._free_at + self.round_trip / 2
        return tag

    def receive(self, tag: bytes) -> Reply:
        self.now = max(self.now, self._done_at.pop(tag))
        if tag == b"13":
            raise RouterTrap("no")
        return Reply([], {})

    def push(self, rows: int, path: str = "/ip/hotspot/user/add") -> float:
        """Rows in batches of 500, as the writer sends them; the seconds it took."""
        started = self.now
        for first in range(0, rows, 500):
            part = range(first, min(first + 500, rows))
            assert [n for n, _answer in pipelined(self, part, lambda n: (path, {}, ()))] == list(part)  # type: ignore[arg-type]
        return self.now - started


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[Line]:
    lines: list[Line] = []
    monkeypatch.setattr(pacing, "monotonic", lambda: lines[0].now)

    def pause(seconds: float) -> None:
        lines[0].now += seconds

    monkeypatch.setattr(pacing, "pause", pause)
    return lines


def test_a_fast_router_gets_as_many_as_the_line_takes(clock: list[Line]) -> None:
    line = Line(0.2, 0.0001)
    clock.append(line)
    assert line.push(10_000) < 9.0  # 150 at once took 16, one after the other 2,000
    assert line.pace.window.size > 400
    assert max(line.waited) < 0.05


@pytest.mark.parametrize(("round_trip", "each"), [(0.0, 0.02), (0.05, 0.02), (0.2, 0.005), (0.01, 0.1)])
def test_a_small_router_is_kept_busy_and_never_flooded(clock: list[Line], round_trip: float, each: float) -> None:
    line = Line(round_trip, each)
    clock.append(line)
    took = line.push(1500)
    assert took < 1500 * each * 1.5 + 1
    bearable = max(0.15, 2 * (round_trip + each))
    assert max(line.waited) < 2 * bearable + FIRST * each


def test_a_router_that_becomes_busy_gets_less_at_once_and_more_again_later(clock: list[Line]) -> None:
    line = Line(0.05, 0.0001)
    clock.append(line)
    line.push(5000)
    assert line.pace.window.size > 400
    line.each = 0.01
    line.push(2000)
    assert line.pace.window.size < 40
    line.each = 0.0001
    line.push(5000)
    assert line.pace.window.size > 400


def test_a_longer_line_is_not_taken_for_a_busy_router_for_ever(clock: list[Line]) -> None:
    line = Line(0.02, 0.0005)
    clock.append(line)
    line.push(2000)
    line.round_trip = 0.4  # another way through the net
    line.push(3000)
    assert line.pace.window.size > 100


def test_single_commands_do_not_open_the_window(clock: list[Line]) -> None:
    """What was never used up is not known to be bearable."""
    line = Line(0.05, 0.0001)
    clock.append(line)
    for _ in range(100):
        line.push(1)
    assert line.pace.window.size == FIRST


def test_after_a_pause_the_window_is_small_again(clock: list[Line]) -> None:
    line = Line(0.05, 0.0001)
    clock.append(line)
    line.push(5000)
    line.now += 60
    line.push(1)
    assert line.pace.window.size == pacing.RESTART


def test_writes_keep_the_locations_rate_and_questions_do_not_wait(clock: list[Line]) -> None:
    line = Line(0.05, 0.0001)
    clock.append(line)
    line.pace.setting = 20.0
    took = line.push(100)
    assert took == pytest.approx(100 / 20, abs=0.2)
    moments = [at for _path, at in line.sent]
    assert min(b - a for a, b in pairwise(moments)) > 0.04
    assert line.push(100, "/ip/hotspot/user/print") < 2.0


def test_a_batch_is_about_two_seconds_of_work(clock: list[Line]) -> None:
    line = Line(0.0, 0.02)
    clock.append(line)
    assert line.pace.rows == 100
    line.push(100)
    assert 80 <= line.pace.rows <= 110
    line.pace.setting = 2.0
    assert line.pace.rows == pacing.ROWS_FEWEST
    fast = Line(0.0, 0.0)
    clock[0] = fast
    fast.push(500)
    assert fast.pace.rows == pacing.ROWS_MOST


def test_a_busy_cpu_halves_the_rate_and_air_gives_it_back() -> None:
    pace = Pace()
    pace.rate = 800.0
    seen = []
    for load in (89, 90, 95, 100, 80, 70, 10):
        pace.cpu_seen(load)
        seen.append(pace.limit)
    assert seen == [None, 400.0, 200.0, 100.0, 100.0, 150.0, 225.0]
    for _ in range(20):
        pace.cpu_seen(100)
    assert pace.limit == pacing.SLOWEST
    for _ in range(18):
        pace.cpu_seen(5)
    assert pace.limit is None
    pace.setting = 50.0
    pace.cpu_seen(100)
    assert pace.limit == 50.0


def test_the_window_never_closes(clock: list[Line]) -> None:
    line = Line(0.01, 3.0)
    clock.append(line)
    line.push(40)
    assert line.pace.window.size >= FEWEST
