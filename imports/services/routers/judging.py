"""What becomes of every row of a router, and why. Reads the database once, then judges row by row; changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from billing import rate_limit
from billing.choices import SubscriptionStatus
from billing.models import Plan, PlanLocation, Subscription
from core.errors import DomainError
from core.installation import installation
from customers.models import Customer
from imports.choices import LoginUse, Subject, Verdict
from imports.models import ImportedSale, RouterImport, RouterImportProfile, RouterImportRow
from imports.routers.comments import Person, person_read
from imports.routers.mikhmon import end_read, is_mark
from locations.choices import Kind
from locations.models import AccessAccount, RouterProfile
from locations.routeros.values import is_ours
from vouchers.models import Voucher

KINDS = {
    Subject.PROFILE: Kind.HOTSPOT, Subject.USER: Kind.HOTSPOT, Subject.PPP_PROFILE: Kind.PPP, Subject.SECRET: Kind.PPP,
}  # fmt: skip
NAME, CODE, PASSWORD, RATE, POOL = 64, 40, 64, 120, 64  # what our columns hold
OURS_PREFIX = "mb:"
Judgement = tuple[Verdict, str, dict[str, Any]]


@dataclass
class World:
    """What the database knows about the names on this router."""

    zone: str
    now: datetime
    tag: str
    is_sales_wanted: bool
    choices: Mapping[tuple[str, str], RouterImportProfile]
    accounts: set[tuple[str, str]] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    services: set[tuple[str, str]] = field(default_factory=set)
    profiles: dict[tuple[str, str], RouterProfile] = field(default_factory=dict)
    plans: dict[int, Plan] = field(default_factory=dict)  # by profile id
    sales: set[str] = field(default_factory=set)
    phones: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    people: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    found: set[tuple[str, str]] = field(default_factory=set)  # profiles on the router that can be used
    seen_sales: set[str] = field(default_factory=set)


def rows_judge(
    run: RouterImport, rows: Sequence[RouterImportRow], choices: Iterable[RouterImportProfile], *, now: datetime
) -> None:
    """Write verdict, reason and details into every row (not saved)."""
    world = _world(run, rows, choices, now)
    for row in rows:
        row.verdict, row.reason, row.details = _JUDGES[Subject(row.subject)](row, world)
        if row.subject in {Subject.PROFILE, Subject.PPP_PROFILE} and row.verdict in {Verdict.ADOPT, Verdict.OURS}:
            world.found.add((KINDS[Subject(row.subject)], row.name))


def _world(
    run: RouterImport, rows: Sequence[RouterImportRow], choices: Iterable[RouterImportProfile], now: datetime
) -> World:
    names = {row.name for row in rows if row.subject in {Subject.USER, Subject.SECRET}}
    here = run.location_id
    world = World(
        run.facts.get("zone", "UTC"), now, installation().tag, run.is_sales_wanted,
        {(choice.kind, choice.name): choice for choice in choices},
    )  # fmt: skip
    world.accounts = set(AccessAccount.objects.filter(location=here).values_list("kind", "name"))
    world.codes = set(Voucher.objects.filter(code__in=names).values_list("code", flat=True))
    living = Subscription.objects.filter(location=here).exclude(status=SubscriptionStatus.ENDED)
    world.services = {
        (Kind.PPP if kind == "pppoe" else kind, name) for kind, name in living.values_list("type", "username")
    }
    world.profiles = {(row.kind, row.name): row for row in RouterProfile.objects.filter(location=here)}
    links = PlanLocation.objects.filter(location=here).select_related("plan")
    world.plans = {link.profile_id: link.plan for link in links}
    world.sales = set(ImportedSale.objects.filter(location=here).values_list("fingerprint", flat=True))
    _know_people(world, rows, here)
    return world


def _know_people(world: World, rows: Sequence[RouterImportRow], location_id: int) -> None:
    """Customers by phone, and those of this location by name where nobody else there is called the same."""
    people = [person_of(row) for row in rows if row.subject in {Subject.USER, Subject.SECRET}]
    living = Customer.objects.filter(merged_into=None, erased_at=None).order_by("-pk")
    phones = living.filter(phone__in={one.phone for one in people} - {""})
    world.phones = {
        phone: (pk, name, number) for pk, name, number, phone in phones.values_list("pk", "name", "number", "phone")
    }
    twice: set[str] = set()
    for pk, name, number in living.filter(location=location_id).values_list("pk", "name", "number"):
        key = name.casefold()
        twice |= {key} & set(world.people)
        world.people[key] = (pk, name, number)
    for key in twice:
        del world.people[key]


def person_of(row: RouterImportRow) -> Person:
    """Whose login it is; marks and dates of other programs say nothing about that."""
    comment = str(row.values.get("comment", ""))
    is_machine = is_mark(comment) or comment.startswith(OURS_PREFIX) or end_read(comment, "UTC") is not None
    return person_read("" if is_machine else comment, row.name)


# --- profiles ---------------------------------------------------------------------------------------------------------


def _profile(row: RouterImportRow, world: World) -> Judgement:
    kind = KINDS[Subject(row.subject)]
    known = world.profiles.get((kind, row.name))
    if known is not None:
        plan = world.plans.get(known.pk)
        return Verdict.OURS, "profile_known" if plan else "profile_other", {"plan": plan.name if plan else ""}
    choice = world.choices.get((kind, row.name))
    if choice is None or choice.use == LoginUse.LEAVE:
        return Verdict.SKIP, "left", {}
    values = row.values
    if not row.name or len(row.name) > NAME or len(values["pool"]) > POOL or len(values["rate_limit"]) > RATE:
        return Verdict.PROBLEM, "profile_long", {}
    if values["devices"] is None or not 1 <= values["devices"] <= 1000:
        return Verdict.PROBLEM, "devices", {}
    try:
        rate_limit.normalise(values["rate_limit"])
    except DomainError as error:
        return Verdict.PROBLEM, "rate_limit", {"text": values["rate_limit"][:RATE], "why": str(error.message)}
    if choice.plan is not None:
        return Verdict.ADOPT, "plan_existing", {"plan": choice.plan.name}
    return Verdict.ADOPT, "plan_new", {"plan": choice.plan_name}


# --- logins -----------------------------------------------------------------------------------------------------------


def _login(row: RouterImportRow, world: World) -> Judgement:
    kind, values = KINDS[Subject(row.subject)], row.values
    if values["is_own"]:
        return Verdict.STAYS, "routers_own", {}
    if is_ours(values["comment"], world.tag) or (kind, row.name) in world.accounts | world.services:
        return Verdict.OURS, "known", {}
    if values["comment"].startswith(OURS_PREFIX):
        return Verdict.SKIP, "other_installation", {}
    problem = _unusable(row)
    if problem is not None:
        return problem
    choice = world.choices.get((kind, row.profile))
    if choice is None:
        return Verdict.PROBLEM, "no_profile", {"profile": row.profile[:NAME]}
    if choice.use == LoginUse.LEAVE:
        return Verdict.SKIP, "left", {}
    if (kind, row.profile) not in world.found:
        return Verdict.PROBLEM, "profile_problem", {"profile": row.profile[:NAME]}
    if row.subject == Subject.SECRET and (refusal := _unfit_secret(values)):
        return refusal
    return _voucher(row, world) if choice.use == LoginUse.VOUCHERS else _service(row, world)


def _unusable(row: RouterImportRow) -> Judgement | None:
    values = row.values
    if values["is_name_odd"]:
        return Verdict.PROBLEM, "odd_name", {}
    if not row.name or len(row.name) > NAME:
        return Verdict.PROBLEM, "long_name", {"most": NAME}
    if values["is_twice"]:
        return Verdict.PROBLEM, "twice", {}
    if values["twin"]:
        return Verdict.PROBLEM, "twin", {"other": values["twin"]}
    if row.secret is not None and (len(row.secret) > PASSWORD or "\ufffd" in row.secret):
        return Verdict.PROBLEM, "long_password", {"most": PASSWORD}
    return None


def _unfit_secret(values: Mapping[str, Any]) -> Judgement | None:
    if values["service"] not in {"any", "pppoe"}:
        return Verdict.SKIP, "other_service", {"service": values["service"]}
    if values["is_address_odd"]:
        return Verdict.PROBLEM, "odd_address", {}
    if values["is_caller_odd"]:
        return Verdict.PROBLEM, "odd_caller", {}
    return None


def _voucher(row: RouterImportRow, world: World) -> Judgement:
    values = row.values
    if row.secret is None:
        return Verdict.PROBLEM, "no_password", {}
    if len(row.name) > CODE:
        return Verdict.PROBLEM, "long_name", {"most": CODE}
    if row.name in world.codes:
        return Verdict.PROBLEM, "code_known", {}
    end = end_read(values["comment"], world.zone)
    if end is not None and end <= world.now:
        return Verdict.SKIP, "over", {"at": end.isoformat()}
    limit = values["limit_uptime"]
    if limit is not None and values["uptime"] >= limit:
        return Verdict.SKIP, "used_up", {}
    life = voucher_life(row, world.choices[(Kind.HOTSPOT, row.profile)], zone=world.zone, now=world.now)
    if life.used_at is None:
        return Verdict.ADOPT, "voucher_new", {}
    if life.valid_until is not None and life.valid_until <= world.now:
        return Verdict.SKIP, "over", {"at": life.valid_until.isoformat()}
    return Verdict.ADOPT, "voucher_used", {"until": life.valid_until.isoformat() if life.valid_until else ""}


@dataclass(frozen=True)
class Life:
    """When a code was first used and until when it is good; neither: nobody used it yet."""

    used_at: datetime | None = None
    valid_until: datetime | None = None


def voucher_life(row: RouterImportRow, choice: RouterImportProfile, *, zone: str, now: datetime) -> Life:
    """From the end that Mikhmon wrote, less the validity; without one from the router's counter of online time.

    The counter says how long somebody was online, so the first login was at least that long ago.
    """
    end, validity = end_read(row.values["comment"], zone), choice.duration_seconds
    uptime = timedelta(seconds=row.values.get("uptime", 0))
    if end is not None:
        began = end - timedelta(seconds=validity) if validity else now - uptime
        return Life(min(began, now), end)
    if not uptime:
        return Life()
    used_at = now - min(uptime, timedelta(days=3660))
    return Life(used_at, used_at + timedelta(seconds=validity) if validity else None)


def _service(row: RouterImportRow, world: World) -> Judgement:
    person = person_of(row)
    known = customer_known(person, world.phones, world.people)
    details = {
        "person": person.name, "number": known[2] if known else "", "customer": known[0] if known else None,
        "phone": person.phone,
    }  # fmt: skip
    if row.secret is None:
        return Verdict.ADOPT, "service_blind", details
    return Verdict.ADOPT, "service_off" if row.values["disabled"] else "service", details


def customer_known(
    person: Person, phones: Mapping[str, tuple[int, str, str]], people: Mapping[str, tuple[int, str, str]]
) -> tuple[int, str, str] | None:
    """The customer with this phone number, else the only one of the location with this name."""
    if person.phone:
        return phones.get(person.phone)
    return people.get(person.name.casefold())


# --- the rest ---------------------------------------------------------------------------------------------------------


def _sale(row: RouterImportRow, world: World) -> Judgement:
    fingerprint = row.values["fingerprint"]
    if "sold_at" not in row.values:
        return Verdict.PROBLEM, "sale_unreadable", {}
    if fingerprint in world.sales:
        return Verdict.OURS, "sale_known", {}
    if not world.is_sales_wanted:
        return Verdict.SKIP, "sales_unwanted", {}
    if fingerprint in world.seen_sales:
        return Verdict.SKIP, "sale_twice", {}
    world.seen_sales.add(fingerprint)
    return Verdict.ADOPT, "sale", {"at": row.values["sold_at"], "price": row.values["price"]}


def _pool(row: RouterImportRow, world: World) -> Judgement:
    return Verdict.STAYS, "pool", {"ranges": row.values["ranges"]}


def _scheduler(row: RouterImportRow, world: World) -> Judgement:
    return Verdict.STAYS, "watchdog" if row.values["is_watchdog"] else "scheduler", {}


_JUDGES: dict[Subject, Callable[[RouterImportRow, World], Judgement]] = {
    Subject.PROFILE: _profile, Subject.PPP_PROFILE: _profile, Subject.USER: _login, Subject.SECRET: _login,
    Subject.SALE: _sale, Subject.POOL: _pool, Subject.SCHEDULER: _scheduler,
}  # fmt: skip
