"""The writer's step of taking a configuration backup: before its bulk work, once per wish, compared with the version before.

What this system wrote is left out: lines with our tag, our profiles, our logins. They are kept as wishes and put back by
the writer; with them every voucher sold would be a new version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F

from core import events
from core.db.transition import transition
from locations.choices import Kind
from locations.choices_configs import BACKUP_MOVES, BackupProblem, BackupReason, BackupStatus
from locations.events import ConfigChanged
from locations.models import TODO, AccessAccount, ConfigBackup, ConfigVersion, Location, RouterProfile, RouterState
from locations.models.configs import packed
from locations.routeros.client import RouterClient
from locations.routeros.exports import changed_lines, menu_of, named, without_secrets
from locations.routeros.values import is_ours
from locations.sync.config_export import Exported, ExportFailed, export_read
from locations.sync.identity import Identity

BULK_ROWS = 1000  # so many changes at once and the configuration is read first
BULK_EVERY = timedelta(hours=24)
MOST_TRIES = 3  # a router that breaks off at every export must not be kept from its other work by it
LOGIN_MENUS = {"/ip hotspot user": Kind.HOTSPOT, "/ppp secret": Kind.PPP, "/queue simple": Kind.STATIC}
PROFILE_MENUS = {"/ip hotspot user profile": Kind.HOTSPOT, "/ppp profile": Kind.PPP}
# logins that are not ours change all day where the router's own scripts write into them; the drift page lists them
QUIET_MENUS = frozenset({"/ip hotspot user", "/ppp secret"})
SALE_MARK = "-|-"  # rows of /system script in which a voucher program on the router keeps its sales (routeros.md 2.17)
NAMES_AT_ONCE = 5000


def backup_due(location_id: int, now: datetime, *, is_bulk_looked_for: bool) -> ConfigBackup | None:
    """The wish that waits; before a bulk of changes one is made, once a day at most."""
    waiting = ConfigBackup.objects.filter(location_id=location_id, status=BackupStatus.WAITING).first()
    if waiting is not None or not is_bulk_looked_for:
        return waiting
    # does the thousandth row exist: cheaper than counting a hundred thousand
    lots = AccessAccount.objects.filter(TODO, location_id=location_id).order_by()[BULK_ROWS - 1 : BULK_ROWS]
    if not lots.exists():
        return None
    recent = ConfigBackup.objects.filter(location_id=location_id, requested_at__gt=now - BULK_EVERY)
    if recent.exclude(reason=BackupReason.NIGHTLY, status=BackupStatus.FAILED).exists():
        return None
    return ConfigBackup.objects.create(location_id=location_id, reason=BackupReason.BULK, requested_at=now)


def backup_take(
    backup: ConfigBackup, location: Location, client: RouterClient, seen: Identity, tag: str, now: datetime,
    *, confirm: Callable[[], None],
) -> None:  # fmt: skip
    """Take it and record what came of it; a broken link is counted, and after some the wish fails.

    `confirm` is called inside the recording transaction: it raises when another writer has the location now.
    """
    if backup.tries >= MOST_TRIES:
        _finish(backup, BackupStatus.FAILED, now, problem=BackupProblem.LINK)
        return
    ConfigBackup.objects.filter(pk=backup.pk).update(tries=F("tries") + 1)
    try:
        exported = export_read(client, location.username, seen.version)
    except ExportFailed as failed:
        _finish(backup, BackupStatus.FAILED, now, problem=failed.problem, words=failed.words[:500])
        return
    lines = [line for line in exported.lines if not _is_sale(line)]
    kept = list(not_ours(location.pk, lines, tag))
    with transaction.atomic():
        confirm()
        version, is_new = _store(backup, location, seen, exported, kept, len(exported.lines) - len(kept), tag, now)
        left = {"problem": BackupProblem.LEFT, "words": exported.left} if exported.left else {}
        _finish(backup, BackupStatus.TAKEN, now, version=version, is_new=is_new, **left)


def _finish(backup: ConfigBackup, to: BackupStatus, now: datetime, **changes: Any) -> None:
    transition(ConfigBackup.objects.filter(pk=backup.pk), to=to, allowed=BACKUP_MOVES, finished_at=now, **changes)


def _store(
    backup: ConfigBackup, location: Location, seen: Identity, exported: Exported, lines: list[str], left_out: int,
    tag: str, now: datetime,
) -> tuple[ConfigVersion, bool]:  # fmt: skip
    """The version these lines are: the last one again, or a new one."""
    RouterState.objects.select_for_update().get(pk=location.pk)  # one numbering at a time
    last = ConfigVersion.objects.filter(location=location).order_by("-number").first()
    if last is not None and last.has_secrets == exported.has_secrets and last.lines == lines:
        ConfigVersion.objects.filter(pk=last.pk).update(seen_at=now, left_out=left_out)
        return last, False
    gone, come = changed_lines(last.lines, lines) if last is not None else ([], [])
    version = ConfigVersion.objects.create(
        location=location, number=(last.number if last else 0) + 1, packed=packed(lines), line_count=len(lines),
        size=sum(len(line.encode()) + 1 for line in lines), left_out=left_out, has_secrets=exported.has_secrets,
        router_version=seen.version, router_serial=seen.serial, taken_at=now, seen_at=now,
        added=len(come), removed=len(gone),
        is_unexpected=_is_unexpected(backup, last, seen, exported, list(not_ours(location.pk, gone, tag)), come),
    )  # fmt: skip
    if version.is_unexpected:
        events.emit(ConfigChanged([version.pk]))
    return version, True


def _is_unexpected(
    backup: ConfigBackup, last: ConfigVersion | None, seen: Identity, exported: Exported, gone: list[str],
    come: list[str],
) -> bool:  # fmt: skip
    """Somebody else changed it: not the first one, not another router, not our own change, not only logins.

    `gone` are those that are still not ours: what was taken over since is in our hands, not away.
    """
    if last is None or backup.reason == BackupReason.AFTER or last.router_serial != seen.serial:
        return False
    lines = [line for line in [*gone, *come] if menu_of(line) not in QUIET_MENUS]
    if last.has_secrets != exported.has_secrets:  # only what both can show is compared
        before = {without_secrets(line) for line in gone if menu_of(line) not in QUIET_MENUS}
        after = {without_secrets(line) for line in come if menu_of(line) not in QUIET_MENUS}
        return before != after
    return bool(lines)


# --- what is ours -----------------------------------------------------------------------------------------------------


def not_ours(location_id: int, lines: Iterable[str], tag: str) -> Iterable[str]:
    """The lines that this system did not write, in their order."""
    profiles = {
        (kind, name)
        for kind, name in RouterProfile.objects.filter(location_id=location_id).values_list("kind", "applied_name")
        if name
    }
    rest = iter(lines)
    while chunk := list(islice(rest, NAMES_AT_ONCE)):
        facts = [(line, menu_of(line), named(line)) for line in chunk]
        logins = _our_logins(location_id, facts)
        for line, menu, words in facts:
            name = words.get("name", "")
            if is_ours(words.get("comment", ""), tag) or (LOGIN_MENUS.get(menu), name) in logins:
                continue
            if (PROFILE_MENUS.get(menu), name) not in profiles:
                yield line


def _our_logins(location_id: int, facts: list[tuple[str, str, dict[str, str]]]) -> set[tuple[str, str]]:
    """Logins of ours in these lines that do not carry our tag (taken over with their own comment)."""
    names = {words["name"] for _line, menu, words in facts if menu in LOGIN_MENUS and "name" in words}
    if not names:
        return set()
    rows = AccessAccount.objects.filter(location_id=location_id, name__in=names)
    return {(kind, name) for kind, name in rows.values_list("kind", "name")}


def _is_sale(line: str) -> bool:
    return menu_of(line) == "/system script" and SALE_MARK in named(line).get("name", "")
