"""Why a location was chosen, as sentences in the reader's language; made from the facts kept with the choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.formats import number
from locations.choices import Strategy, Unfit


def choice_sentences(details: Mapping[str, Any]) -> list[str]:
    """The choice first, then what was special about it, then who was left out and why."""
    candidates = list(details.get("candidates", ()))
    chosen = next((one for one in candidates if one["location"] == details.get("chosen")), None)
    sentences = [_chosen(details, chosen, candidates)]
    note = _note(str(details.get("note", "")))
    sentences += [note] if note else []
    sentences += [_left_out(one) for one in candidates if one["unfit"] and one is not chosen]
    return sentences


def _chosen(details: Mapping[str, Any], chosen: Mapping[str, Any] | None, candidates: list[Any]) -> str:
    if chosen is None:
        return _("Chosen by a person, outside the group.")
    fit = sum(not one["unfit"] for one in candidates)
    values = {
        "name": chosen["name"], "users": number(chosen["users"]), "online": number(chosen["sessions"]),
        "logins": number(chosen["accounts"]), "fit": number(fit),
    }  # fmt: skip
    match details["strategy"]:
        case Strategy.ROUND_ROBIN:
            return _("%(name)s: it is its turn.") % values
        case Strategy.GEOGRAPHIC:
            values["km"] = number(round(chosen["distance_km"] or 0))
            return _("%(name)s is nearest to the customer: %(km)s km.") % values
        case Strategy.LEAST_USERS:
            if chosen["capacity"]:
                values["capacity"] = number(chosen["capacity"])
                text = _(
                    "%(name)s has the most room: %(users)s of %(capacity)s (%(online)s online, %(logins)s logins)."
                )
            else:
                text = _("%(name)s has the fewest users: %(users)s (%(online)s online, %(logins)s logins).")
            return text % values
    return _("%(name)s: always chosen for this group.") % values


def _note(note: str) -> str:
    return {
        "by_hand": _("A person chose it; the group's rule was not asked."),
        "none_reachable": _("No router of the group could be reached; it gets this when it returns."),
        "no_point": _("The place of the customer or of the locations is not known, so the fewest users decided."),
        "no_manual": _("No location is set for this group, so the fewest users decided."),
    }.get(note, "")


def _left_out(one: Mapping[str, Any]) -> str:
    values = {"name": one["name"], "reason": Unfit(one["unfit"]).label}
    match one["unfit"]:
        case Unfit.CPU:
            return _("%(name)s was left out: its CPU load was %(cpu)s %%.") % {**values, "cpu": number(one["cpu_load"])}
        case Unfit.LICENCE:
            most = one.get("licence_full") or one["licence_limit"]  # choices written down earlier know only the latter
            text = ngettext(
                "%(name)s was left out: its licence allows %(n)s session.",
                "%(name)s was left out: its licence allows %(n)s sessions.",
                most,
            )
            return text % {**values, "n": number(most)}
        case Unfit.FULL:
            numbers = {"users": number(one["users"]), "capacity": number(one["capacity"])}
            return _("%(name)s was left out: it is full (%(users)s of %(capacity)s).") % {**values, **numbers}
    return _("%(name)s was left out: %(reason)s.") % values
