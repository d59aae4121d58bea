"""How a router fares, in words and small drawings. Pure functions: they read what they are given and ask no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from core.formats import data_size, duration, local, moment, moment_short, number
from core.words import Tone, Words
from locations.choices import AlertKind, RebootStatus
from locations.models import RouterAlert, RouterReboot, RouterState
from locations.selectors_health import CELLS, Cell, Quarter, Run, answered_percent
from locations.services.asking import sentence_of
from locations.sync.reboots import VALID

ADVICE_NEEDED = "not enough permissions"
HEIGHT = 30  # of a small graph; its width is one per quarter of an hour
HOURS_SHOWN = 3


def skew_text(seconds: int) -> str:
    if abs(seconds) <= 5:
        return _("right")
    if seconds > 0:
        return _("%(time)s ahead") % {"time": duration(seconds)}
    return _("%(time)s behind") % {"time": duration(-seconds)}


def alert_words(row: RouterAlert, zone: str | None = None, now: datetime | None = None) -> Words:
    """What is wrong, how much, and since when."""
    since = {"since": moment_short(row.since, zone, now)}
    match row.kind:
        case AlertKind.LICENCE:
            text = _("%(n)s %% of the licence's sessions are used, since %(since)s. Upgrade it or move people.")
            text = text % {"n": number(row.value), **since}
        case AlertKind.CLOCK:
            text = _("The router's clock is %(time)s, since %(since)s. Set up NTP on it.")
            text = text % {"time": skew_text(row.value), **since}
        case _:
            text = _("%(n)s %% of the flash memory is worn out, since %(since)s. Replace the router before it fails.")
            text = text % {"n": number(row.value), **since}
    return Words(Tone.BAD, "warning", text, moment(row.since, zone))


def reboot_words(row: RouterReboot, zone: str | None = None, now: datetime | None = None) -> Words:
    """Where a restart stands; never more than what the router's uptime proved."""
    now = now or clock.now()
    at = {
        name: moment_short(value, zone, now)
        for name, value in (
            ("asked", row.asked_at), ("until", row.asked_at + VALID), ("sent", row.sent_at), ("back", row.back_at),
            ("limit", (row.confirmed_at or row.asked_at) + VALID),
        )
        if value
    }  # fmt: skip
    people = {"who": row.asked_by or "?", "second": row.confirmed_by or "?"}
    match row.status:
        case RebootStatus.ASKED:
            text = _("Restart asked for by %(who)s at %(asked)s; somebody else has to confirm it until %(until)s")
            return Words(Tone.WAITING, "schedule", text % {**people, **at})
        case RebootStatus.CONFIRMED:
            text = _("Restart confirmed by %(second)s; waiting for the router until %(limit)s")
            return Words(Tone.WAITING, "schedule", text % {**people, **at})
        case RebootStatus.SENT:
            return Words(Tone.WAITING, "refresh", _("Restarting since %(sent)s") % at)
        case RebootStatus.BACK:
            return Words(Tone.GOOD, "check_circle", _("Restarted at %(sent)s, back since %(back)s") % at)
        case RebootStatus.LOST:
            return Words(Tone.BAD, "cloud_off", _("Told to restart at %(sent)s, did not come back") % at)
        case RebootStatus.IGNORED:
            return Words(Tone.BAD, "error", _("Did not restart: it runs since before %(sent)s") % at)
        case RebootStatus.REFUSED:
            return Words(Tone.BAD, "error", _refused(row.router_words))
        case RebootStatus.CANCELLED:
            return Words(Tone.QUIET, "block", _("Restart cancelled"))
        case _:
            return Words(Tone.QUIET, "schedule", _("Restart not done: it took longer than half an hour"))


def _refused(words: str) -> str:
    if ADVICE_NEEDED in words:
        text = _("Router says: “%(words)s” — give our router user the policy “reboot” and ask again")
    else:
        text = _("Restart refused. Router says: “%(words)s”")
    return text % {"words": words}


# --- the strip ---------------------------------------------------------------------------------------------------------


def cell_words(cell: Cell) -> Words:
    tone, icon = {
        Cell.UP: (Tone.GOOD, "check_circle"), Cell.DOWN: (Tone.BAD, "cloud_off"),
        Cell.PARTLY: (Tone.WAITING, "error"), Cell.UNKNOWN: (Tone.QUIET, "help"),
    }[cell]  # fmt: skip
    return Words(tone, icon, str(cell.label))


def span_text(run: Run, zone: str | None, now: datetime) -> str:
    """`10.15 – 11.00`."""
    end = min(run.end, now)
    return f"{moment_short(run.begin, zone, now)} – {moment_short(end, zone, now)}"


def error_text(last_error: str) -> str:
    """`timeout: no answer` as a sentence; empty stays empty."""
    problem, colon, words = last_error.partition(": ")
    return sentence_of(problem, words) if colon else last_error


def strip_sentence(quarters: Sequence[Quarter], runs: Sequence[Run], zone: str | None, now: datetime) -> str:
    """What the strip shows, for who does not see it."""
    percent = answered_percent(quarters)
    if percent is None:
        return _("Last 24 hours: not asked.")
    text = _("Last 24 hours: %(n)s %% of the polls were answered.") % {"n": number(percent)}
    bad = [run for run in runs if run.cell in {Cell.DOWN, Cell.PARTLY}]
    if not bad:
        return text
    spans = ", ".join(span_text(run, zone, now) for run in bad[-HOURS_SHOWN:])
    text += " " + _("Not always reached: %(spans)s.") % {"spans": spans}
    if len(bad) > HOURS_SHOWN:
        more = len(bad) - HOURS_SHOWN
        text += " " + ngettext("%(n)d time before that.", "%(n)d times before that.", more) % {"n": more}
    return text


@dataclass(frozen=True)
class Graph:
    """A line of 96 quarters: `lines` are the points of its unbroken parts in a box of 96 by 30, `sentence` says it."""

    title: str
    sentence: str
    lines: list[str]
    cells: list[str]  # one per hour, for the table


def graph(
    title: str, quarters: Sequence[Quarter], name: str, unit: str, zone: str | None, now: datetime
) -> Graph | None:
    """Of one figure; None when nobody told it. `unit` is `ms`, `%` or `bytes`."""
    values: list[int | None] = [getattr(quarter, name) for quarter in quarters]
    known = [(value, quarter) for value, quarter in zip(values, quarters, strict=True) if value is not None]
    if not known:
        return None
    is_least = name == "free_memory"
    worst, at = (min if is_least else max)(known, key=lambda pair: pair[0])
    top = 100 if unit == "%" else max(value for value, _quarter in known) or 1
    text = _("%(title)s: lowest %(value)s at %(at)s, last %(last)s.") if is_least else _(
        "%(title)s: highest %(value)s at %(at)s, last %(last)s."
    )  # fmt: skip
    sentence = text % {
        "title": title, "value": figure(worst, unit), "at": moment_short(at.at, zone, now),
        "last": figure(known[-1][0], unit),
    }  # fmt: skip
    hours = [_hour(values[first : first + 4], unit, is_least=is_least) for first in range(0, CELLS, 4)]
    return Graph(title, sentence, _lines(values, top), hours)


def _hour(values: Sequence[int | None], unit: str, *, is_least: bool) -> str:
    known = [value for value in values if value is not None]
    return figure((min if is_least else max)(known), unit) if known else "–"


def _lines(values: Sequence[int | None], top: int) -> list[str]:
    """SVG points of each unbroken part; a part of one quarter is a short level line."""
    lines: list[str] = []
    points: list[str] = []
    for index, value in enumerate([*values, None]):
        if value is not None:
            points.append(f"{index},{HEIGHT - min(value, top) * (HEIGHT - 2) / top - 1:.1f}")
        elif points:
            if len(points) == 1:
                points.append(f"{index},{points[0].partition(',')[2]}")
            lines.append(" ".join(points))
            points = []
    return lines


def figure(value: int, unit: str) -> str:
    if unit == "bytes":
        return data_size(value)
    return f"{number(value)} {unit}"


def hour_titles(quarters: Sequence[Quarter], zone: str | None) -> list[str]:
    return [f"{local(quarter.at, zone):%H.%M}" for quarter in quarters[::4]]


# --- figures -----------------------------------------------------------------------------------------------------------


def health_facts(state: RouterState | None, zone: str | None = None) -> list[tuple[str, str]]:
    """What the last poll measured."""
    if state is None:
        return []
    skew = state.clock_skew_seconds
    facts = [
        (_("Measured"), moment(state.polled_at, zone) if state.polled_at else ""),
        (_("Round trip"), figure(state.latency_ms, "ms") if state.latency_ms is not None else ""),
        (_("CPU load"), figure(state.cpu_load, "%") if state.cpu_load is not None else ""),
        (_("Free memory"), memory_text(state)),
        (_("Running for"), duration(state.uptime_seconds) if state.uptime_seconds is not None else ""),
        (_("Last restart seen"), moment(state.restarted_at, zone) if state.restarted_at else ""),
        (_("RouterOS"), state.version),
        (_("Clock"), skew_text(skew) if skew is not None else ""),
        (_("Flash written since the restart"), _sectors(state.write_sectors)),
        (_("Flash written in its life"), _sectors(state.write_sectors_total)),
        (_("Bad flash blocks"), f"{state.bad_blocks:g} %" if state.bad_blocks is not None else ""),
    ]
    return [(label, value) for label, value in facts if value]


def memory_text(state: RouterState) -> str:
    if state.free_memory is None:
        return ""
    if not state.total_memory:
        return data_size(state.free_memory)
    values = {"free": data_size(state.free_memory), "total": data_size(state.total_memory)}
    return _("%(free)s of %(total)s") % values


def _sectors(count: int | None) -> str:
    return _("%(n)s sectors") % {"n": number(count)} if count is not None else ""


def restarted_lately(state: RouterState | None, now: datetime) -> bool:
    return state is not None and state.restarted_at is not None and now - state.restarted_at < timedelta(days=1)
