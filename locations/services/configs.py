"""Configuration backups: wishing for one, the nightly ones, looking at changes, taking one out, forgetting old ones."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.errors import DomainError
from core.settings_registry import setting
from core.staff_events import StaffActed
from locations.choices_configs import CONFIGS_HOUR, CONFIGS_KEPT, CONFIGS_NIGHTLY, BackupReason, BackupStatus
from locations.models import ConfigBackup, ConfigVersion, Location, RouterState
from locations.services.kicks import kick_locations

SPREAD_MINUTES = 120  # the routers of one night begin within that time, each always at the same minute
URGENCY = {reason: place for place, reason in enumerate(BackupReason.values)}


@transaction.atomic
def config_backup_wanted(
    location: Location, reason: BackupReason, *, now: datetime, actor: User | None = None, night_on: date | None = None
) -> ConfigBackup:
    """A wish that the location's writer obeys before its other bulk work; follow the returned row's `status`.

    One that waits already is the same wish, with the more urgent reason. Call it inside the transaction that makes
    the changes it is for: then they cannot be sent before it.
    """
    RouterState.objects.select_for_update().get(pk=location.pk)
    this_night = night_on and ConfigBackup.objects.filter(location=location, night_on=night_on).first()
    if this_night:
        return this_night
    waiting = ConfigBackup.objects.filter(location=location, status=BackupStatus.WAITING).first()
    if waiting is None:
        waiting = ConfigBackup.objects.create(
            location=location, reason=reason, requested_at=now, actor=actor, night_on=night_on
        )
    else:
        waiting.reason = min(waiting.reason, reason, key=lambda name: URGENCY[name])
        waiting.night_on = waiting.night_on or night_on
        waiting.actor = waiting.actor or actor
        waiting.save(update_fields=["reason", "night_on", "actor"])
    kick_locations([location.pk])
    return waiting


@transaction.atomic
def config_backup_ask(location: Location, *, now: datetime, actor: User | None, ip: str | None = None) -> ConfigBackup:
    """A person wants one now; also while the router is in back-off."""
    if not location.is_active:
        raise DomainError("location.inactive", _("This router is switched off here: nothing is read from it."))
    backup = config_backup_wanted(location, BackupReason.ASKED, now=now, actor=actor)
    kick_locations([location.pk], is_forced=True)
    details = {"location": location.pk, "backup": backup.pk}
    events.emit(StaffActed(actor.pk if actor else None, "config.backup_asked", details, ip))
    return backup


def config_backups_nightly(now: datetime) -> int:
    """Wish for one at every location whose night has come and that has none of this night; returns how many.

    The unique night makes it once, whoever calls. A night that was slept through is made up for on the same day.
    """
    if not setting(CONFIGS_NIGHTLY):
        return 0
    hour, wanted = setting(CONFIGS_HOUR), 0
    for location in Location.objects.filter(is_active=True).order_by("pk"):
        night = night_of(location, now, hour)
        if night is None or ConfigBackup.objects.filter(location=location, night_on=night).exists():
            continue
        config_backup_wanted(location, BackupReason.NIGHTLY, now=now, night_on=night)
        wanted += 1
    return wanted


def night_of(location: Location, now: datetime, hour: int) -> date | None:
    """The local day whose night backup is due by now, or None while it is too early."""
    here = now.astimezone(ZoneInfo(location.timezone))
    begins = here.replace(hour=hour, minute=0, second=0, microsecond=0)
    begins += timedelta(minutes=location.pk * 7 % SPREAD_MINUTES)
    return here.date() if here >= begins else None


@transaction.atomic
def config_acknowledge(
    version: ConfigVersion, *, now: datetime, actor: User | None, ip: str | None = None
) -> ConfigVersion:
    """Somebody looked at a change that others made. Raises DomainError when nothing is open."""
    open_rows = ConfigVersion.objects.filter(pk=version.pk, is_unexpected=True, acknowledged_at=None)
    if not open_rows.update(acknowledged_at=now, acknowledged_by=actor):
        raise DomainError("config.not_open", _("There is nothing to look at any more."), status=409)
    details = {"location": version.location_id, "number": version.number}
    events.emit(StaffActed(actor.pk if actor else None, "config.acknowledged", details, ip))
    return version


@transaction.atomic
def config_download(version: ConfigVersion, *, actor: User | None, ip: str | None = None) -> str:
    """The whole text with its secrets, for putting a router back. Written down who took it, before it is handed over."""
    heading = [
        f"# RouterOS {version.router_version}, {version.taken_at:%Y-%m-%d %H:%M} UTC, version {version.number}",
        f"# {version.left_out} lines that the billing system writes itself are not in it",
    ]
    details = {"location": version.location_id, "number": version.number, "has_secrets": version.has_secrets}
    events.emit(StaffActed(actor.pk if actor else None, "config.downloaded", details, ip))
    return "\n".join([*heading, *version.lines, ""])


def configs_prune() -> int:
    """Forget versions beyond the setting, oldest first, and all but the last wishes of each location."""
    kept = setting(CONFIGS_KEPT)
    gone = 0
    for location_id in Location.objects.order_by("pk").values_list("pk", flat=True):
        versions = ConfigVersion.objects.filter(location=location_id).order_by("-number")
        last = versions.values_list("number", flat=True)[kept - 1 : kept].first()
        if last is not None:
            gone += ConfigVersion.objects.filter(location=location_id, number__lt=last).delete()[0]
        wishes = ConfigBackup.objects.filter(location=location_id).order_by("-pk")
        oldest = wishes.values_list("pk", flat=True)[kept - 1 : kept].first()
        if oldest is not None:
            done = ConfigBackup.objects.filter(location=location_id, pk__lt=oldest)
            done.exclude(status=BackupStatus.WAITING).delete()
    return gone
