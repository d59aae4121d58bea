"""What operations should know about routers: gauges for Prometheus and a line on the health page."""

from __future__ import annotations

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.monitoring import checks, gauges
from core.monitoring.checks import CheckResult
from locations.choices import AlertKind, Hold, Reach
from locations.models import TODO, AccessAccount, RouterAlert, RouterState
from locations.selectors import LICENCE_ALERT, certificates_unconfirmed, licence_uses
from locations.words_connection import certificate_sentence


def register_all() -> None:
    gauges.register("mb_routers", "Active routers by what we know of them.", routers_by_reach, labels=("reach",))
    gauges.register("mb_waiting_rows", "Changes a router does not have yet and that are being tried.", waiting_rows)
    gauges.register("mb_held_rows", "Changes that wait for a person's decision.", held_rows)
    gauges.register("mb_unconfirmed_certificates", "Routers left alone until a person confirms.", unconfirmed)
    gauges.register("mb_licence_use", "Hotspot sessions against the licence's, highest of all routers.", licence_use)
    checks.register("locations.licences", gettext_lazy("Licences of routers"), licences_check)
    checks.register("locations.certificates", gettext_lazy("Certificates of routers"), certificates_check)
    gauges.register("mb_router_warnings", "Warnings of routers that hold.", warnings_by_kind, labels=("kind",))
    checks.register("locations.warnings", gettext_lazy("Warnings of routers"), warnings_check)
    checks.register("locations.routers", gettext_lazy("Routers"), routers_check)


def routers_by_reach() -> dict[tuple[str, ...], float]:
    counts = RouterState.objects.filter(location__is_active=True).values_list("reach").annotate(Count("pk"))
    known = dict(counts.order_by("reach"))
    return {(str(reach),): float(known.get(reach, 0)) for reach in Reach}


def waiting_rows() -> float:
    return float(AccessAccount.objects.filter(TODO).count())


def held_rows() -> float:
    return float(AccessAccount.objects.exclude(hold=Hold.NONE).count())


def routers_check() -> CheckResult:
    """Bad when a router is not online; says which, a few by name."""
    bad = RouterState.objects.filter(location__is_active=True).exclude(reach__in=[Reach.ONLINE, Reach.UNKNOWN])
    names = list(bad.order_by("location__name").values_list("location__name", flat=True)[:4])
    if not names:
        online = RouterState.objects.filter(location__is_active=True, reach=Reach.ONLINE).count()
        return CheckResult(
            True, ngettext("%(n)d router is online.", "%(n)d routers are online.", online) % {"n": online}
        )
    shown = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    return CheckResult(False, _("Not online: %(names)s. Changes for them wait.") % {"names": shown})


def unconfirmed() -> float:
    return float(certificates_unconfirmed().count())


def certificates_check() -> CheckResult:
    """Bad while a router shows a certificate nobody confirmed; says old and new fingerprint of the first few."""
    waiting = list(certificates_unconfirmed()[:4])
    if not waiting:
        return CheckResult(True, _("No router shows a certificate that waits to be confirmed."))
    shown = "; ".join(f"{row.name}: {certificate_sentence(row, groups=4)}" for row in waiting[:3])
    shown += " …" if len(waiting) > 3 else ""
    return CheckResult(False, _("Nothing is sent to them until somebody confirms: %(names)s.") % {"names": shown})


def warnings_by_kind() -> dict[tuple[str, ...], float]:
    rows = RouterAlert.objects.filter(location__is_active=True, told_at__isnull=False, ended_at=None)
    known = dict(rows.values_list("kind").annotate(Count("pk")).order_by("kind"))
    return {(str(kind),): float(known.get(kind, 0)) for kind in AlertKind}


def warnings_check() -> CheckResult:
    """Bad while a clock is wrong or a flash memory wears out; licences have a line of their own."""
    rows = RouterAlert.objects.filter(location__is_active=True, told_at__isnull=False, ended_at=None)
    bad = rows.exclude(kind=AlertKind.LICENCE).select_related("location").order_by("since", "pk")[:4]
    if not bad:
        return CheckResult(True, _("Clocks and flash memories are well."))
    shown = ", ".join(f"{row.location.name} ({row.get_kind_display()})" for row in bad[:3])
    more = " …" if len(bad) > 3 else ""
    return CheckResult(False, _("Look at the health of the routers: %(names)s.") % {"names": shown + more})


def licence_use() -> float:
    return max((use.share for use in licence_uses()), default=0.0)


def licences_check() -> CheckResult:
    """Bad from 80 % of a router's licence on: then the next customers may be turned away by the router."""
    full = [use for use in licence_uses() if use.share >= LICENCE_ALERT]
    if not full:
        return CheckResult(True, _("No router is near the limit of its licence."))
    shown = ", ".join(f"{use.name} ({use.sessions}/{use.limit})" for use in full[:3]) + (" …" if len(full) > 3 else "")
    return CheckResult(
        False, _("Near the limit of their licence: %(names)s. Upgrade it or move people.") % {"names": shown}
    )
