"""Nameless entries on a router: read what is there, write only what differs, look again.

A row of ours is known by its comment. A row that is the same thing to the router but not ours is a conflict. Rows of
ours that are there twice (an answer was lost, and the menu knows no duplicates) are brought back to one. Firewall rules
stand before every rule that somebody else wrote, in the order of their places: behind an "accept" they would do nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from locations.choices import EntryKind
from locations.routeros.client import Reply, RouterClient, Row
from locations.routeros.errors import MissingPermission, RouterTrap, RouterUnreachable
from locations.routeros.values import is_ours, is_true
from locations.sync.entry_menus import ENTRY_MENUS, EntryMenu, Item
from locations.sync.outcome import NOT_OURS
from locations.sync.pipeline import Command, pipelined

ASKED_ONE_BY_ONE = 20
MISPLACED = "the router did not place the rule before its other rules"
Write = tuple[str, dict[str, str]]


@dataclass
class Settled:
    """What became of one item: `router_id` of the row that is there, or why not. `is_unclear`: try again."""

    item: Item
    router_id: str = ""
    problem: str = ""
    is_conflict: bool = False
    is_unclear: bool = False

    @property
    def is_done(self) -> bool:
        return not (self.problem or self.is_unclear)


@dataclass
class Plan:
    """What one item needs: commands in order, and whether something is in the way."""

    settled: Settled
    writes: list[Write] = field(default_factory=list)


def entries_settle(client: RouterClient, items: Sequence[Item], installation_tag: str) -> list[Settled]:
    """Make every item so; answers in the order of `items`. Raises RouterUnreachable when the link broke.

    Rules must come with all other rules of ours in that menu: their order is decided here.
    """
    answers: dict[int, Settled] = {}
    numbered = sorted(enumerate(items), key=lambda pair: (pair[1].kind, pair[1].place, pair[0]))
    for kind, group in groupby(numbered, key=lambda pair: pair[1].kind):
        part = list(group)
        settled = _settle_menu(client, ENTRY_MENUS[EntryKind(kind)], [item for _n, item in part], installation_tag)
        answers |= {number: one for (number, _item), one in zip(part, settled, strict=True)}
    return [answers[number] for number in range(len(items))]


def _settle_menu(client: RouterClient, menu: EntryMenu, items: list[Item], tag: str) -> list[Settled]:
    rows = _rows(client, menu, items)
    plans = [_plan(item, rows, tag) for item in items]
    is_written = _write(client, menu, plans, rows, tag)
    if menu.is_rule:
        is_written |= _order(client, menu, items, tag)
    if is_written:
        rows = _rows(client, menu, items)
        for plan in plans:
            _prove(plan.settled, rows)
        if menu.is_rule and is_order_wrong(rows, items, tag):
            for plan in plans:
                plan.settled.problem = plan.settled.problem or MISPLACED
    return [plan.settled for plan in plans]


def _rows(client: RouterClient, menu: EntryMenu, items: list[Item]) -> list[Row]:
    """Rows that may matter: asked for one by one when few, else the whole menu. What the router made itself is not ours."""
    if menu.is_rule or len(items) > ASKED_ONE_BY_ONE:
        found = client.print(menu.path)
    else:
        found = []
        for _item, answer in pipelined(client, items, lambda item: _question(menu, item)):
            if isinstance(answer, RouterTrap):
                raise MissingPermission(answer.words) if answer.is_permission else RouterUnreachable(answer.words)
            found += answer.rows
    unique = {row[".id"]: row for row in found if ".id" in row}
    return [row for row in unique.values() if not is_true(row.get("dynamic", "false"))]


def _question(menu: EntryMenu, item: Item) -> Command:
    """Rows with our comment, or with the first word of the identity (the rest is compared here)."""
    word = next(word for word in menu.identity[::-1] if item.words.get(word))
    return f"{menu.path}/print", {}, (f"comment={item.comment}", f"{word}={item.words[word]}", "#|")


def _plan(item: Item, rows: list[Row], tag: str) -> Plan:
    plan = Plan(Settled(item))
    path = item.menu.path
    own = [row for row in rows if row.get("comment", "") == item.comment]
    if not item.is_wanted:
        plan.writes = [(f"{path}/remove", {".id": row[".id"]}) for row in own]
        return plan
    same = [row for row in rows if item.is_same_thing(row) and row not in own]
    foreign = [row for row in same if not is_ours(row.get("comment", ""), tag)]
    if foreign and not own and not item.is_adopted:
        plan.settled.problem, plan.settled.is_conflict = NOT_OURS, True
        return plan
    keep = next(iter([*own, *same]), None)
    plan.writes = [(f"{path}/remove", {".id": row[".id"]}) for row in own if row is not keep]
    words = {**item.words, "comment": item.comment, "disabled": "no"}
    if keep is None:
        plan.writes.append((f"{path}/add", words))
        return plan
    plan.settled.router_id = keep[".id"]
    different = item.differences(keep)
    if any(word not in item.words for word in different if word in item.menu.identity):
        plan.writes += [(f"{path}/remove", {".id": keep[".id"]}), (f"{path}/add", words)]  # a word to be unset
    elif different:
        plan.writes.append((f"{path}/set", {".id": keep[".id"], **words}))
    return plan


def _write(client: RouterClient, menu: EntryMenu, plans: list[Plan], rows: list[Row], tag: str) -> bool:
    work = [(plan, write) for plan in plans for write in plan.writes]

    def command(step: tuple[Plan, Write]) -> Command:
        plan, (path, words) = step
        first = _first_foreign(rows, plan.settled.item.words.get("chain", ""), tag) if menu.is_rule else ""
        if path.endswith("/add") and first:
            words = {**words, "place-before": first}
        return path, words, ()

    for (plan, (path, _words)), answer in pipelined(client, work, command):
        if isinstance(answer, Reply):
            plan.settled.router_id = answer.made_id or plan.settled.router_id
        elif answer.is_permission:
            raise MissingPermission(answer.words)
        elif answer.is_missing or answer.is_transient:
            plan.settled.is_unclear = not (answer.is_missing and path.endswith("/remove"))
        elif answer.is_duplicate:
            plan.settled.problem, plan.settled.is_conflict = NOT_OURS, True
        else:
            plan.settled.problem = answer.words
    return bool(work)


def _first_foreign(rows: list[Row], chain: str, tag: str) -> str:
    """The first rule of the chain that is not ours; ours go before it. Empty: the chain has none."""
    foreign = (row[".id"] for row in rows if row.get("chain", "") == chain and not is_ours(row.get("comment", ""), tag))
    return next(foreign, "")


def is_order_wrong(rows: list[Row], items: Sequence[Item], tag: str) -> bool:
    """Some rule of ours stands behind a foreign one of its chain, or ours are not in the order of their places."""
    place = {item.comment: item.place for item in items if item.is_wanted}
    for chain in {item.words.get("chain", "") for item in items}:
        here = [row for row in rows if row.get("chain", "") == chain]
        ours = [row for row in here if row.get("comment", "") in place]
        places = [place[row["comment"]] for row in ours]
        foreign = [here.index(row) for row in here if not is_ours(row.get("comment", ""), tag)]
        is_behind = bool(ours and foreign) and here.index(ours[-1]) > foreign[0]
        if places != sorted(places) or is_behind:
            return True
    return False


def _order(client: RouterClient, menu: EntryMenu, items: list[Item], tag: str) -> bool:
    """Move our rules to the top when they are not there. True when something was moved."""
    rows = [row for row in client.print(menu.path) if not is_true(row.get("dynamic", "false"))]
    if not is_order_wrong(rows, items, tag):
        return False
    by_comment = {row.get("comment", ""): row for row in rows}
    for item in sorted((item for item in items if item.is_wanted), key=lambda item: item.place):
        row = by_comment.get(item.comment)
        first = _first_foreign(rows, item.words.get("chain", ""), tag)
        if row is None:
            continue
        words = {"numbers": row[".id"]} | ({"destination": first} if first else {})
        try:
            client.call(f"{menu.path}/move", words)
        except RouterTrap as trap:
            if trap.is_permission:
                raise MissingPermission(trap.words) from None
            return True  # the second look finds it in the wrong place
    return True


def _prove(settled: Settled, rows: list[Row]) -> None:
    """Believe only what the second look shows."""
    if not settled.is_done:
        return
    own = [row for row in rows if row.get("comment", "") == settled.item.comment]
    if not settled.item.is_wanted:
        settled.is_unclear = bool(own)
    elif len(own) != 1:
        settled.is_unclear = True
    else:
        settled.router_id = own[0][".id"]
        different = settled.item.differences(own[0])
        if different:
            word = different[0]
            settled.problem = f"sent {word}={settled.item.words.get(word, '')}, shown as {own[0].get(word, '')!r}"
