"""What a person decides before a router is taken over: the plan of every profile, and what its logins are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from billing.choices import PlanType
from billing.models import Plan
from core.errors import DomainError
from core.money import quantise
from customers.checking import text_clean
from imports.choices import LoginUse, Subject
from imports.models import RouterImport, RouterImportProfile, RouterImportRow
from imports.routers.mikhmon import end_read, is_mark
from locations.choices import Kind

PLAN_NAME = 60
TYPES: dict[str, str] = {Kind.HOTSPOT: PlanType.HOTSPOT, Kind.PPP: PlanType.PPPOE}
PROFILES = {Subject.PROFILE: Kind.HOTSPOT, Subject.PPP_PROFILE: Kind.PPP}
LOGINS = {Subject.USER: Kind.HOTSPOT, Subject.SECRET: Kind.PPP}
CHANGEABLE: tuple[str, ...] = ("use", "plan", "plan_name", "price_sell", "price_cost", "duration_seconds")


def choices_propose(run: RouterImport, rows: Sequence[RouterImportRow]) -> list[RouterImportProfile]:
    """One row for each profile, as the router's own words suggest; a profile nobody can guess about is left out."""
    logins: dict[tuple[str, str], list[RouterImportRow]] = {}
    for row in rows:
        if row.subject in LOGINS and not row.values["is_own"]:
            logins.setdefault((LOGINS[Subject(row.subject)], row.profile), []).append(row)
    plans = {(plan.type, plan.name.casefold()): plan for plan in Plan.objects.filter(is_active=True)}
    taken = {name.casefold() for name in Plan.objects.values_list("name", flat=True)}
    found: dict[tuple[str, str], RouterImportProfile] = {}
    for row in rows:
        kind = PROFILES.get(Subject(row.subject))
        if kind is None or (kind, row.name) in found:
            continue
        here = logins.get((kind, row.name), [])
        terms: dict[str, Any] = row.values["terms"] or {}
        name = text_clean(row.name[:PLAN_NAME], PLAN_NAME) or "?"
        plan = plans.get((TYPES[kind], name.casefold()))
        found[(kind, row.name)] = RouterImportProfile(
            run=run, kind=kind, name=row.name, use=_use(kind, here, terms), plan=plan,
            plan_name=name if plan else _free(name, taken), price_sell=Decimal(terms.get("price_sell", 0)),
            price_cost=Decimal(terms.get("price_cost", 0)), duration_seconds=terms.get("validity"),
            is_mac_locked=bool(terms.get("lock")), has_script=bool(terms), logins=len(here),
        )  # fmt: skip
    return list(found.values())


def _use(kind: str, logins: Iterable[RouterImportRow], terms: Mapping[str, Any]) -> LoginUse:
    comments = [str(row.values["comment"]) for row in logins]
    if kind == Kind.PPP:
        return LoginUse.SERVICES if comments else LoginUse.LEAVE
    is_sold = bool(terms) or any(is_mark(text) or end_read(text, "UTC") for text in comments)
    return LoginUse.VOUCHERS if is_sold else LoginUse.LEAVE


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{name[: PLAN_NAME - 5]} {number}"
    taken.add(candidate.casefold())
    return candidate


def choice_change(choice: RouterImportProfile, **values: Any) -> None:
    """Take over what a person chose for one profile. Raises DomainError naming the fields that are wrong."""
    problems: dict[str, str] = {}
    for name, value in values.items():
        if name not in CHANGEABLE:
            problems[name] = _("A profile has no such choice.")
        elif name in {"price_sell", "price_cost"}:
            problems |= _amount(choice, name, value)
        else:
            setattr(choice, name, value)
    try:
        choice.clean_fields(exclude={field.name for field in choice._meta.fields} - set(CHANGEABLE) | set(problems))
    except ValidationError as error:
        problems |= {name: " ".join(messages) for name, messages in error.message_dict.items()}
    if choice.kind == Kind.PPP and choice.use == LoginUse.VOUCHERS:
        problems["use"] = _("PPP logins are no vouchers.")
    if choice.plan is not None and choice.plan.type != TYPES[choice.kind]:
        problems["plan"] = _("This plan is of another type.")
    if choice.use != LoginUse.LEAVE and choice.plan is None and not choice.plan_name.strip():
        problems["plan_name"] = _("Please fill this in.")
    if problems:
        raise DomainError("import.choice", _("Please correct the marked fields."), fields=problems)


def _amount(choice: RouterImportProfile, name: str, value: Any) -> dict[str, str]:
    try:
        amount = quantise(value)
    except (DomainError, TypeError):
        amount = Decimal(-1)
    if amount < 0:
        return {name: _("Write an amount of money, 0 or more.")}
    setattr(choice, name, amount)
    return {}
