"""What operations should know about money: the last ledger check, on the health page and for Prometheus."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.choices import CheckStatus
from billing.models import LedgerCheck
from core.clock import now
from core.formats import ago
from core.installation import installation
from core.monitoring import checks, gauges
from core.monitoring.checks import CheckResult

LATE = timedelta(hours=30)  # a night and some hours for the work itself


def register_all() -> None:
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


def wrong_rows() -> float:
    done = last_check()
    return float("nan") if done is None else float(sum(done.counts.values()))


def check_age() -> float:
    done = last_check()
    return float("nan") if done is None or done.finished_at is None else (now() - done.finished_at).total_seconds()
