"""Why is this customer offline? One small check per reason, in order; the first that explains it is the headline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dashboard.offline import login, money, router, session
from dashboard.offline.finding import Finding, Verdict
from dashboard.offline.line import Line

__all__ = ["CHECKS", "Explanation", "Finding", "Line", "Verdict", "explain"]

Check = Callable[[Line], Finding | None]

# Money first: an isolated line may well be online, on the page that asks for the payment. Then the plain truth of a live
# session; then what keeps it off, from the outside (place, router, plan) to the inside (login, limits, device).
CHECKS: tuple[Check, ...] = (
    money.status_not_running,
    money.isolated,
    session.online_now,
    router.location_off,
    router.router_unreachable,
    router.plan_not_published,
    router.profile_missing,
    login.login_missing,
    login.login_held,
    login.login_disabled,
    login.login_held_back,
    login.limits_reached,
    login.login_waiting,
    session.last_seen,
    money.bills,
    money.promise,
    login.device_lock,
    router.clock_wrong,
    router.contact_errors,
)


@dataclass(frozen=True)
class Explanation:
    """The headline, and what every other check had to say."""

    headline: Finding
    others: Sequence[Finding]


def explain(line: Line) -> Explanation:
    """Ask every check. A service that is not supposed to run is explained by that alone."""
    checks = CHECKS if line.is_running else CHECKS[:1]
    found = [finding for check in checks if (finding := check(line)) is not None]
    headline = next((finding for finding in found if finding.explains), None) or _least(found)
    return Explanation(headline, [finding for finding in found if finding is not headline])


def _least(found: Sequence[Finding]) -> Finding:
    """Nothing explains it: the note about the last session, which every line with a login has."""
    return next(finding for finding in found if finding.verdict is Verdict.NOTE)
