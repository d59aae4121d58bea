"""Reads of the import room."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.choices import Role
from accounts.models import User
from imports.choices import RouterImportStatus, Subject, Verdict
from imports.models import ImportedSale, ImportRun, RouterImport, RouterImportRow
from locations.choices import Kind, Presence
from locations.choices_configs import BackupReason
from locations.models import AccessAccount, ConfigBackup, RouterProfile
from locations.selectors import locations_visible_to


def imports_visible_to(user: User) -> QuerySet[ImportRun]:
    """All for Super Admin and Admin; nobody else brings files."""
    rows = ImportRun.objects.select_related("location")
    return rows if _is_admin(user) else rows.none()


def router_imports_visible_to(user: User) -> QuerySet[RouterImport]:
    """All for Super Admin and Admin; nobody else takes routers over."""
    return RouterImport.objects.all() if _is_admin(user) else RouterImport.objects.none()


def old_sales_visible_to(user: User) -> QuerySet[ImportedSale]:
    """Sales from before at this person's locations."""
    if not locations_visible_to(user).query.where:
        return ImportedSale.objects.all()
    return ImportedSale.objects.filter(location__in=list(locations_visible_to(user).values_list("pk", flat=True)))


def _is_admin(user: User) -> bool:
    return user.is_superuser or user.role in {Role.SUPER_ADMIN, Role.ADMIN}


def router_rows_search(
    run: RouterImport, *, text: str = "", verdict: str = "", subject: str = ""
) -> QuerySet[RouterImportRow]:
    """Rows in the router's order; by the beginning of their name, verdict and kind. Unknown words narrow nothing."""
    rows = RouterImportRow.objects.filter(run=run).defer("secret").order_by("number")
    if text:
        rows = rows.filter(name__istartswith=text)
    if verdict in Verdict.values:
        rows = rows.filter(verdict=verdict)
    if subject in Subject.values:
        rows = rows.filter(subject=subject)
    return rows


def router_import_backup(run: RouterImport) -> ConfigBackup | None:
    """The last backup of the router's configuration that was taken, or is wanted, for this taking over."""
    rows = ConfigBackup.objects.filter(location=run.location_id, reason=BackupReason.IMPORT)
    return rows.filter(Q(finished_at=None) | Q(finished_at__gte=run.created_at)).order_by("-pk").first()


def scripted_profiles(run: RouterImport) -> list[tuple[RouterProfile, str]]:
    """Profiles that were taken over and run Mikhmon's script at each login, with its text."""
    rows = RouterImportRow.objects.filter(run=run, subject=Subject.PROFILE, is_done=True)
    scripts = {
        row.name: str(row.values["script"]) for row in rows if row.values["terms"] and row.values["is_script_kept"]
    }
    profiles = RouterProfile.objects.filter(
        location=run.location_id, kind=Kind.HOTSPOT, name__in=scripts, presence=Presence.PRESENT
    )
    return [(profile, scripts[profile.name]) for profile in profiles.order_by("name")]


def scripted_accounts(run: RouterImport) -> QuerySet[AccessAccount]:
    """Codes of theirs that were taken over and are still wanted."""
    profiles = [profile.pk for profile, _script in scripted_profiles(run)]
    names = RouterImportRow.objects.filter(run=run, subject=Subject.USER, is_done=True)
    readable = names.exclude(values__is_comment_odd=True).values("name")
    rows = AccessAccount.objects.filter(location=run.location_id, kind=Kind.HOTSPOT, profile__in=profiles)
    return rows.filter(presence=Presence.PRESENT, name__in=readable)


@dataclass(frozen=True)
class Scripts:
    """Scripts of another program on a router that was taken over: in which profiles, and how many logins obey them."""

    profiles: list[str]
    logins: int
    waiting: int  # of these logins the ones whose comment the router has not confirmed as wanted


def router_scripts_of(run: RouterImport) -> Scripts | None:
    """None while nothing is taken over, or when the router had no such scripts."""
    if run.status != RouterImportStatus.APPLIED:
        return None
    profiles = [profile.name for profile, _script in scripted_profiles(run)]
    if not profiles:
        return None
    flags = list(scripted_accounts(run).values_list("revision", "applied_revision"))
    return Scripts(profiles, len(flags), sum(wanted != applied for wanted, applied in flags))
