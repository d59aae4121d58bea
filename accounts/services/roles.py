"""Roles into groups, and people into roles."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from accounts.roles import NAMED, PERMISSIONS, group_name
from accounts.services.rules import last_super_admin_kept, staff_changed, super_admin_required
from core.errors import DomainError


@dataclass(frozen=True)
class RolesSynced:
    """How many rights were given and taken, and how many people were put back into the group of their role."""

    added: int
    removed: int
    people: int


@transaction.atomic
def roles_sync() -> RolesSynced:
    """Make groups and their permissions equal to `accounts.roles`. Idempotent; rights given by hand are taken back.

    Raises LookupError when the table names a model or a permission that does not exist (run `migrate` first).
    """
    _named_permissions_create()
    added = removed = 0
    for role in Role:
        given, taken = _group_sync(role)
        added, removed = added + given, removed + taken
    return RolesSynced(added, removed, _people_sync())


@transaction.atomic
def user_set_role(user: User, role: str, *, actor: User | None, ip: str | None = None) -> User:
    """Give a person a role: sets group, `is_superuser` and `is_staff` with it.

    `actor` None is the command line. Raises DomainError for an unknown role, for an actor who is no Super Admin,
    and when nobody would be left as Super Admin.
    """
    super_admin_required(actor)
    if role not in Role.values:
        raise DomainError("user.role", _("There is no such role."), {"role": _("There is no such role.")})
    last_super_admin_kept(user, stays=role == Role.SUPER_ADMIN)
    before = User.objects.select_for_update().get(pk=user.pk).role
    role_apply(user, role)
    user.save(update_fields=["role", "is_superuser", "is_staff"])
    user.groups.set([group_of(role)])
    if before != role:
        staff_changed("user.role_set", user, actor, ip, {"before": before, "after": role})
    return user


def role_apply(user: User, role: str) -> None:
    """The columns a role decides, on the object only."""
    user.role = Role(role).value
    user.is_superuser = role == Role.SUPER_ADMIN
    user.is_staff = True


def group_of(role: str) -> Group:
    """The group of a role; the first one to ask for it also fills it."""
    group, is_new = Group.objects.get_or_create(name=group_name(role))
    if is_new:
        _named_permissions_create()
        _group_sync(Role(role))
    return group


def _named_permissions_create() -> None:
    for named in NAMED:
        app, codename = named.permission.split(".")
        try:
            kind = ContentType.objects.get_by_natural_key(app, named.model)
        except ContentType.DoesNotExist:
            raise LookupError(f"accounts.roles names a model that does not exist: {app}.{named.model}") from None
        Permission.objects.update_or_create(content_type=kind, codename=codename, defaults={"name": named.name})


def _group_sync(role: Role) -> tuple[int, int]:
    group, _is_new = Group.objects.get_or_create(name=group_name(role))
    wanted = _permissions(PERMISSIONS[role])
    has = set(group.permissions.values_list("pk", flat=True))
    group.permissions.add(*(wanted - has))
    group.permissions.remove(*(has - wanted))
    return len(wanted - has), len(has - wanted)


def _permissions(names: frozenset[str]) -> set[int]:
    known = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.values_list("pk", "content_type__app_label", "codename")
    }
    unknown = sorted(names - set(known))
    if unknown:
        raise LookupError(f"accounts.roles names permissions that do not exist: {', '.join(unknown)}")
    return {known[name] for name in names}


def _people_sync() -> int:
    """Group and flags follow the role, also for people made by other means (`createsuperuser`)."""
    moved = 0
    for user in User.objects.prefetch_related("groups"):
        # `createsuperuser` leaves the default role: the stronger fact wins, or the first admin would lose his rights
        role = Role.SUPER_ADMIN.value if user.is_superuser else user.role
        is_right = (
            [group.name for group in user.groups.all()] == [group_name(role)]
            and user.role == role
            and user.is_superuser == (role == Role.SUPER_ADMIN)
            and user.is_staff
        )
        if not is_right:
            role_apply(user, role)
            user.save(update_fields=["role", "is_superuser", "is_staff"])
            user.groups.set([group_of(role)])
            moved += 1
    return moved
