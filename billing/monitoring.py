"""What operations should know about money: the last ledger check, on the health page and for Prometheus."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.choices import CheckStatus, RunStatus
from billing.models import BillingRun, LedgerCheck
from billing.services.engine.nights import KIND
from core.clock import now
from core.formats import ago
from core.installation import installation
from core.monitoring import checks, gauges
from core.monitoring.checks import CheckResult

STUCK = timedelta(hours=1)
LATE = timedelta(hours=30)  # a night and some hours for the work itself


def register_all() -> None:
    checks.register("billing.nights", gettext_lazy("Nights"), nights_state, page="admin:billing_billingrun_changelist")
    checks.register("billing.ledger", gettext_lazy("Money"), ledger_check_state, page="admin:ledger_check")
    gauges.register("mb_ledger_wrong_rows", "Rows the last ledger check found wrong.", wrong_rows)
    gauges.register("mb_ledger_check_age_seconds", "Seconds since a ledger check last ended.", check_age)


def last_check() -> LedgerCheck | None:
    """The newest that was finished."""
    return LedgerCheck.objects.filter(status=CheckStatus.DONE).order_by("-finished_at").first()


def ledger_check_state() -> CheckResult:
    """Bad when something did not add up, when the check could not be finished, or when there was none for a night."""
    done = last_check()
    failed = LedgerCheck.objects.filter(status=CheckStatus.FAILED).order_by("-finished_at").first()
    if failed and (done is None or (failed.finished_at or now()) > (done.finished_at or now())):
        text = _(
            "The last ledger check could not be finished (%(problem)s). Press “Check now”; if it fails again, see the errors."
        )
        return CheckResult(False, text % {"problem": failed.error})
    if done is None or done.finished_at is None:
        is_young = now() - installation().created_at < LATE
        text = (
            _("Not checked yet; the first check runs tonight.")
            if is_young
            else _("Never checked. Does the worker run?")
        )
        return CheckResult(is_young, text)
    when = ago(done.finished_at)
    if done.counts:
        n = sum(done.counts.values())
        text = ngettext(
            "Checked %(when)s: %(n)d row does not add up. Open the ledger check to see which, and what to do.",
            "Checked %(when)s: %(n)d rows do not add up. Open the ledger check to see which, and what to do.", n,
        )  # fmt: skip
        return CheckResult(False, text % {"when": when, "n": n})
    if now() - done.finished_at > LATE:
        return CheckResult(False, _("Last checked %(when)s. Does the worker for long work run?") % {"when": when})
    return CheckResult(True, _("Checked %(when)s: every amount adds up.") % {"when": when})


def nights_state() -> CheckResult:
    """Bad when a location's newest night failed, stands still or left services out: they are not billed or judged."""
    runs = BillingRun.objects.filter(kind=KIND, location__isnull=False).select_related("location")
    last = [run for run in runs.order_by("location_id", "-day").distinct("location_id") if run.location]
    failed = [run for run in last if run.status == RunStatus.FAILED]
    if failed:
        text = _("The night of %(places)s failed (%(problem)s). It is tried again every ten minutes; see the errors.")
        return CheckResult(False, text % {"places": _names(failed), "problem": failed[0].error})
    stuck = [run for run in last if run.status in {RunStatus.QUEUED, RunStatus.RUNNING} and now() - _heard(run) > STUCK]
    if stuck:
        text = _("The night of %(places)s stands still. Does the worker for long work run?")
        return CheckResult(False, text % {"places": _names(stuck)})
    refused = [run for run in last if run.outcome.get("refused")]
    if refused:
        n = sum(run.outcome["refused"] for run in refused)
        text = ngettext(
            "The night left %(n)d service out (%(places)s). Open the run to see why.",
            "The night left %(n)d services out (%(places)s). Open the run to see why.", n,
        )  # fmt: skip
        return CheckResult(False, text % {"n": n, "places": _names(refused)})
    return CheckResult(True, _("The last night of every location came to its end.") if last else _("No night yet."))


def _heard(run: BillingRun) -> datetime:
    return run.heartbeat_at or run.created_at


def _names(runs: list[BillingRun]) -> str:
    names = [str(run.location) for run in runs]
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")


def wrong_rows() -> float:
    done = last_check()
    return float("nan") if done is None else float(sum(done.counts.values()))


def check_age() -> float:
    done = last_check()
    return float("nan") if done is None or done.finished_at is None else (now() - done.finished_at).total_seconds()
