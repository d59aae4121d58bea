"""One bounded batch of wanted changes, sent to the router and read back where its answer is not proof.

"already exists" and "no such item" are never taken as success: the entry is read back, and an entry
that does not carry our tag is a conflict for a person, not ours to change (DESIGN 3.1).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from locations.choices import Kind, Presence
from locations.models import AccessAccount, RouterProfile
from locations.routeros.client import Reply, RouterClient, Row
from locations.routeros.errors import RouterTrap, RouterUnreachable
from locations.routeros.values import is_ours
from locations.sync import menus
from locations.sync.outcome import NOT_OURS, Applied, Gone, Outcome, conflict, refused
from locations.sync.pipeline import Command, pipelined

Entry = AccessAccount | RouterProfile


class MissingPermission(RouterUnreachable):
    """The router user lacks a policy: no row can be written, so no row is to blame."""

    problem = "policy"


@dataclass
class Batch:
    """The work of one batch at one router. `outcomes` grow as answers arrive, so that a broken link loses none."""

    client: RouterClient
    installation_tag: str
    now: datetime
    seconds: float
    siblings: dict[int, menus.SiblingUse] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    lost_profiles: set[int] = field(default_factory=set)  # the router does not have them any more
    _started: float = field(default_factory=time.monotonic)

    def has_time(self) -> bool:
        return time.monotonic() - self._started < self.seconds

    # -- profiles --------------------------------------------------------------------------------------------------

    def send_profiles(self, profiles: Sequence[RouterProfile]) -> None:
        for profile in profiles:
            menu = menus.MENUS[profile.kind].profiles
            if profile.presence == Presence.ABSENT:
                self._remove([profile], menu)
            else:
                words = menus.profile_words(profile, self.installation_tag)
                self._put([profile], menu, lambda _row, w=words: (w, None))  # type: ignore[misc]

    # -- accounts --------------------------------------------------------------------------------------------------

    def send_accounts(self, accounts: Sequence[AccessAccount]) -> None:
        """Removals first, then puts, then the sessions of everyone who must not stay on as he was."""
        for kind, menu in menus.MENUS.items():
            mine = [account for account in accounts if account.kind == kind]
            leaving = [account for account in mine if account.presence == Presence.ABSENT]
            staying = [account for account in mine if account.presence == Presence.PRESENT]
            kicked = {account.name for account in mine if account.is_kick_due}
            start = len(self.outcomes)
            if leaving:
                self._remove(leaving, menu.users)
            if staying:
                self._put(staying, menu.users, self._account_words)
            if kicked:
                self._kick_or_forget(menu, kicked, start, {account.pk: account.name for account in mine})

    def _account_words(self, account: Entry) -> tuple[dict[str, str], int | None]:
        assert isinstance(account, AccessAccount)  # noqa: S101  # narrows the type; only accounts are passed
        siblings = self.siblings.get(account.pk, menus.SiblingUse())
        uptime = menus.limit_seconds(account, account.profile.shared_users, siblings, self.now)
        if account.kind != Kind.HOTSPOT:
            uptime = None
        size = menus.limit_bytes(account, siblings)
        return menus.account_words(account, account.profile, self.installation_tag, uptime, size), uptime

    # -- puts ------------------------------------------------------------------------------------------------------

    def _put(
        self,
        rows: Sequence[Entry],
        menu: str,
        words_of: Callable[[Entry], tuple[dict[str, str], int | None]],
    ) -> None:
        """`set` what the router has, `add` what it has not; whatever the answer leaves open is read back."""
        limits: dict[int, int | None] = {}
        unclear: list[Entry] = []

        def command(row: Entry) -> Command:
            words, limits[row.pk] = words_of(row)
            if row.router_id:
                return f"{menu}/set", {".id": row.router_id, **words}, ()
            return f"{menu}/add", menus.trimmed_for_add(words), ()

        for row, answer in pipelined(self.client, list(rows), command, may_start=self.has_time):
            if isinstance(answer, Reply):
                router_id = row.router_id or answer.done.get("ret", "")
                self.outcomes.append(Applied(row.pk, row.revision, router_id, row.name, limits[row.pk]))
            elif answer.is_duplicate or answer.is_missing:
                unclear.append(row)
            else:
                self._refuse(row, answer)
        for row in unclear:
            self._put_after_reading(row, menu, *words_of(row))

    def _put_after_reading(self, row: Entry, menu: str, words: dict[str, str], limit: int | None) -> None:
        found = self._find(menu, row.name)
        if found is not None and not self._is_ours(row, found, words):
            self.outcomes.append(conflict(row, NOT_OURS))
            return
        try:
            if found is None:
                router_id = self.client.call(f"{menu}/add", menus.trimmed_for_add(words)).done.get("ret", "")
            else:
                router_id = found[".id"]
                self.client.call(f"{menu}/set", {".id": router_id, **words})
        except RouterTrap as trap:
            self._refuse(row, trap)
        else:
            self.outcomes.append(Applied(row.pk, row.revision, router_id, row.name, limit))

    def _find(self, menu: str, name: str) -> Row | None:
        rows = self.client.print(menu, (), [f"name={name}"])
        return rows[0] if rows else None

    def _is_ours(self, row: Entry, found: Row, words: dict[str, str]) -> bool:
        """By comment tag; a hotspot profile has no comment, so it is ours when we made it or it already says what we want."""
        if isinstance(row, AccessAccount) and row.is_adopted:
            return True
        if "comment" in words:
            return is_ours(found.get("comment", ""), self.installation_tag)
        return bool(row.applied_revision) or found.get("rate-limit", "") == words["rate-limit"]

    def _refuse(self, row: Entry, trap: RouterTrap) -> None:
        if trap.is_permission:
            raise MissingPermission(trap.words)
        if isinstance(row, AccessAccount) and trap.is_profile_unknown:
            self.lost_profiles.add(row.profile_id)
        elif not trap.is_transient:  # a transient one stays wanted and is tried again by the next run
            self.outcomes.append(refused(row, trap.words))

    # -- removals --------------------------------------------------------------------------------------------------

    def _remove(self, rows: Sequence[Entry], menu: str) -> None:
        """Look each name up, remove what is ours, look again. A stored `.id` is never enough to delete by."""
        found = self._lookup(rows, menu)
        doomed: list[tuple[Entry, str]] = []
        for row, entry in found:
            if entry is None:
                self.outcomes.append(Gone(row.pk, row.revision))
            elif "comment" in entry and not is_ours(entry["comment"], self.installation_tag):
                self.outcomes.append(Gone(row.pk, row.revision))  # ours is gone; this one belongs to somebody else
            elif isinstance(row, AccessAccount) and "comment" not in entry:
                self.outcomes.append(Gone(row.pk, row.revision))
            else:
                doomed.append((row, entry[".id"]))
        removed: list[Entry] = []
        for (row, _router_id), answer in pipelined(
            self.client, doomed, lambda item: (f"{menu}/remove", {".id": item[1]}, ())
        ):
            if isinstance(answer, Reply) or answer.is_missing:
                removed.append(row)
            else:
                self._refuse(row, answer)
        for row, entry in self._lookup(removed, menu):
            if entry is None:
                self.outcomes.append(Gone(row.pk, row.revision))

    def _lookup(self, rows: Sequence[Entry], menu: str) -> list[tuple[Entry, Row | None]]:
        def command(row: Entry) -> Command:
            return f"{menu}/print", {".proplist": ".id,name,comment"}, (f"name={row.name}",)

        answers: list[tuple[Entry, Row | None]] = []
        for row, answer in pipelined(self.client, list(rows), command):
            if isinstance(answer, RouterTrap):
                raise MissingPermission(answer.words) if answer.is_permission else RouterUnreachable(answer.words)
            answers.append((row, answer.rows[0] if answer.rows else None))
        return answers

    # -- sessions --------------------------------------------------------------------------------------------------

    def _kick_or_forget(self, menu: menus.Menu, names: set[str], start: int, name_of: dict[int, str]) -> None:
        """End the sessions; when that fails, forget that the rows were applied: they must be sent again, not believed."""
        try:
            self.kick(menu, names)
        except BaseException:
            self.outcomes[start:] = [o for o in self.outcomes[start:] if name_of.get(o.row_id) not in names]
            raise

    def kick(self, menu: menus.Menu, names: set[str]) -> None:
        """End live sessions of these names, and the cookies that would let them back in silently; then look again."""
        for path, key in ((menu.cookies, "user"), (menu.active, menu.active_name)):
            if not path:
                continue
            self._remove_matching(path, key, names)
            self._remove_matching(path, key, names)  # one who came back while we removed; usually only a look

    def _remove_matching(self, path: str, key: str, names: set[str]) -> None:
        ids = [row[".id"] for row in self.client.print(path, (".id", key)) if row.get(key) in names]
        for _router_id, answer in pipelined(self.client, ids, lambda i: (f"{path}/remove", {".id": i}, ())):
            if isinstance(answer, RouterTrap) and not answer.is_missing:
                raise MissingPermission(answer.words) if answer.is_permission else RouterUnreachable(answer.words)
