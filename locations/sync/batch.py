"""One bounded batch of wanted changes, sent to the router and read back where its answer is not proof.

"already exists" and "no such item" are never taken as success: the entry is read back, and an entry
that does not carry our tag is a conflict for a person, not ours to change (DESIGN 3.1).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from locations.choices import ADOPTED_TAG, EntryKind, Kind, Presence
from locations.models import AccessAccount, RouterEntry, RouterProfile
from locations.routeros.client import Reply, RouterClient, Row
from locations.routeros.errors import MissingPermission, RouterTrap, RouterUnreachable
from locations.routeros.values import comment_of, is_ours
from locations.sync import menus
from locations.sync.anew import Anew, is_counted, starts_anew
from locations.sync.entries import Settled, entries_settle
from locations.sync.entry_menus import ENTRY_MENUS, Item
from locations.sync.kinds import KINDS, AccountKind, Place, is_entry_of
from locations.sync.last_use import COUNTERS, NOTHING, Counters, LastUse, known_sessions, last_use_into
from locations.sync.outcome import NOT_OURS, Applied, Gone, Outcome, conflict, refused
from locations.sync.pipeline import Command, pipelined

Entry = AccessAccount | RouterProfile


@dataclass
class Batch:
    """The work of one batch at one router. `outcomes` grow as answers arrive, so that a broken link loses none."""

    client: RouterClient
    place: Place
    now: datetime
    seconds: float
    siblings: dict[int, menus.SiblingUse] = field(default_factory=dict)
    unread_seconds: int = 0  # since the last poll: counters on the router may have grown by as much
    outcomes: list[Outcome] = field(default_factory=list)
    lost_profiles: set[int] = field(default_factory=set)  # the router does not have them any more
    anew: list[Anew] = field(default_factory=list)  # counters that began at nothing
    ended: list[tuple[str, str]] = field(default_factory=list)  # kind and name of sessions we ended
    last_use: list[LastUse] = field(default_factory=list)  # of logins that left
    _counted: dict[int, Counters] = field(default_factory=dict)  # by account: its entry, right before it was removed
    _started: float = field(default_factory=time.monotonic)

    @property
    def installation_tag(self) -> str:
        return self.place.tag

    def has_time(self) -> bool:
        return time.monotonic() - self._started < self.seconds

    # -- profiles --------------------------------------------------------------------------------------------------

    def send_profiles(self, profiles: Sequence[RouterProfile]) -> None:
        for profile in profiles:
            menu = menus.MENUS[profile.kind].profiles
            if not menu:  # only removals come here: there is nothing on the router to wait for
                self.outcomes.append(Gone(profile.pk, profile.revision))
            elif profile.presence == Presence.ABSENT:
                self._remove([profile], menu)
            else:
                words = menus.profile_words(profile, self.installation_tag)
                self._put([profile], menu, lambda _row, w=words: (w, None))  # type: ignore[misc]

    # -- accounts --------------------------------------------------------------------------------------------------

    def send_accounts(self, accounts: Sequence[AccessAccount]) -> None:
        """Removals first, then puts, then the sessions of everyone who must not stay on as he was."""
        for kind in KINDS.values():
            mine = [account for account in accounts if account.kind == kind.kind]
            leaving = [account for account in mine if account.presence == Presence.ABSENT]
            staying = [account for account in mine if account.presence == Presence.PRESENT]
            start = len(self.outcomes)
            if leaving:
                self._remove(leaving, kind.menu.users)
            if staying:
                self._put(staying, kind.menu.users, self._account_words)
            try:
                self._settle_companions(kind, mine, start)
                shown = self._kick_due(kind, mine)
                uses = [self._last_use(account, shown) for account in leaving if kind.kind == Kind.HOTSPOT]
                self.last_use += [use for use in uses if use.has_used]
            except BaseException:
                # Half done is not done: rows whose sessions or companions are unknown are sent again, not believed.
                self._forget(start, {account.pk for account in mine if account.is_kick_due or kind.has_companions})
                raise

    def _forget(self, start: int, ids: set[int]) -> None:
        self.outcomes[start:] = [outcome for outcome in self.outcomes[start:] if outcome.row_id not in ids]

    def _settle_companions(self, kind: AccountKind, accounts: Sequence[AccessAccount], start: int) -> None:
        """What goes with an account counts as much as its entry: the account is confirmed only with all of it."""
        if not kind.has_companions:
            return
        written = {outcome.row_id for outcome in self.outcomes[start:] if isinstance(outcome, (Applied, Gone))}
        pairs = [
            (account, item)
            for account in accounts
            if account.pk in written
            for item in kind.companions(account, self.place)
        ]
        settled = entries_settle(self.client, [item for _account, item in pairs], self.installation_tag)
        for (account, _item), result in zip(pairs, settled, strict=True):
            if not result.is_done:
                self._forget(start, {account.pk})
                self._hold(account, result)

    def _hold(self, row: Entry | RouterEntry, result: Settled) -> None:
        if result.problem:
            self.outcomes.append(conflict(row, result.problem) if result.is_conflict else refused(row, result.problem))

    def _kick_due(self, kind: AccountKind, accounts: Sequence[AccessAccount]) -> list[Row]:
        due = [account for account in accounts if account.is_kick_due]
        names = {account.name for account in due} | {account.applied_name for account in due if account.applied_name}
        return self.kick(kind.kind, names) if names else []

    def _last_use(self, account: AccessAccount, shown: Sequence[Row]) -> LastUse:
        """`shown` are sessions that were ended, as the router showed them right before."""
        names = {account.name, account.applied_name}
        sessions = {
            row[".id"]: Counters.of(row) for row in shown if row.get(menus.MENUS[account.kind].active_name) in names
        }
        return LastUse(account.pk, self._counted.get(account.pk), sessions)

    # -- entries ---------------------------------------------------------------------------------------------------

    def send_entries(self, entries: Sequence[RouterEntry]) -> None:
        """Nameless rows; all rules of a menu together, because their order counts."""
        items = [item_of(entry, self.installation_tag) for entry in entries]
        for entry, result in zip(entries, entries_settle(self.client, items, self.installation_tag), strict=True):
            if not result.is_done:
                self._hold(entry, result)
            elif entry.presence == Presence.ABSENT:
                self.outcomes.append(Gone(entry.pk, entry.revision))
            else:
                self.outcomes.append(Applied(entry.pk, entry.revision, result.router_id, entry.name))

    def _account_words(self, account: Entry) -> tuple[dict[str, str], int | None]:
        assert isinstance(account, AccessAccount)  # noqa: S101  # narrows the type; only accounts are passed
        siblings = self.siblings.get(account.pk, menus.SiblingUse())
        shared = account.profile.shared_users
        uptime = menus.limit_seconds(account, shared, siblings, self.now, self.unread_seconds)
        if account.kind != Kind.HOTSPOT:
            uptime = None
        elif account.kept_comment is not None:  # the router's own scripts end it, and we do: its limit stays as it was
            uptime = account.limit_uptime_seconds
        size = menus.limit_bytes(account, siblings)
        return KINDS[account.kind].words(account, self.place, uptime, size), uptime

    # -- puts ------------------------------------------------------------------------------------------------------

    def _put(
        self,
        rows: Sequence[Entry],
        menu: str,
        words_of: Callable[[Entry], tuple[dict[str, str], int | None]],
    ) -> None:
        """`set` what the router has, `add` what it has not; whatever the answer leaves open is read back."""
        limits: dict[int, int | None] = {}
        unclear: list[Entry] = [row for row in rows if _is_read_first(row)]
        rows = [row for row in rows if not _is_read_first(row)]

        def command(row: Entry) -> Command:
            words, limits[row.pk] = words_of(row)
            if row.router_id:
                return f"{menu}/set", {".id": row.router_id, **words}, ()
            return f"{menu}/add", menus.trimmed_for_add(words), ()

        for row, answer in pipelined(self.client, list(rows), command, may_start=self.has_time):
            if isinstance(answer, Reply):
                router_id = row.router_id or answer.made_id
                self.outcomes.append(Applied(row.pk, row.revision, router_id, row.name, limits[row.pk]))
            elif answer.is_duplicate or answer.is_missing:
                unclear.append(row)
            else:
                self._refuse(row, answer)
        for row in unclear:
            self._put_after_reading(row, menu, words_of)

    def _put_after_reading(
        self, row: Entry, menu: str, words_of: Callable[[Entry], tuple[dict[str, str], int | None]]
    ) -> None:
        found = self._find(menu, row)
        words, limit = words_of(row)
        if found is not None and not self._is_ours(row, found, words):
            self.outcomes.append(conflict(row, NOT_OURS))
            return
        if found is None and isinstance(row, AccessAccount) and row.is_password_kept:
            self.outcomes.append(refused(row, PASSWORD_LOST))
            return
        anew = self._count_anew(row, found) if isinstance(row, AccessAccount) else None
        if anew is not None:
            words, limit = words_of(row)
        if found is not None and isinstance(row, AccessAccount) and row.kept_comment is not None:
            words = {key: value for key, value in words.items() if key != "comment" or row.is_comment_due}
        try:
            if found is None:
                router_id = self.client.call(f"{menu}/add", menus.trimmed_for_add(words)).made_id
            else:
                router_id = found[".id"]
                self.client.call(f"{menu}/set", {".id": router_id, **words})
        except RouterTrap as trap:
            self._refuse(row, trap)
        else:
            self.outcomes.append(Applied(row.pk, row.revision, router_id, row.name, limit))
            self.anew += [] if anew is None else [anew]

    def _count_anew(self, account: AccessAccount, found: Row | None) -> Anew | None:
        """Who must be thrown out goes before his entry is made: what he used belongs to no counter any more."""
        if found is None and account.is_kick_due and is_counted(account):
            shown = self.kick(account.kind, {account.name, account.applied_name} - {""})
            use = self._last_use(account, shown)
            last_use_into(account, use, known_sessions([account.pk]))
            self.last_use.append(use)
        return starts_anew(self.client, account, found)

    def _find(self, menu: str, row: Entry) -> Row | None:
        """By its name, or by the name it had when it was last confirmed: a rename whose `.id` is no longer good."""
        rows = self.client.print(menu, (), _named(row))
        ours = [found for found in rows if is_ours(found.get("comment", ""), self.installation_tag)]
        named = [found for found in rows if found.get("name") == row.name]
        return next(iter([*named, *ours]), None)

    def _is_ours(self, row: Entry, found: Row, words: dict[str, str]) -> bool:
        """By comment tag; a hotspot profile has no comment, so it is ours when we made it or it already says what we want."""
        if isinstance(row, AccessAccount):
            return is_entry_of(row, found, self.installation_tag)
        if "comment" in words:
            return is_ours(found.get("comment", ""), self.installation_tag)
        return bool(row.applied_revision) or found.get("rate-limit", "") == words["rate-limit"]

    def _refuse(self, row: Entry, trap: RouterTrap) -> None:
        if trap.is_permission:
            raise MissingPermission(trap.words)
        if isinstance(row, AccessAccount) and trap.is_profile_unknown:
            self.lost_profiles.add(self.place.profile_of(row).pk)
        elif not trap.is_transient:  # a transient one stays wanted and is tried again by the next run
            self.outcomes.append(refused(row, trap.words))

    # -- removals --------------------------------------------------------------------------------------------------

    def _remove(self, rows: Sequence[Entry], menu: str) -> None:
        """Look each name up, remove what is ours, look again. A stored `.id` is never enough to delete by."""
        doomed: list[tuple[Entry, str]] = []
        more = COUNTERS if menu == menus.MENUS[Kind.HOTSPOT].users else ()
        for row, found in self._lookup(rows, menu, more):
            mine = [entry for entry in found if self._may_remove(row, entry)]
            if mine and more:
                self._counted[row.pk] = sum((Counters.of(entry) for entry in mine), NOTHING)
            doomed += [(row, entry[".id"]) for entry in mine]
            if not mine:  # ours is gone; what may be left belongs to somebody else
                self.outcomes.append(Gone(row.pk, row.revision))
        removed: list[Entry] = []
        for (row, _router_id), answer in pipelined(
            self.client, doomed, lambda item: (f"{menu}/remove", {".id": item[1]}, ())
        ):
            if isinstance(answer, Reply) or answer.is_missing:
                removed.append(row)
            else:
                self._refuse(row, answer)
        for row, found in self._lookup(list({row.pk: row for row in removed}.values()), menu):
            if not any(self._may_remove(row, entry) for entry in found):
                self.outcomes.append(Gone(row.pk, row.revision))

    def _may_remove(self, row: Entry, entry: Row) -> bool:
        if isinstance(row, AccessAccount):
            return is_entry_of(row, entry, self.installation_tag)
        if row.tag == ADOPTED_TAG:  # it was there before us, and its own scripts and logins may need it
            return False
        if "comment" in entry:
            return is_ours(entry["comment"], self.installation_tag)
        return True  # a hotspot profile cannot carry a comment

    def _lookup(self, rows: Sequence[Entry], menu: str, more: Sequence[str] = ()) -> list[tuple[Entry, list[Row]]]:
        words = ",".join((".id", "name", "comment", *more))

        def command(row: Entry) -> Command:
            return f"{menu}/print", {".proplist": words}, _named(row)

        answers: list[tuple[Entry, list[Row]]] = []
        for row, answer in pipelined(self.client, list(rows), command):
            if isinstance(answer, RouterTrap):
                raise MissingPermission(answer.words) if answer.is_permission else RouterUnreachable(answer.words)
            answers.append((row, answer.rows))
        return answers

    # -- sessions --------------------------------------------------------------------------------------------------

    def kick(self, kind: str, names: set[str]) -> list[Row]:
        """End live sessions of these names, and the cookies that would let them back in silently; then look again.

        Returns the sessions as they were read right before.
        """
        menu = menus.MENUS[kind]
        if menu.cookies:
            self._remove_matching(menu.cookies, "user", names)
            self._remove_matching(menu.cookies, "user", names)
        if not menu.active:
            return []
        more = COUNTERS if kind == Kind.HOTSPOT else ()
        gone = self._remove_matching(menu.active, menu.active_name, names, more)
        gone += self._remove_matching(menu.active, menu.active_name, names, more)  # one who came back meanwhile
        self.ended += [(kind, row[menu.active_name]) for row in gone]
        return gone

    def _remove_matching(self, path: str, key: str, names: set[str], more: Sequence[str] = ()) -> list[Row]:
        rows = [row for row in self.client.print(path, (".id", key, *more)) if row.get(key) in names]
        remove_rows(self.client, path, [row[".id"] for row in rows])
        return rows


PASSWORD_LOST = "it is gone from the router, and only the router knew its password: write a new one"  # noqa: S105  # words


def _is_read_first(row: Entry) -> bool:
    """Nobody but the router knows its password: an entry that is not there cannot be made, only looked for.

    And of an entry that had counted before, and was lost, it must be known where its counter stands.
    """
    return isinstance(row, AccessAccount) and not row.router_id and (row.is_password_kept or is_counted(row))


def remove_rows(client: RouterClient, path: str, ids: Sequence[str]) -> None:
    """Remove rows by id; one that is gone already is as good."""
    for _router_id, answer in pipelined(client, ids, lambda i: (f"{path}/remove", {".id": i}, ())):
        if isinstance(answer, RouterTrap) and not answer.is_missing:
            raise MissingPermission(answer.words) if answer.is_permission else RouterUnreachable(answer.words)


def _named(row: Entry) -> tuple[str, ...]:
    """Query words for the row's name and, after a rename, the name the router may still have."""
    if row.applied_name and row.applied_name != row.name:
        return (f"name={row.name}", f"name={row.applied_name}", "#|")
    return (f"name={row.name}",)


def item_of(entry: RouterEntry, installation_tag: str) -> Item:
    """A desired entry as what should be on the router. A rule's comment is its role; others are told apart by number."""
    is_rule = ENTRY_MENUS[EntryKind(entry.kind)].is_rule
    comment = comment_of(installation_tag, entry.tag if is_rule else f"{entry.tag}-{entry.pk}")
    is_wanted = entry.presence == Presence.PRESENT
    return Item(entry.kind, entry.words, comment, is_wanted, entry.place, entry.is_adopted)
