"""What one account is on a router, kind by kind: its entry, what goes with it, and what differs there.

The only place that knows how isolation, switching off and speeds look in router words.
"""

from __future__ import annotations

from dataclasses import dataclass

from locations.choices import OFF_LIST, EntryKind, IsolationMethod, Kind, Presence
from locations.models import AccessAccount, Location, RouterProfile
from locations.routeros.client import Row
from locations.routeros.values import (
    comment_of,
    duration_seconds,
    is_ours,
    is_true,
    pair_of_seconds,
    queue_words,
    rate_pair,
    seconds_text,
    whole,
)
from locations.sync.entry_menus import Item
from locations.sync.menus import MENUS, NO_MAC, Menu


@dataclass(frozen=True)
class Place:
    """What of a location decides how its accounts look on its router.

    Read it after the accounts: then it is never older than they are, and a change of the location's settings sends
    them again.
    """

    tag: str
    method: str = IsolationMethod.PROFILE
    rate_limit: str = "64k/64k"
    list_name: str = "mb-isolated"
    has_hotspot: bool = False

    def is_off(self, account: AccessAccount) -> bool:
        """Login switched off: by a person, or because that is how this location isolates."""
        return account.is_disabled or (account.is_isolated and self.method == IsolationMethod.DISABLE)

    def profile_of(self, account: AccessAccount) -> RouterProfile:
        """The profile the account has on the router now."""
        instead = account.profile.isolation_profile
        if account.is_isolated and instead is not None and self.method != IsolationMethod.DISABLE:
            return instead
        return account.profile


def place_of(location_id: int, installation_tag: str) -> Place:
    row = Location.objects.only("isolation_method", "isolation_rate_limit", "isolation_list").get(pk=location_id)
    return Place(
        installation_tag, row.isolation_method, row.isolation_rate_limit, row.isolation_list,
        RouterProfile.objects.filter(location_id=location_id, kind=Kind.HOTSPOT, presence=Presence.PRESENT).exists(),
    )  # fmt: skip


class AccountKind:
    """How accounts of one kind are written and compared. The base holds what logins (hotspot, PPP) share."""

    kind: str
    readable: str
    has_companions = False

    @property
    def menu(self) -> Menu:
        return MENUS[self.kind]

    def words(
        self, account: AccessAccount, place: Place, uptime_limit: int | None, bytes_limit: int | None
    ) -> dict[str, str]:
        """Everything we own of the entry. Properties are always sent whole, so `set` also repairs drift."""
        words = {
            "name": account.name,
            "password": account.secret,
            "profile": place.profile_of(account).name,
            "comment": wanted_comment(account, place),
            "disabled": "yes" if place.is_off(account) else "no",
        }
        if account.is_password_kept:
            del words["password"]
        if account.kept_comment is not None and account.router_id and not account.is_comment_due:
            del words["comment"]
        return words

    def companions(self, account: AccessAccount, place: Place) -> list[Item]:
        """Nameless entries that belong to this account and are confirmed together with it."""
        return []

    def shown(self, account: AccessAccount, place: Place) -> dict[str, str]:
        """What we want of the readable properties, for a person to compare. Never a password."""
        return {
            "profile": place.profile_of(account).name, "comment": wanted_comment(account, place),
            "disabled": "yes" if place.is_off(account) else "no",
        }  # fmt: skip

    def differences(self, account: AccessAccount, row: Row, place: Place) -> list[str]:
        """Readable properties that are not as we sent them. A password only where the router lets us read it."""
        found = []
        is_known = is_readable(row.get("password", "")) and not account.is_password_kept
        if is_known and row["password"] != account.secret:
            found.append("password")
        if row.get("profile", "") != place.profile_of(account).name:
            found.append("profile")
        if account.kept_comment is None and row.get("comment", "") != comment_of(place.tag, account.tag):
            found.append("comment")
        if is_true(row.get("disabled", "false")) != place.is_off(account):
            found.append("disabled")
        return found


class HotspotKind(AccountKind):
    kind = Kind.HOTSPOT
    readable = ".id,name,password,profile,comment,disabled,limit-uptime,limit-bytes-total,mac-address,uptime,bytes-in,bytes-out"

    def shown(self, account: AccessAccount, place: Place) -> dict[str, str]:
        more = {
            "limit-uptime": seconds_text(account.sent_limit_seconds), "mac-address": account.mac_address,
            "limit-bytes-total": str(account.limit_bytes or ""),
        }  # fmt: skip
        return super().shown(account, place) | more

    def words(
        self, account: AccessAccount, place: Place, uptime_limit: int | None, bytes_limit: int | None
    ) -> dict[str, str]:
        words = {
            **super().words(account, place, uptime_limit, bytes_limit),
            "limit-uptime": f"{uptime_limit or 0}s",
            "limit-bytes-total": str(bytes_limit or 0),
            "mac-address": account.mac_address or NO_MAC,
        }
        if account.kept_comment is not None and not account.mac_address:
            del words["mac-address"]  # a lock that the router's own script set must not be opened by us
        return words

    def differences(self, account: AccessAccount, row: Row, place: Place) -> list[str]:
        found = super().differences(account, row, place)
        if account.kept_comment is not None:
            return found  # the router's own scripts end logins by their limit and lock them to a device
        if seconds_of(row.get("limit-uptime", "")) != (account.sent_limit_seconds or 0):
            found.append("limit-uptime")
        if row.get("mac-address", "").upper() not in {account.mac_address.upper(), NO_MAC}:
            found.append("mac-address")
        if account.limit_bytes is not None and not whole(row.get("limit-bytes-total", "")):
            found.append("limit-bytes-total")
        return found


class PppKind(AccountKind):
    kind = Kind.PPP
    readable = ".id,name,password,profile,comment,disabled,remote-address"

    def shown(self, account: AccessAccount, place: Place) -> dict[str, str]:
        return super().shown(account, place) | {"remote-address": account.static_address or ""}

    def words(
        self, account: AccessAccount, place: Place, uptime_limit: int | None, bytes_limit: int | None
    ) -> dict[str, str]:
        words = super().words(account, place, uptime_limit, bytes_limit)
        if account.kept_comment is None:  # else what it was taken over with; `any` is as good
            words["service"] = "pppoe"
        words["caller-id"] = account.mac_address
        if account.static_address:
            words["remote-address"] = account.static_address
        else:  # routeros.md 1.9: `!name` unsets; an empty address is not an address
            words["!remote-address"] = ""
        return words

    def differences(self, account: AccessAccount, row: Row, place: Place) -> list[str]:
        found = super().differences(account, row, place)
        if account.static_address and row.get("remote-address", "") != account.static_address:
            found.append("remote-address")
        return found


class StaticKind(AccountKind):
    """A subscriber with a fixed address and no login: a simple queue, and beside it list entry and IP binding.

    A disabled queue would be *no* limit, so the queue is never disabled: who is isolated gets the location's slow speed
    (except by address list, where the firewall alone holds him) and stands in the address list. Who is switched off
    stands in `OFF_LIST` instead, whose rule drops all he sends, and is blocked by his IP binding where there is a hotspot.
    """

    kind = Kind.STATIC
    has_companions = True
    readable = ".id,name,target,comment,disabled,max-limit,burst-limit,burst-threshold,burst-time,priority,limit-at"

    def words(
        self, account: AccessAccount, place: Place, uptime_limit: int | None, bytes_limit: int | None
    ) -> dict[str, str]:
        return {
            "name": account.name,
            "target": f"{account.static_address}/32",
            **queue_words(self._rate(account, place)),
            "comment": comment_of(place.tag, account.tag),
            "disabled": "no",
        }

    def shown(self, account: AccessAccount, place: Place) -> dict[str, str]:
        return self.words(account, place, None, None)

    @staticmethod
    def _rate(account: AccessAccount, place: Place) -> str:
        is_slow = place.is_off(account) or (account.is_isolated and place.method == IsolationMethod.PROFILE)
        return place.rate_limit if is_slow else account.profile.rate_limit

    def companions(self, account: AccessAccount, place: Place) -> list[Item]:
        comment = comment_of(place.tag, f"s{account.pk}")
        address = str(account.static_address)
        is_here = account.presence == Presence.PRESENT
        binding = {"address": address, "type": "blocked" if place.is_off(account) else "bypassed"}
        if account.mac_address:
            binding["mac-address"] = account.mac_address
        return [
            Item(
                EntryKind.ADDRESS_LIST, {"list": OFF_LIST if place.is_off(account) else place.list_name, "address": address},
                comment, is_wanted=is_here and (account.is_isolated or account.is_disabled), is_adopted=account.is_adopted,
            ),
            Item(
                EntryKind.IP_BINDING, binding, comment, is_wanted=is_here and place.has_hotspot,
                is_adopted=account.is_adopted,
            ),
        ]  # fmt: skip

    def differences(self, account: AccessAccount, row: Row, place: Place) -> list[str]:
        wanted = self.words(account, place, None, None)
        there = {**row, "burst-time": pair_of_seconds(row.get("burst-time", "0s/0s"))}
        for name in ("max-limit", "burst-limit", "burst-threshold", "limit-at"):
            there[name] = readable_pair(row.get(name, "0/0"))
        found = [name for name in wanted if name != "disabled" and there.get(name, "") != wanted[name]]
        return found + (["disabled"] if is_true(row.get("disabled", "false")) else [])


def wanted_comment(account: AccessAccount, place: Place) -> str:
    """The comment the entry should carry: our tag, or the router's own as it was when the entry was taken over."""
    return comment_of(place.tag, account.tag) if account.kept_comment is None else account.kept_comment


def is_entry_of(account: AccessAccount, row: Row, installation_tag: str) -> bool:
    """The router's entry of this name is this account: it carries our tag, or a person took it over."""
    return account.kept_comment is not None or account.is_adopted or is_ours(row.get("comment", ""), installation_tag)


def is_readable(password: str) -> bool:
    """The router shows passwords to this login: neither left out nor masked."""
    return bool(password.strip("*"))


def readable_pair(value: str) -> str:
    """A pair of rates as the router prints it, in bits; its own text when it is none."""
    try:
        return rate_pair(value)
    except ValueError:
        return value


def seconds_of(value: str) -> int:
    try:
        return duration_seconds(value) if value else 0
    except ValueError:
        return 0


KINDS: dict[str, AccountKind] = {kind.kind: kind for kind in (HotspotKind(), PppKind(), StaticKind())}
