"""What an operator may write into a location's isolation settings."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from locations.choices import OFF_LIST
from locations.models import Location
from locations.routeros.values import rate_pair
from locations.services.entries import host_problem

_LIST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
MAX_HOSTS = 50


def isolation_problems(location: Location) -> dict[str, str]:
    """What is wrong, by field; empty when all is well."""
    problems: dict[str, str] = {}
    try:
        if "0" in rate_pair(location.isolation_rate_limit).split("/"):
            raise ValueError("0 is no limit at all")
    except ValueError:
        problems["isolation_rate_limit"] = _("Write the speed like 64k/64k; 0 would be no limit.")
    if not _LIST.fullmatch(location.isolation_list):
        problems["isolation_list"] = _("Letters, digits, dot, dash and underscore only.")
    elif location.isolation_list == OFF_LIST:
        problems["isolation_list"] = _("This list is for addresses that are switched off; choose another name.")
    hosts = [line.strip() for line in location.isolation_allowed_hosts.splitlines() if line.strip()]
    bad = [problem for problem in (host_problem(host.lower()) for host in hosts) if problem]
    if len(hosts) > MAX_HOSTS:
        problems["isolation_allowed_hosts"] = _("At most %(n)d hosts.") % {"n": MAX_HOSTS}
    elif bad:
        problems["isolation_allowed_hosts"] = bad[0]
    return problems
