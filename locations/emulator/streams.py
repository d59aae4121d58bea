"""Commands that answer with a series of rows over time: monitor-traffic and ping."""

from __future__ import annotations

import asyncio

from .commands import require_policies, selected
from .device import Device
from .errors import Trap, invalid_value, missing_value, no_match, unknown_parameter
from .sentence import Caller, Emit, Live, Outcome, Sentence
from .table import Table
from .values import is_ip, parse_duration

PACKET = 600
"""Bytes of a packet where packets are made up."""
_SHORTEST = 0.01
"""Seconds between two rows, however little is asked for (invented)."""
_MONITOR_WORDS = frozenset(
    {
        "interface",
        "once",
        "interval",
        "duration",
        "append",
        "as-value",
        "file",
        "without-paging",
        ".proplist",
        "proplist",
    }
)
_PING_WORDS = frozenset({"address", "count", "interval", "size", "src-address", "interface", "do-not-fragment", "ttl"})


def monitor_traffic(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    """One row per interface every second, or once."""
    words = sentence.attributes
    for name in words:
        if name not in _MONITOR_WORDS:
            raise unknown_parameter(name)
    wanted = words.get("interface", "")
    if not wanted:
        raise missing_value("interface")
    names = []
    for part in wanted.split(","):
        known = device.lookup_name("interface", part)
        if known is None and part != "aggregate":
            raise no_match("interface")
        names.append(part if known is None else known)
    names = list(dict.fromkeys(names))
    interval = seconds_word(words, "interval", 1.0)
    duration = seconds_word(words, "duration", 0.0)
    is_once = "once" in words

    async def run(emit: Emit) -> None:
        section, elapsed = 0, 0.0
        while True:
            for name in names:
                await emit([*_rates(device, name), (".section", str(section))])
            section += 1
            elapsed += interval
            if is_once or (duration and elapsed >= duration):
                return
            await asyncio.sleep(interval)

    return Live(run)


def monitor_ethernet(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    """The link of physical ports, once or every second."""
    rows = selected(table, sentence, "numbers", ".id", "interface")
    interval = seconds_word(sentence.attributes, "interval", 1.0)

    async def run(emit: Emit) -> None:
        while True:
            for row in rows:
                await emit(_link(row.values))
            if "once" in sentence.attributes:
                return
            await asyncio.sleep(interval)

    return Live(run)


def _link(values: dict[str, str]) -> list[tuple[str, str]]:
    pairs = [("name", values["name"]), ("auto-negotiation", "done")]
    if values.get("running") != "true":
        return [pairs[0], ("status", "no-link"), *pairs[1:]]
    speed = [("rate", "1Gbps"), ("full-duplex", "true"), ("tx-flow-control", "false"), ("rx-flow-control", "false")]
    return [pairs[0], ("status", "link-ok"), *pairs[1:], *speed]


def seconds_word(words: dict[str, str], name: str, otherwise: float) -> float:
    """A duration among the words, never shorter than the shortest pause. Raises Trap."""
    if name not in words:
        return otherwise
    seconds = parse_duration(words[name]) if words[name].count(".") != 1 else _fraction(words[name])
    if seconds is None or seconds <= 0:
        raise invalid_value(name)
    return max(_SHORTEST, seconds)


def _fraction(text: str) -> float | None:
    """``0.5`` as clients of every language write an interval."""
    left, _, right = text.partition(".")
    is_number = text.isascii() and len(text) < 20 and (left or "0").isdigit() and right.isdigit()
    return float(text) if is_number else None


def _rates(device: Device, name: str) -> list[tuple[str, str]]:
    """Bits and packets per second; sessions bring theirs, physical ports a little noise."""
    rx, tx = device.session_rates(name)
    pairs = [("name", name)]
    for way, bits in (("rx", rx), ("tx", tx)):
        packets = str(bits // 8 // PACKET)
        pairs += [(f"{way}-packets-per-second", packets), (f"{way}-bits-per-second", str(bits))]
        pairs += [(f"fp-{way}-packets-per-second", packets), (f"fp-{way}-bits-per-second", str(bits))]
        pairs += [(f"{way}-drops-per-second", "0"), (f"{way}-errors-per-second", "0")]
    pairs.append(("tx-queue-drops-per-second", "0"))
    return pairs


def ping(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    """Rows with times; documentation addresses and unknown names time out or fail."""
    require_policies(caller, "test")
    words = sentence.attributes
    for name in words:
        if name not in _PING_WORDS:
            raise unknown_parameter(name)
    address = words.get("address", "")
    if not address:
        raise missing_value("address")
    if not is_ip(address):
        raise Trap("failure: dns name does not exist")
    size = words.get("size", "56")
    interval = seconds_word(words, "interval", 1.0)
    text = words.get("count", "0")
    if not (text.isdigit() and text.isascii() and len(text) < 10):
        raise invalid_value("count")
    count = int(text)
    answers = not address.startswith(("192.0.2.", "198.51.100.", "203.0.113."))

    async def run(emit: Emit) -> None:
        received = 0
        sent = 0
        while not count or sent < count:
            sent += 1
            received += answers
            await emit(_ping_row(address, sent, received, size, answers))
            if sent != count:
                await asyncio.sleep(interval)

    return Live(run)


def _ping_row(address: str, sent: int, received: int, size: str, answers: bool) -> list[tuple[str, str]]:
    pairs = [("seq", str(sent - 1)), ("host", address)]
    pairs += [("size", size), ("ttl", "64"), ("time", "1ms612us")] if answers else [("status", "timeout")]
    loss = (sent - received) * 100 // sent
    pairs += [("sent", str(sent)), ("received", str(received)), ("packet-loss", str(loss))]
    if received:
        pairs += [("min-rtt", "1ms612us"), ("avg-rtt", "1ms612us"), ("max-rtt", "1ms612us")]
    return pairs
