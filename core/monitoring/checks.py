"""Health: named checks, each with one sentence. The health page shows all of them, `/readyz` the ones marked ready.

    checks.register("locations.routers", _("Routers"), routers_check)      # in AppConfig.ready()

A check takes nothing and returns `CheckResult`; it reads a little, never waits long and never writes. An exception
in it is a bad result, recorded like any other error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core.error_log import error_record


@dataclass(frozen=True)
class CheckResult:
    """`sentence` says what is, and when it is bad also what to do. It must hold no secret: staff read it."""

    is_ok: bool
    sentence: str


Check = Callable[[], CheckResult]


@dataclass(frozen=True)
class Registered:
    """`is_ready`: part of `/readyz`. `is_critical`: when bad, the site cannot serve and `/readyz` answers 503.

    `page` is the URL name of a page of the admin that shows more.
    """

    name: str
    label: str | Promise
    function: Check
    is_ready: bool
    is_critical: bool
    page: str = ""


@dataclass(frozen=True)
class HealthLine:
    name: str
    label: str
    is_ok: bool
    sentence: str
    is_critical: bool
    page: str = ""


_checks: dict[str, Registered] = {}


def register(
    name: str,
    label: str | Promise,
    function: Check,
    *,
    is_ready: bool = False,
    is_critical: bool = False,
    page: str = "",
) -> None:
    """Make a check known under its dotted name. Registering a name again replaces it."""
    _checks[name] = Registered(name, label, function, is_ready, is_critical, page)


def registered() -> list[Registered]:
    return list(_checks.values())


def health_report(*, only_ready: bool = False) -> list[HealthLine]:
    """Run the checks in the order of registration."""
    return [_run(check) for check in registered() if check.is_ready or not only_ready]


def is_healthy(lines: list[HealthLine]) -> bool:
    return all(line.is_ok for line in lines)


def is_serving(lines: list[HealthLine]) -> bool:
    """Whether nothing critical is bad: what a load balancer wants to know."""
    return all(line.is_ok for line in lines if line.is_critical)


def _run(check: Registered) -> HealthLine:
    try:
        result = check.function()
    except Exception as error:
        error_record(source=f"health {check.name}", error=error)
        result = CheckResult(False, _("Could not be checked (%(kind)s).") % {"kind": type(error).__name__})
    return HealthLine(check.name, str(check.label), result.is_ok, result.sentence, check.is_critical, check.page)
