"""Names of what ids and account codes stand for, read for a whole table at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.utils.translation import gettext as _

from accounts.models import User
from billing.ledger import chart
from billing.models import Agent, ExpenseCategory, Plan
from locations.models import Location

Names = dict[object, str]


def plan_names(ids: Iterable[int]) -> Names:
    return dict(Plan.objects.filter(pk__in=ids).values_list("pk", "name"))


def location_names(ids: Iterable[int]) -> Names:
    return dict(Location.objects.filter(pk__in=ids).values_list("pk", "name"))


def user_names(ids: Iterable[int]) -> Names:
    return {user.pk: user.get_full_name() or user.username for user in User.objects.filter(pk__in=ids)}


def agent_names(ids: Iterable[int]) -> Names:
    return dict(Agent.objects.filter(pk__in=ids).values_list("pk", "name"))


def account_names(codes: Iterable[str]) -> Names:
    """In the language of the screen, with the names of cashiers, agents and expense categories."""
    parts = {code: code.partition(":")[::2] for code in codes}
    people = user_names(int(rest) for family, rest in parts.values() if family == "cash")
    agents = agent_names(int(rest) for family, rest in parts.values() if family == "agent")
    spent = [rest for family, rest in parts.values() if family == "expense"]
    categories: Names = (
        dict(ExpenseCategory.objects.filter(code__in=spent).values_list("code", "name")) if spent else {}
    )
    found: Names = {}
    for code, (family, rest) in parts.items():
        if family == "cash" and int(rest) in people:
            found[code] = _("Cash drawer of %(name)s") % {"name": people[int(rest)]}
        elif family == "agent" and int(rest) in agents:
            found[code] = _("Agent %(name)s") % {"name": agents[int(rest)]}
        elif family == "expense" and rest in categories:
            found[code] = categories[rest]
        else:
            found[code] = chart.name_of(code)
    return found


NAMES_OF: dict[str, Callable[..., Names]] = {
    "plan": plan_names, "location": location_names, "actor": user_names, "agent": agent_names, "account": account_names,
}  # fmt: skip
