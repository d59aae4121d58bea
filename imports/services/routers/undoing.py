"""Taking it back: everything that was made goes again, except what moved on since; the router keeps all as it is."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import Plan, Subscription
from billing.services.adopting import publications_forget, subscriptions_forget, subscriptions_moved_on
from core import clock
from core.db.progress import Progress
from core.db.transition import transition
from core.errors import DomainError
from customers.models import Customer
from customers.services import customers_forget
from imports.choices import ROUTER_IMPORT_MOVES, RouterImportStatus, Subject
from imports.models import ImportedSale, RouterImport, RouterImportRow
from locations.choices_configs import BackupReason
from locations.models import AccessAccount, RouterProfile
from locations.services import config_backup_wanted
from vouchers.models import VoucherBatch
from vouchers.services import batches_forget, vouchers_moved_on


def undo_check(run: RouterImport) -> None:
    """Raises DomainError while our comments stand in the place of the router's own, or are on their way."""
    if run.scripts_retired_at is not None:
        raise DomainError(
            "import.retired", _("Give the router's own scripts back first; then this can be undone."), status=409
        )
    if AccessAccount.objects.filter(location=run.location_id, is_comment_due=True).exists():
        raise DomainError(
            "import.waiting", _("The router has not confirmed its old comments yet. Wait for that."), status=409
        )


def router_undo(run: RouterImport, progress: Progress) -> None:
    """Remove what can be removed, in one transaction. What was sold, used, billed or changed stays, with its reason."""
    made: dict[str, list[int]] = run.made
    rounds = run.facts.get("rounds", 0)
    progress.tick(0)
    with transaction.atomic():
        undo_check(run)
        # the profiles are in the router's configuration again from now on: our change, nobody else's
        config_backup_wanted(run.location, BackupReason.AFTER, now=clock.now(), actor=run.created_by)
        vouchers = vouchers_moved_on(made["batches"], rounds=rounds)
        services = subscriptions_moved_on(made["subscriptions"], rounds=rounds)
        batches_forget(made["batches"], vouchers, rounds=rounds)
        subscriptions_forget(made["subscriptions"], services, rounds=rounds)
        customers_forget(made["customers"])
        publications_forget(made["profiles"], made["plans"], rounds=rounds)
        ImportedSale.objects.filter(run=run).delete()
        left = _left(run)
        _mark_rows(run, vouchers, services)
        is_all = not any(left.values())
        progress.tick(run.total)
        mine = RouterImport.objects.filter(pk=run.pk, heartbeat_at=progress.lease)
        transition(
            mine, to=RouterImportStatus.UNDONE if is_all else RouterImportStatus.APPLIED, allowed=ROUTER_IMPORT_MOVES,
            made=left, finished_at=clock.now(), error="" if is_all else _("Not everything could be undone; see what stayed."),
        )  # fmt: skip


def _left(run: RouterImport) -> dict[str, Any]:
    """What of the things that were made is still there."""
    models = {
        "plans": Plan, "profiles": RouterProfile, "batches": VoucherBatch, "subscriptions": Subscription,
        "customers": Customer,
    }  # fmt: skip
    return {
        kind: list(model._default_manager.filter(pk__in=run.made[kind]).order_by("pk").values_list("pk", flat=True))
        for kind, model in models.items()
    }


def _mark_rows(run: RouterImport, vouchers: dict[str, str], services: dict[str, str]) -> None:
    done = RouterImportRow.objects.filter(run=run, is_done=True)
    kept = {**vouchers, **services}
    for reason in set(kept.values()):
        names = [name for name, why in kept.items() if why == reason]
        rows = done.filter(subject__in=[Subject.USER, Subject.SECRET], name__in=names)
        rows.update(reason=f"kept_{reason}", details={})
    gone = done.exclude(reason__startswith="kept_")
    profiles = {Subject.PROFILE, Subject.PPP_PROFILE}
    gone.exclude(subject__in=profiles).update(is_done=False, secret=None)
    _mark_profiles(run)


def _mark_profiles(run: RouterImport) -> None:
    there = set(RouterProfile.objects.filter(pk__in=run.made["profiles"]).values_list("name", flat=True))
    rows = RouterImportRow.objects.filter(run=run, is_done=True, subject__in=[Subject.PROFILE, Subject.PPP_PROFILE])
    rows.exclude(name__in=there).update(is_done=False)
    rows.filter(name__in=there).update(reason="kept_profile", details={})
