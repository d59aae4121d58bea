"""Menus under /queue besides the simple queues."""

from __future__ import annotations

from .base import COMMENT, DEFAULT, DISABLED, DYNAMIC, INVALID, READ, TABLE, TOGGLE, Menu, Prop, Unique, ro, shown


def _of(kind: str, *pairs: tuple[str, str, str]) -> tuple[Prop, ...]:
    """Settings that a queue type of one kind has: name, form of the value, default."""
    return tuple(Prop(name, form, default=default, when=("kind", kind)) for name, form, default in pairs)


_PCQ = _of(
    "pcq",
    ("pcq-rate", "rate", "0"),
    ("pcq-limit", "size", "50"),
    ("pcq-classifier", "string", ""),
    ("pcq-total-limit", "size", "2000"),
    ("pcq-burst-rate", "rate", "0"),
    ("pcq-burst-threshold", "rate", "0"),
    ("pcq-burst-time", "duration", "10s"),
    ("pcq-src-address-mask", "int", "32"),
    ("pcq-dst-address-mask", "int", "32"),
    ("pcq-src-address6-mask", "int", "128"),
    ("pcq-dst-address6-mask", "int", "128"),
)
_RED = _of(
    "red",
    ("red-limit", "int", "60"),
    ("red-min-threshold", "int", "10"),
    ("red-max-threshold", "int", "50"),
    ("red-burst", "int", "20"),
    ("red-avg-packet", "int", "1000"),
)
_FQ_CODEL = _of(
    "fq-codel",
    ("fq-codel-limit", "int", "10240"),
    ("fq-codel-flows", "int", "1024"),
    ("fq-codel-target", "milliseconds", "5ms"),
    ("fq-codel-interval", "milliseconds", "100ms"),
    ("fq-codel-quantum", "int", "1514"),
    ("fq-codel-memlimit", "bytes", "33554432"),
    ("fq-codel-ecn", "bool", "true"),
)
_CAKE = _of(
    "cake",
    ("cake-flowmode", "string", "triple-isolate"),
    ("cake-diffserv", "string", "diffserv3"),
    ("cake-rtt", "milliseconds", "100ms"),
    ("cake-rtt-scheme", "string", "none"),
    ("cake-overhead-scheme", "string", ""),
    ("cake-ack-filter", "string", "none"),
    ("cake-atm", "string", "none"),
    ("cake-nat", "bool", "false"),
    ("cake-wash", "bool", "false"),
    ("cake-bandwidth", "rate", "0"),
)
_KINDS = ("bfifo", "cake", "codel", "fq-codel", "mq-pfifo", "none", "pcq", "pfifo", "red", "sfq")

TYPE = Menu(
    "queue/type",
    (
        Prop("name", required=True),
        Prop("kind", "enum", default="pfifo", enum=_KINDS),
        *_of("pfifo", ("pfifo-limit", "int", "50")),
        *_of("bfifo", ("bfifo-limit", "int", "15000")),
        *_of("mq-pfifo", ("mq-pfifo-limit", "int", "50")),
        *_of("sfq", ("sfq-perturb", "int", "5"), ("sfq-allot", "int", "1514")),
        *_RED,
        *_PCQ,
        *_FQ_CODEL,
        *_CAKE,
        DEFAULT,
    ),
    TABLE,
    unique=(Unique(("name",), "failure: type with the same name already exists"),),
    first_id=0,
)

TREE = Menu(
    "queue/tree",
    (
        Prop("name", required=True),
        Prop("parent", required=True),
        Prop("packet-mark", default=""),
        Prop("limit-at", "rate", default="0"),
        Prop("queue", "ref", default="default-small", ref="queue/type"),
        Prop("priority", "int", default="8", low=1, high=8),
        Prop("max-limit", "rate", default="0"),
        Prop("burst-limit", "rate", default="0"),
        Prop("burst-threshold", "rate", default="0"),
        Prop("burst-time", "duration", default="0s"),
        Prop("bucket-size", default="0.1", since=(6, 35, 0)),
        *(ro(name, "int", default="0") for name in ("bytes", "packets", "dropped", "rate", "packet-rate")),
        *(ro(name, "int", default="0") for name in ("queued-packets", "queued-bytes")),
        INVALID,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"unset", "reset-counters", "reset-counters-all"},
    unique=(Unique(("name",), "failure: already have such name"),),
    print_flags=frozenset({"stats", "rate", "bytes", "packets"}),
)

INTERFACE = Menu(
    "queue/interface",
    (
        ro("interface"),
        Prop("queue", "ref", default="only-hardware-queue", ref="queue/type"),
        *shown("default-queue active-queue"),
        DYNAMIC,
    ),
    READ | {"set"},
    name_column="",
)

MENUS = (TYPE, TREE, INTERFACE)
