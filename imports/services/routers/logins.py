"""Logins of one profile as vouchers or as services, with their rows as the router has them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from billing.models import Plan
from billing.services.adopting import FoundService, subscriptions_adopt, subscriptions_tie
from core.errors import DomainError
from customers.services import customers_create
from imports.models import RouterImport, RouterImportProfile, RouterImportRow
from imports.routers.mikhmon import is_mark
from imports.services.routers.judging import voucher_life
from locations.models import RouterProfile
from locations.services import Found, accounts_adopt
from vouchers.services import FoundVoucher, batch_adopt


@dataclass(frozen=True)
class Logins:
    """Rows that are taken over with one profile, and what was decided about it."""

    run: RouterImport
    choice: RouterImportProfile
    profile: RouterProfile
    plan: Plan
    rows: list[RouterImportRow]
    now: datetime


def vouchers_adopt(logins: Logins) -> list[int]:
    """A batch for each mark of Mikhmon, one for all the others. Returns the ids of the batches."""
    groups: dict[str, list[RouterImportRow]] = defaultdict(list)
    for row in logins.rows:
        comment = str(row.values["comment"])
        groups[comment if is_mark(comment) else ""].append(row)
    batches, found = [], []
    for mark, rows in sorted(groups.items()):
        lives = [
            voucher_life(row, logins.choice, zone=logins.run.facts["zone"], now=logins.now) for row in rows
        ]  # fmt: skip
        batch = batch_adopt(
            name=mark or _("%(plan)s from %(location)s")
            % {"plan": logins.plan.name, "location": logins.run.location.name},
            plan=logins.plan, location=logins.run.location, actor=logins.run.created_by, now=logins.now,
            found=[
                FoundVoucher(row.name, row.secret or "", life.used_at, life.valid_until)
                for row, life in zip(rows, lives, strict=True)
            ],
        )  # fmt: skip
        batches.append(batch.pk)
        found += [
            _found(row, batch.tag, first_login_at=life.used_at, valid_until=life.valid_until,
                   is_mac_locked=logins.choice.is_mac_locked)
            for row, life in zip(rows, lives, strict=True)
        ]  # fmt: skip
    accounts_adopt(logins.profile, found, now=logins.now)
    return batches


def _found(
    row: RouterImportRow, tag: str, *, first_login_at: datetime | None = None, valid_until: datetime | None = None,
    is_mac_locked: bool = False,
) -> Found:  # fmt: skip
    values = row.values
    return Found(
        name=row.name, router_id=row.router_id, tag=tag, comment=values["comment"], password=row.secret,
        is_password_kept=row.secret is None, is_disabled=values["disabled"], mac_address=values["mac"],
        is_mac_locked=is_mac_locked or bool(values["mac"]), static_address=values.get("address"),
        limit_uptime_seconds=values.get("limit_uptime"), limit_bytes=values.get("limit_bytes"),
        valid_until=valid_until, first_login_at=first_login_at, uptime_seconds=values.get("uptime", 0),
        bytes=values.get("bytes", 0),
    )  # fmt: skip


def services_adopt(logins: Logins, *, today: date) -> tuple[list[int], list[int]]:
    """A service for each login, its customer found or made. Returns the ids of the services and of the new customers."""
    if logins.run.billed_from is None:
        raise DomainError("import.billed_from", _("Write the first day to bill: services of customers need one."))
    people, made = _customers(logins)
    subscriptions = subscriptions_adopt(
        logins.run.location,
        [
            FoundService(
                customer_id=people[row.number], plan=logins.plan, username=row.name, password=row.secret,
                static_address=row.values.get("address"), mac_address=row.values["mac"],
                is_paused=row.values["disabled"], note=str(row.values["comment"])[:300],
            )
            for row in logins.rows
        ],
        billed_until=logins.run.billed_from, today=today,
    )  # fmt: skip
    found = [_found(row, f"s{one.pk}") for row, one in zip(logins.rows, subscriptions, strict=True)]
    accounts_adopt(logins.profile, found, now=logins.now)
    subscriptions_tie([one.pk for one in subscriptions])
    return [one.pk for one in subscriptions], made


def _customers(logins: Logins) -> tuple[dict[int, int], list[int]]:
    """The customer of each row by its number: the known one, or one for each new person; a phone number is one person."""
    people: dict[int, int] = {}
    new: dict[str, list[RouterImportRow]] = defaultdict(list)
    for row in logins.rows:
        if row.details["customer"]:
            people[row.number] = row.details["customer"]
        else:
            new[row.details["phone"] or f"#{row.number}"].append(row)
    fields = [
        {"name": rows[0].details["person"], "phone": rows[0].details["phone"], "location": logins.run.location}
        for rows in new.values()
    ]
    created = customers_create(fields, actor=logins.run.created_by, now=logins.now, is_for_good=False)
    for rows, customer in zip(new.values(), created, strict=True):
        people |= {row.number: customer.pk for row in rows}
    return people, [customer.pk for customer in created]
