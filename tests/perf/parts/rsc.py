"""Would files of commands be faster than commands in flight? Both put the same users on a router, at four round trips.

The files are what a writer could send at best: chunks under the router's limit for `contents`, a line per user that goes
on after an error, the whole batch read back once by its comment at the end, and what is missing added again to learn the
router's words. `docs/architecture.md` says what came of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from locations.emulator.defaults import BILLING_POLICIES
from locations.routeros.client import RouterClient, RouterTarget
from locations.routeros.errors import RouterTrap
from locations.sync.pipeline import pipelined
from tests.perf.clients import users
from tests.perf.figures import Report, seconds
from tests.perf.fleet import PASSWORD, USER, Router, delay_text, fleet
from tests.perf.processes import cpu_seconds

RTTS = (0, 5, 50, 200)
MENU, FILE = "/ip/hotspot/user", "batch.rsc"
BATCH_ROWS = 500  # of the writer: after each it looks for somebody who paid
CHUNK_BYTES = 55 * 1024  # 60,416 are taken, 61,440 refused (routeros.md 1.11)
REAL = "an import on a CHR 7.24.4 ran 600 lines in 266 ms, 2,250/s (routeros.md 1.11): nothing real is faster than that"
TAKEN = 5  # names that are somebody else's
Rows = Sequence[dict[str, str]]
Refused = dict[str, str]  # name and the router's words


@dataclass(frozen=True)
class Way:
    """One way to do it: `push` returns the refused, and raises RouterError."""

    name: str
    push: Callable[[RouterClient, Rows, str], Refused]


def run(report: Report, scale: float) -> None:
    count = max(1000, int(10_000 * scale))
    ways = [
        Way("in flight, as the writer", _in_flight),
        Way("in flight, all of a batch at once", _all_at_once),
        Way(".rsc, step by step", _by_files),
        Way(".rsc, next chunk sent while one runs", _by_files_ahead),
    ]
    lines = len(next(_chunks(users("FILE", count))).splitlines())
    report.note(f"a chunk of 55 KiB holds {lines} of these users; {TAKEN} names are taken and must be told with words")
    report.note(REAL)
    for rtt in RTTS:
        with fleet(rtt, policies=(*BILLING_POLICIES, "ftp")) as (router,):
            base = 0.0
            for number, way in enumerate(ways):
                took, cpu, theirs = _measure(report, router, way, f"W{number}X", count)
                base = base or took
                report.figure(
                    f"push of users {way.name}", rows=count, delay=delay_text(rtt),
                    measured=f"{seconds(took)}, {count / took:,.0f}/s, CPU {cpu:.1f} s, the emulator's {theirs:.1f} s",
                    compared=f"as the writer {seconds(base)}", ratio=took / base,
                )  # fmt: skip


def _measure(report: Report, router: Router, way: Way, prefix: str, count: int) -> tuple[float, float, float]:
    """Seconds, our processor seconds, the emulator's. What is on the router afterwards is asked at its console."""
    rows = [{**row, "comment": prefix} for row in users(prefix, count)]
    taken = [row["name"] for row in rows[:: count // TAKEN]][:TAKEN]
    for name in taken:
        router.console.command(f"{MENU}/add", {"name": name, "password": "theirs", "comment": "theirs"})
    client = RouterClient(RouterTarget("127.0.0.1", router.port, USER, PASSWORD), timeout=120)
    client.connect()
    started, used, served = time.perf_counter(), time.process_time(), cpu_seconds(router.pid)
    refused = way.push(client, rows, prefix)
    took, cpu = time.perf_counter() - started, time.process_time() - used
    served = cpu_seconds(router.pid) - served
    client.close()
    there = {row["name"]: row.get("password") for row in router.console.rows(MENU, comment=prefix)}
    wrong = [] if there == {row["name"]: row["password"] for row in rows if row["name"] not in taken} else ["not equal"]
    if sorted(refused) != sorted(taken) or not all("already have" in words for words in refused.values()):
        wrong.append(f"refused {refused} instead of {taken}")
    if router.console.rows("/file", name=FILE):
        wrong.append("the file with passwords is still there")
    report.verify(f"users {way.name}: all there, the taken ones told", wrong)
    return took, cpu, served


def _in_flight(client: RouterClient, rows: Rows, comment: str) -> Refused:
    """As the writer: the window of the connection, drained after each batch."""
    refused: Refused = {}
    for start in range(0, len(rows), BATCH_ROWS):
        for row, answer in pipelined(client, rows[start : start + BATCH_ROWS], lambda row: (f"{MENU}/add", row, ())):
            if isinstance(answer, RouterTrap):
                refused[row["name"]] = answer.words
    return refused


def _all_at_once(client: RouterClient, rows: Rows, comment: str) -> Refused:
    """A window as wide as the batch: what a wider window alone would give."""
    refused: Refused = {}
    for start in range(0, len(rows), BATCH_ROWS):
        batch = rows[start : start + BATCH_ROWS]
        tags = [client.send(f"{MENU}/add", row) for row in batch]
        for row, tag in zip(batch, tags, strict=True):
            try:
                client.receive(tag)
            except RouterTrap as trap:
                refused[row["name"]] = trap.words
    return refused


def _by_files(client: RouterClient, rows: Rows, comment: str) -> Refused:
    """One chunk after the other: written, run, waited for."""
    client.call("/file/add", {"name": FILE})
    for chunk in _chunks(rows):
        client.call("/file/set", {"numbers": FILE, "contents": chunk})
        client.call("/import", {"file-name": FILE})
    client.call("/file/remove", {"numbers": FILE})
    return _read_back(client, rows, comment)


def _by_files_ahead(client: RouterClient, rows: Rows, comment: str) -> Refused:
    """As fast as can be, if the router runs tagged commands in order (nobody has seen that it does)."""
    client.call("/file/add", {"name": FILE})
    before: list[bytes] = []
    for chunk in _chunks(rows):
        tags = [
            client.send("/file/set", {"numbers": FILE, "contents": chunk}),
            client.send("/import", {"file-name": FILE}),
        ]
        for tag in before:
            client.receive(tag)
        before = tags
    for tag in before:
        client.receive(tag)
    client.call("/file/remove", {"numbers": FILE})
    return _read_back(client, rows, comment)


def _read_back(client: RouterClient, rows: Rows, comment: str) -> Refused:
    """By the comment of the batch, with the ids the database wants; what is missing is added to hear why not."""
    found = {row["name"]: row[".id"] for row in client.print(MENU, (".id", "name"), (f"comment={comment}",))}
    return _all_at_once(client, [row for row in rows if row["name"] not in found], comment)


def _chunks(rows: Rows) -> Iterator[str]:
    lines: list[str] = []
    size = 0
    for row in rows:
        line = f":do {{/ip/hotspot/user/add {_words(row)}}} on-error={{}}\n"
        if size + len(line.encode()) > CHUNK_BYTES:
            yield "".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line.encode())
    if lines:
        yield "".join(lines)


def _words(row: dict[str, str]) -> str:
    return " ".join(f'{key}="{_escaped(value)}"' for key, value in row.items())


def _escaped(text: str) -> str:
    for symbol in ("\\", '"', "$"):
        text = text.replace(symbol, f"\\{symbol}")
    return text
