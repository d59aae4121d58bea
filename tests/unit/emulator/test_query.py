from __future__ import annotations

import itertools

import pytest

from locations.emulator.query import Query
from locations.emulator.schema import all_menus
from locations.emulator.table import Table

USERS = all_menus()["ip/hotspot/user"]
ROW = {"name": "a", "uptime": "1h", "bytes-in": "900", "disabled": "false", "comment": "x"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], True),
        (["?name"], True),
        (["?email"], False),
        (["?-email"], True),
        (["?name=a"], True),
        (["?=name=a"], True),
        (["?name=b"], False),
        (["?>comment="], True),
        (["?>email="], False),
        (["?<uptime=2h"], True),
        (["?>uptime=30m"], True),
        (["?>uptime=90"], True),
        (["?>bytes-in=1000"], False),
        (["?<bytes-in=1000"], True),
        (["?uptime=60m"], True),
        (["?disabled=no"], True),
        (["?disabled=false"], True),
        (["?disabled=yes"], False),
        (["?name=a", "?comment=y"], False),
        (["?name=b", "?comment=x", "?#|"], True),
        (["?name=b", "?#!"], True),
        (["?name=a", "?comment=x", "?#&"], True),
        (["?name=a", "?comment=y", "?#&!"], True),
        (["?name=b", "?name=c", "?name=a", "?#||"], True),
        (["?name=b", "?#|"], True),
        (["?name=b", "?comment=x", "?#1"], False),
        (["?name=b", "?comment=x", "?#0"], True),
        (["?name=a", "?#.&"], True),
        (["?name=b", "?comment=x", "?#1!|&"], False),
    ],
)
def test_stack_machine(words: list[str], expected: bool) -> None:
    assert Query(words, USERS).matches(ROW) is expected


def _table() -> Table:
    table = Table(USERS)
    for name, comment in itertools.product("abcd", "xy"):
        table.insert({"name": name, "server": f"s{comment}", "comment": comment, "disabled": "false"})
    return table


@pytest.mark.parametrize(
    "words",
    [
        ["?name=a"],
        ["?name=a", "?comment=x"],
        ["?name=a", "?name=b", "?#|"],
        ["?name=a", "?name=b", "?#|", "?comment=y"],
        ["?name=a", "?#!"],
        ["?name=a", "?disabled=no"],
        ["?name=a", "?disabled=no", "?#|"],
        ["?name=a", "?name=b", "?name=c", "?#||"],
        ["?name=zzz"],
        ["?.id=*3"],
        ["?.id=*3", "?.id=*4", "?#|"],
        ["?name=a", "?#|"],
        ["?name=a", "?comment=x", "?#&"],
        ["?name=a", "?comment=x", "?#1!|&"],
    ],
)
def test_indexes_only_narrow_and_never_lose_a_row(words: list[str]) -> None:
    table = _table()
    query = Query(words, USERS)
    truth = [row.id for row in table.rows.values() if query.accepts(row)]
    ids, is_exact = query.candidates(table.lookup)
    narrowed = [row for row in table.rows.values() if ids is None or row.id in ids]
    assert [row.id for row in narrowed if query.accepts(row)] == truth
    if is_exact and ids is not None:
        assert [row.id for row in narrowed] == truth


def test_name_lookup_does_not_walk_the_table() -> None:
    table = _table()
    ids, is_exact = Query(["?name=a"], USERS).candidates(table.lookup)
    assert ids == {"*0", "*1"}
    assert is_exact
