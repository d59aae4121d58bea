"""Taking over what was announced: plans, vouchers, services and sales, in one transaction. Nothing is sent to the router.

The router is read once more, so that counters and ends are those of now; what appeared since is left alone, what is gone
or changed so that it cannot be taken over is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing.models import Plan
from billing.services import plan_create
from billing.services.adopting import publication_adopt
from core import clock
from core.db.progress import Progress
from core.db.transition import transition
from core.errors import DomainError
from imports.choices import ROUTER_IMPORT_MOVES, LoginUse, RouterImportStatus, Subject, Verdict
from imports.models import ImportedSale, RouterImport, RouterImportProfile, RouterImportRow
from imports.services.routers.checking import counts_of, facts_of, rows_write
from imports.services.routers.choosing import TYPES
from imports.services.routers.judging import KINDS, rows_judge
from imports.services.routers.logins import Logins, services_adopt, vouchers_adopt
from imports.services.routers.rows import rows_read
from locations.choices import Kind
from locations.models import RouterProfile
from locations.services import profile_adopt, router_read

PERSONAL = frozenset({"person", "phone"})


def router_apply(run: RouterImport, progress: Progress) -> None:
    """All or nothing: a name that was taken meanwhile, a cancel or a lost lease leave nothing of it."""
    now = clock.now()
    contents = router_read(run.location, tick=lambda: progress.tick(0))
    run.facts = facts_of(run, contents)
    choices = list(RouterImportProfile.objects.filter(run=run).select_related("plan"))
    rows = _announced(run, rows_read(run, contents, run.facts["zone"]), choices, now)
    with transaction.atomic():
        try:
            made = _Applying(run, rows, choices, progress, now).all()
        except IntegrityError:
            raise DomainError(
                "import.changed", _("A name was taken meanwhile. Nothing was changed; check once more.")
            ) from None
        RouterImportRow.objects.filter(run=run).delete()
        for row in rows:  # from now on they are the accounts' and the customers'
            row.secret = None
            row.details = {name: value for name, value in row.details.items() if name not in PERSONAL}
        rows_write(rows, progress)
        mine = RouterImport.objects.filter(pk=run.pk, heartbeat_at=progress.lease)
        transition(
            mine, to=RouterImportStatus.APPLIED, allowed=ROUTER_IMPORT_MOVES, made=made, counts=counts_of(rows),
            facts=run.facts, total=len(rows), finished_at=clock.now(),
        )  # fmt: skip


def _key(row: RouterImportRow) -> tuple[str, str]:
    return row.subject, row.values["fingerprint"] if row.subject == Subject.SALE else row.name


def _announced(
    run: RouterImport, fresh: list[RouterImportRow], choices: list[RouterImportProfile], now: datetime
) -> list[RouterImportRow]:
    """The rows of now, judged; never more than the dry run announced."""
    old = {_key(row): row for row in RouterImportRow.objects.filter(run=run)}
    rows = [row for row in fresh if _key(row) in old]
    rows_judge(run, rows, choices, now=now)
    for row in rows:
        if row.verdict == Verdict.ADOPT and old.pop(_key(row)).verdict != Verdict.ADOPT:
            row.verdict, row.reason, row.details = Verdict.SKIP, "not_announced", {}
        else:
            old.pop(_key(row), None)
    for gone in old.values():
        if gone.verdict == Verdict.ADOPT:
            gone.pk, gone.verdict, gone.reason, gone.details = None, Verdict.SKIP, "gone", {}
            rows.append(gone)
    for number, row in enumerate(rows, 1):
        row.number = number
    return rows


class _Applying:
    """One pass over the judged rows; remembers what it made."""

    def __init__(
        self, run: RouterImport, rows: list[RouterImportRow], choices: Iterable[RouterImportProfile],
        progress: Progress, now: datetime,
    ) -> None:  # fmt: skip
        self.run, self.rows, self.progress, self.now = run, rows, progress, now
        self.choices = {(choice.kind, choice.name): choice for choice in choices}
        self.made: dict[str, Any] = {"plans": [], "profiles": [], "batches": [], "subscriptions": [], "customers": []}
        self.done = 0

    def all(self) -> dict[str, Any]:
        profiles = {key: self._profile(*key, row) for key, row in self._profile_rows().items()}
        for key, (profile, plan) in profiles.items():
            kind, name = key
            mine = [
                row for row in self.rows
                if row.verdict == Verdict.ADOPT and row.profile == name and row.subject in {Subject.USER, Subject.SECRET}
                and KINDS[Subject(row.subject)] == kind
            ]  # fmt: skip
            if mine:
                self._logins(Logins(self.run, self.choices[key], profile, plan, mine, self.now))
        self._sales()
        return self.made

    def _profile_rows(self) -> dict[tuple[str, str], RouterImportRow]:
        """Profiles that are taken over, and known ones that logins are taken over with."""
        used = {(KINDS[Subject(row.subject)], row.profile) for row in self.rows
                if row.verdict == Verdict.ADOPT and row.subject in {Subject.USER, Subject.SECRET}}  # fmt: skip
        found: dict[tuple[str, str], RouterImportRow] = {}
        for row in self.rows:
            if row.subject in {Subject.PROFILE, Subject.PPP_PROFILE}:
                key = (str(KINDS[Subject(row.subject)]), row.name)
                if row.verdict == Verdict.ADOPT or (row.verdict == Verdict.OURS and key in used):
                    found[key] = row
        return found

    def _profile(self, kind: str, name: str, row: RouterImportRow) -> tuple[RouterProfile, Plan]:
        choice, values = self.choices[(kind, name)], row.values
        profile = RouterProfile.objects.filter(location=self.run.location, kind=kind, name=name).first()
        if profile is None:
            rules = {
                "rate_limit": values["rate_limit"], "shared_users": values["devices"], "address_pool": values["pool"],
                "session_timeout_seconds": values["session"], "idle_timeout_seconds": values["idle"],
                "keepalive_timeout_seconds": values["keepalive"],
            }  # fmt: skip
            profile = profile_adopt(
                location=self.run.location, kind=kind, name=name, router_id=row.router_id, rules=rules, now=self.now
            )
            self.made["profiles"].append(profile.pk)
            row.is_done = True
        known = Plan.objects.filter(publications__profile=profile).first()
        plan = known or choice.plan or self._plan(choice, values)
        if known is None:
            publication_adopt(plan, profile)
        return profile, plan

    def _plan(self, choice: RouterImportProfile, values: dict[str, Any]) -> Plan:
        is_hotspot = choice.kind == Kind.HOTSPOT
        try:
            plan = plan_create(
                actor=self.run.created_by, name=choice.plan_name, type=TYPES[choice.kind], price_sell=choice.price_sell,
                price_cost=choice.price_cost, rate_limit=values["rate_limit"], shared_users=values["devices"],
                duration_seconds=choice.duration_seconds if choice.use == LoginUse.VOUCHERS else None,
                idle_timeout_seconds=values["idle"], address_pool=values["pool"],
                keepalive_timeout_seconds=values["keepalive"] if is_hotspot else None,
                is_mac_locked=choice.is_mac_locked,
            )  # fmt: skip
        except DomainError as error:
            why = "; ".join(str(text) for text in error.fields.values()) or str(error.message)
            text = _("The plan for the profile “%(name)s” cannot be made: %(why)s")
            raise DomainError("import.plan", text % {"name": choice.name, "why": why}) from None
        self.made["plans"].append(plan.pk)
        return plan

    def _logins(self, logins: Logins) -> None:
        if logins.choice.use == LoginUse.VOUCHERS:
            self.made["batches"] += vouchers_adopt(logins)
        else:
            subscriptions, customers = services_adopt(
                logins, today=clock.local_date(self.run.location.timezone, self.now)
            )
            self.made["subscriptions"] += subscriptions
            self.made["customers"] += customers
        for row in logins.rows:
            row.is_done = True
        self._tick(len(logins.rows))

    def _sales(self) -> None:
        rows = [row for row in self.rows if row.subject == Subject.SALE and row.verdict == Verdict.ADOPT]
        ImportedSale.objects.bulk_create([_sale(self.run, row) for row in rows], batch_size=2000)
        for row in rows:
            row.is_done = True
        self._tick(len(rows))

    def _tick(self, count: int) -> None:
        self.done += count
        self.progress.tick(min(self.done, self.run.total))


def _sale(run: RouterImport, row: RouterImportRow) -> ImportedSale:
    values = row.values
    return ImportedSale(
        run=run, location_id=run.location_id, sold_at=datetime.fromisoformat(values["sold_at"]), user=row.name[:64],
        price=values["price"], profile=row.profile[:64], validity=values["validity"], comment=values["comment"],
        mac_address=values["mac"], fingerprint=values["fingerprint"],
    )  # fmt: skip
