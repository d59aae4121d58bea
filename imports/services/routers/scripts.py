"""The router's own scripts: shown, left alone, and retired when a person says so; given back exactly as they were.

While a code keeps Mikhmon's comment its scripts go on working with it as before: they write the end of the validity there,
keep a sale and remove what is over. A comment of ours means nothing to them (`research/routeros.md` 2.17).
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import clock
from core.errors import DomainError
from core.events import emit
from core.staff_events import StaffActed
from imports.choices import RouterImportStatus, Subject
from imports.models import RouterImport, RouterImportRow
from imports.selectors import scripted_accounts, scripted_profiles
from locations.choices_configs import BackupReason
from locations.services import (
    accounts_comment_give_back,
    accounts_comment_take,
    config_backup_wanted,
    profiles_script_set,
)


@transaction.atomic
def router_scripts_retire(run: RouterImport, *, actor: User | None, ip: str | None = None) -> int:
    """Want Mikhmon's scripts out of the profiles and our comments on their codes. Returns how many codes are sent.

    Raises DomainError when nothing is left to retire, or it was done already.
    """
    run = RouterImport.objects.select_for_update().get(pk=run.pk)
    profiles = scripted_profiles(run)
    if run.status != RouterImportStatus.APPLIED or run.scripts_retired_at is not None or not profiles:
        raise DomainError("import.scripts", _("There are no scripts to retire here."), status=409)
    config_backup_wanted(run.location, BackupReason.IMPORT, now=clock.now(), actor=actor)
    profiles_script_set([(profile.pk, "") for profile, _script in profiles])
    count = accounts_comment_take(scripted_accounts(run))
    RouterImport.objects.filter(pk=run.pk).update(scripts_retired_at=clock.now())
    _acted(run, "scripts_retired", actor, ip, count)
    return count


@transaction.atomic
def router_scripts_give_back(run: RouterImport, *, actor: User | None, ip: str | None = None) -> int:
    """Want the scripts and the old comments back, letter by letter. Returns how many codes are sent."""
    run = RouterImport.objects.select_for_update().get(pk=run.pk)
    if run.scripts_retired_at is None:
        raise DomainError("import.scripts", _("The scripts were not retired."), status=409)
    config_backup_wanted(run.location, BackupReason.IMPORT, now=clock.now(), actor=actor)
    profiles_script_set([(profile.pk, script) for profile, script in scripted_profiles(run)])
    rows = RouterImportRow.objects.filter(run=run, subject=Subject.USER, is_done=True)
    comments = {row.name: str(row.values["comment"]) for row in rows.only("name", "values")}
    accounts = scripted_accounts(run).filter(kept_comment=None)
    pairs = [(pk, comments[name]) for pk, name in accounts.values_list("pk", "name")]
    count = accounts_comment_give_back(pairs)
    facts = {**run.facts, "rounds": int(run.facts.get("rounds", 0)) + 1}
    RouterImport.objects.filter(pk=run.pk).update(scripts_retired_at=None, facts=facts)
    _acted(run, "scripts_given_back", actor, ip, count)
    return count


def _acted(run: RouterImport, action: str, actor: User | None, ip: str | None, count: int) -> None:
    details = {"import": run.pk, "location": run.location_id, "logins": count}
    emit(StaffActed(actor.pk if actor else None, f"routerimport.{action}", details, ip))
