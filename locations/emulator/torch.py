"""``/tool/torch``: who moves how much through an interface now."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable

from .device import Device
from .errors import invalid_value, missing_value, no_match, unknown_parameter
from .sentence import Emit, Live, Outcome, Sentence
from .streams import PACKET, seconds_word

Flow = tuple[str, int, int]
"""Address of a guest or customer, bits per second it sends and gets."""
_ALL = "0.0.0.0/0"
_WORDS = frozenset(
    "interface src-address dst-address src-address6 dst-address6 port ip-protocol mac-protocol vlan-id dscp cpu "
    "duration interval freeze-frame-interval freeze-frame once append as-value file without-paging proplist .proplist".split()
)


def torch(device: Device, sentence: Sentence, flows: Callable[[], list[Flow]]) -> Outcome:
    """Every second a row per address, when ``src-address`` asks for addresses, and one with the sum. Raises Trap."""
    words = sentence.attributes
    for name in words:
        if name not in _WORDS:
            raise unknown_parameter(name)
    interface = words.get("interface", "")
    if not interface:
        raise missing_value("interface")
    if device.lookup_name("interface", interface) is None:
        raise no_match("interface")
    only = _network(words.get("src-address", _ALL))
    interval = seconds_word(words, "interval", 1.0)
    duration = seconds_word(words, "duration", 0.0)

    async def run(emit: Emit) -> None:
        section, elapsed = 0, 0.0
        while True:
            seen = [flow for flow in flows() if ipaddress.ip_address(flow[0]) in only]
            for address, up, down in seen if "src-address" in words else ():
                await emit([("src-address", address), *_rates(up, down), (".section", str(section))])
            total = device.session_rates(interface) if not seen else (sum(f[1] for f in seen), sum(f[2] for f in seen))
            await emit([*_rates(*total), (".section", str(section))])
            section, elapsed = section + 1, elapsed + interval
            if "once" in words or (duration and elapsed >= duration):
                return
            await asyncio.sleep(interval)

    return Live(run)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise invalid_value("src-address") from None


def _rates(up: int, down: int) -> list[tuple[str, str]]:
    """What the client sends arrives at the interface: ``rx``."""
    return [
        ("tx", str(down)),
        ("rx", str(up)),
        ("tx-packets", str(down // 8 // PACKET)),
        ("rx-packets", str(up // 8 // PACKET)),
    ]
