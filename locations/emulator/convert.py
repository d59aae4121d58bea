"""From what a client wrote to what the router stores, by the kind of the property."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from . import values
from .errors import Trap, invalid_value, no_match
from .schema.base import Prop

_LONGEST_SECONDS = 2**32 - 1
_SIZE = re.compile(r"([0-9]{1,9})(KiB|MiB)?")
RefLookup = Callable[[str, str], str | None]
"""Given a menu path and a name or id: the name to store, or None when there is no such object."""


def convert(prop: Prop, text: str, lookup: RefLookup) -> str | None:
    """The canonical text to store, or None when the value means unset. Raises Trap with the router's
    words."""
    if text in prop.extra:
        stored: str = text
    else:
        stored = _CONVERTERS[prop.kind](prop, text, lookup)
    return None if prop.omit is not None and stored == prop.omit else stored


def _string(prop: Prop, text: str, lookup: RefLookup) -> str:
    if prop.required and not text:
        raise invalid_value(prop.name)
    return text


def _bool(prop: Prop, text: str, lookup: RefLookup) -> str:
    flag = values.parse_bool(text)
    if flag is None:
        raise no_match(prop.name)
    return values.format_bool(flag)


def _enum(prop: Prop, text: str, lookup: RefLookup) -> str:
    if text not in prop.enum:
        flag = values.parse_bool(text) if text else None
        word = None if flag is None else ("yes" if flag else "no")
        if word is None or word not in prop.enum:
            raise no_match(prop.name)
        return word
    return text


def _enumlist(prop: Prop, text: str, lookup: RefLookup) -> str:
    wanted = [part for part in text.split(",") if part]
    if any(part not in prop.enum for part in wanted):
        raise no_match(prop.name)
    return ",".join(dict.fromkeys(wanted))


def _policies(prop: Prop, text: str, lookup: RefLookup) -> str:
    """A group's policy as it was named; ``rules`` adds what the group had before."""
    wanted = [part for part in text.split(",") if part]
    if any(part.removeprefix("!") not in prop.enum for part in wanted):
        raise no_match(prop.name)
    return ",".join(wanted)


def _int(prop: Prop, text: str, lookup: RefLookup) -> str:
    if not (text.isdigit() and text.isascii() and len(text) <= 20):
        raise invalid_value(prop.name)
    number = int(text)
    if (prop.low is not None and number < prop.low) or (prop.high is not None and number > prop.high):
        raise Trap(f"value of {prop.name} out of range ({prop.low or 0}..{prop.high or 4294967295})", 1)
    return str(number)


def _bytes(prop: Prop, text: str, lookup: RefLookup) -> str:
    number = values.parse_bytes(text)
    if number is None or number >= 2**64:
        raise invalid_value(prop.name)
    return str(number)


def _duration(prop: Prop, text: str, lookup: RefLookup) -> str:
    seconds = values.parse_duration(text)
    if seconds is None or seconds > _LONGEST_SECONDS:
        raise invalid_value(prop.name)
    return values.format_duration(seconds)


def _milliseconds(prop: Prop, text: str, lookup: RefLookup) -> str:
    seconds = values.parse_duration(text)
    if seconds is None:
        raise invalid_value(prop.name)
    whole, rest = divmod(round(seconds * 1000), 1000)
    return (values.format_duration(whole) if whole else "") + (f"{rest}ms" if rest else "") or "0s"


def _pair(prop: Prop, text: str, one: Callable[[str], str | None]) -> str:
    left, _, right = text.partition("/")
    pair = [one(part) for part in (left, right or left)]
    if pair[0] is None or pair[1] is None:
        raise invalid_value(prop.name)
    return f"{pair[0]}/{pair[1]}"


def _one_rate(text: str) -> str | None:
    rate = values.parse_rate(text)
    return None if rate is None else str(rate)


def _rate(prop: Prop, text: str, lookup: RefLookup) -> str:
    rate = _one_rate(text)
    if rate is None:
        raise invalid_value(prop.name)
    return rate


def _size(prop: Prop, text: str, lookup: RefLookup) -> str:
    """The size of a buffer: printed as a bare number of KiB."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise invalid_value(prop.name)
    return str(int(match[1]) * (1024 if match[2] == "MiB" else 1))


def _rates(prop: Prop, text: str, lookup: RefLookup) -> str:
    return _pair(prop, text, _one_rate)


def _one_duration(text: str) -> str | None:
    seconds = values.parse_duration(text)
    return None if seconds is None else values.format_duration(seconds)


def _duration_pair(prop: Prop, text: str, lookup: RefLookup) -> str:
    return _pair(prop, text, _one_duration)


def _queue_pair(prop: Prop, text: str, lookup: RefLookup) -> str:
    left, _, right = text.partition("/")
    for name in (left, right or left):
        if lookup("queue/type", name) is None:
            raise no_match(prop.name)
    return f"{left}/{right or left}"


def _ip(prop: Prop, text: str, lookup: RefLookup) -> str:
    if prop.omit is not None and text == "":
        return prop.omit
    if not values.is_ip(text):
        raise invalid_value(prop.name)
    return text


def _ip_prefix(prop: Prop, text: str, lookup: RefLookup) -> str:
    if not values.is_prefix(text):
        raise invalid_value(prop.name)
    return str(ipaddress.ip_interface(text))


def _mac(prop: Prop, text: str, lookup: RefLookup) -> str:
    if prop.omit is not None and text == "":
        return prop.omit
    mac = values.parse_mac(text)
    if mac is None:
        raise invalid_value(prop.name)
    return mac


def _ref(prop: Prop, text: str, lookup: RefLookup) -> str:
    name = lookup(prop.ref, text)
    if name is None:
        raise no_match(prop.name)
    return name


def _address_or_pool(prop: Prop, text: str, lookup: RefLookup) -> str:
    if text and not values.is_ip(text) and lookup("ip/pool", text) is None:
        raise invalid_value(prop.name)
    return text


def _ranges(prop: Prop, text: str, lookup: RefLookup) -> str:
    parts = text.split(",")
    if not text or any(values.split_range(part) is None for part in parts):
        raise invalid_value(prop.name)
    return text


def _targets(prop: Prop, text: str, lookup: RefLookup) -> str:
    found = []
    for part in text.split(","):
        if values.is_prefix(part):
            found.append(str(ipaddress.ip_network(part, strict=False)))
        elif lookup("interface", part) is not None:
            found.append(part)
        else:
            raise invalid_value(prop.name)
    return ",".join(found)


def _list_address(prop: Prop, text: str, lookup: RefLookup) -> str:
    if values.split_range(text) is not None:
        return text.removesuffix("/32")
    name = text.replace("-", "").replace("_", "").replace(".", "")
    is_host_name = name.isalnum() and any(letter.isalpha() for letter in text.rpartition(".")[2])
    if not text or not (is_host_name or values.is_prefix(text)):
        raise Trap(f"{text} is not a valid dns name", 1)
    return text


def _date(prop: Prop, text: str, lookup: RefLookup) -> str:
    if values.parse_date(text) is None:
        raise invalid_value(prop.name)
    return text


_CONVERTERS: dict[str, Callable[[Prop, str, RefLookup], str]] = {
    "string": _string,
    "bool": _bool,
    "enum": _enum,
    "enumlist": _enumlist,
    "policies": _policies,
    "int": _int,
    "bytes": _bytes,
    "duration": _duration,
    "milliseconds": _milliseconds,
    "rate": _rate,
    "size": _size,
    "rates": _rates,
    "duration-pair": _duration_pair,
    "queue-pair": _queue_pair,
    "ip": _ip,
    "ip-prefix": _ip_prefix,
    "mac": _mac,
    "ref": _ref,
    "address-or-pool": _address_or_pool,
    "ranges": _ranges,
    "targets": _targets,
    "list-address": _list_address,
    "date": _date,
}
