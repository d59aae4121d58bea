"""Taking over a router that Mikhmon ran: over real sockets, on the old and the new RouterOS, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from billing.ledger.checking import ledger_check
from billing.models import Invoice, JournalEntry, Plan, PlanLocation, Subscription
from billing.services.subscriptions import bills_bring_up
from core import clock
from core.errors import DomainError
from core.installation import installation
from customers.models import Customer
from imports.choices import LoginUse, RouterImportStatus, Verdict
from imports.models import ImportedSale, RouterImport, RouterImportProfile, RouterImportRow
from imports.services import (
    router_import_apply,
    router_import_choose,
    router_import_undo,
    router_scripts_give_back,
    router_scripts_retire,
)
from locations.emulator.router import BILLING_POLICIES
from locations.models import AccessAccount, RouterProfile
from locations.services import account_change, account_kick, location_compare
from locations.sync.batch import PASSWORD_LOST
from locations.sync.writer import location_run
from tests.integration.imports.mikhmon import pictures
from tests.integration.imports.moved import Moved, made
from tests.routers import emulated
from vouchers.models import Voucher, VoucherBatch
from vouchers.services import voucher_sell, vouchers_expire

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture(params=["6.49.17", "7.16.1"])
def moved(request: pytest.FixtureRequest) -> Iterator[Moved]:
    with emulated(version=request.param) as router:
        yield Moved(router, request.param)


def verdicts(run: RouterImport, *subjects: str) -> dict[str, tuple[str, str]]:
    rows = RouterImportRow.objects.filter(run=run, subject__in=subjects)
    return {row.name: (row.verdict, row.reason) for row in rows}


def test_the_dry_run_says_what_becomes_of_every_row_and_changes_nothing(moved: Moved) -> None:
    run = moved.run()
    assert (run.status, run.error, run.facts["has_passwords"], run.facts["zone"]) == (
        RouterImportStatus.CHECKED, "", True, "Asia/Jakarta",
    )  # fmt: skip
    assert verdicts(run, "user") == {
        "default-trial": (Verdict.STAYS, "routers_own"),
        "abc12": (Verdict.ADOPT, "voucher_new"),
        "abc13": (Verdict.ADOPT, "voucher_new"),
        "budi": (Verdict.ADOPT, "voucher_new"),
        "run01": (Verdict.ADOPT, "voucher_used"),
        "old01": (Verdict.SKIP, "over"),
        "satpam": (Verdict.SKIP, "left"),
        "ABC12": (Verdict.PROBLEM, "twin"),
        "x" * 65: (Verdict.PROBLEM, "long_name"),
    }
    assert verdicts(run, "profile") == {
        "default": (Verdict.SKIP, "left"),
        "1Hari": (Verdict.ADOPT, "plan_new"),
        "7Hari": (Verdict.ADOPT, "plan_new"),
        "staf": (Verdict.SKIP, "left"),
    }
    assert verdicts(run, "secret") == {
        "sri": (Verdict.ADOPT, "service"),
        "joko": (Verdict.ADOPT, "service_off"),
        "kantor": (Verdict.SKIP, "other_service"),
    }
    assert verdicts(run, "ppp_profile")["10M"] == (Verdict.ADOPT, "plan_new")
    assert verdicts(run, "sale") == {
        "lama1": (Verdict.ADOPT, "sale"), "lama2": (Verdict.ADOPT, "sale"),
        "broken-|-row": (Verdict.PROBLEM, "sale_unreadable"),
    }  # fmt: skip
    assert {"hs-pool": (Verdict.STAYS, "pool")}.items() <= verdicts(run, "pool").items()
    assert verdicts(run, "scheduler") == {
        "1Hari": (Verdict.STAYS, "watchdog"),
    }  # fmt: skip
    choices = {
        choice.name: (choice.use, choice.price_sell, choice.price_cost, choice.duration_seconds, choice.is_mac_locked)
        for choice in RouterImportProfile.objects.filter(run=run)
    }
    assert choices["1Hari"] == (LoginUse.VOUCHERS, Decimal(5000), Decimal(4000), 86_400, False)
    assert choices["7Hari"] == (LoginUse.VOUCHERS, Decimal(20_000), Decimal(0), 7 * 86_400, True)
    assert choices["staf"] == (LoginUse.LEAVE, Decimal(0), Decimal(0), None, False)
    assert choices["10M"] == (LoginUse.SERVICES, Decimal(0), Decimal(0), None, False)
    assert moved.is_untouched()
    assert made() == []


def test_applying_takes_over_what_was_announced_and_writes_nothing(moved: Moved) -> None:
    run = moved.applied()
    assert moved.is_untouched()
    vouchers = {
        v.code: (v.status, v.used_at, v.valid_until, v.plan.name) for v in Voucher.objects.select_related("plan")
    }
    began = moved.running - DAY
    assert vouchers == {
        "abc12": ("new", None, None, "1Hari"), "abc13": ("new", None, None, "1Hari"), "budi": ("new", None, None, "7Hari"),
        "run01": ("active", began, moved.running, "1Hari"),
    }  # fmt: skip
    assert {batch.name: batch.quantity for batch in VoucherBatch.objects.all()} == {
        "vc-123-01.02.24-warung": 2, "up-456-02.02.24-": 1, "1Hari from Pos 1": 1,
    }  # fmt: skip
    there = {row["name"]: row for row in moved.router.rows("/ip/hotspot/user") + moved.router.rows("/ppp/secret")}
    accounts = {account.name: account for account in AccessAccount.objects.select_related("profile")}
    assert set(accounts) == {"abc12", "abc13", "budi", "run01", "sri", "joko"}
    for name, account in accounts.items():
        row = there[name]
        assert (account.is_synced, account.router_id, account.secret, account.profile.name, account.kept_comment) == (
            True, row[".id"], row["password"], row["profile"], row["comment"],
        )  # fmt: skip
    assert accounts["run01"].epoch_uptime_seconds == 600
    assert accounts["run01"].first_login_at == began
    services = {s.username: s for s in Subscription.objects.select_related("customer", "plan", "account")}
    sri, joko = services["sri"], services["joko"]
    assert (sri.customer.name, sri.customer.phone, sri.status, sri.account) == (
        "Bu Sri", "+6281234567890", "active", accounts["sri"],
    )  # fmt: skip
    assert (joko.customer.name, joko.status, joko.static_address, joko.mac_address, joko.account) == (
        "Pak Joko", "paused", "10.0.0.77", "AA:BB:CC:DD:EE:01", accounts["joko"],
    )  # fmt: skip
    assert {s.billed_until for s in services.values()} == {moved.today() + 10 * DAY}
    assert not Invoice.objects.exists()
    assert list(ImportedSale.objects.order_by("user").values_list("user", "price", "sold_at")) == [
        ("lama1", Decimal(5000), moved.sold), ("lama2", Decimal(5001), moved.sold),
    ]  # fmt: skip
    assert not JournalEntry.objects.exists()  # old sales are history, not income
    assert ledger_check().findings == {}
    assert not RouterImportRow.objects.filter(run=run, secret__isnull=False).exists()


def test_the_writer_finds_nothing_to_do_afterwards(moved: Moved) -> None:
    moved.applied()
    result = location_run(moved.location.pk)
    assert result.problem == ""
    assert moved.is_untouched()
    state = moved.location.state
    state.refresh_from_db()
    assert {key: state.drift[key] for key in ("missing", "different", "conflicts", "extra")} == {
        "missing": 0, "different": 0, "conflicts": 0, "extra": 0,
    }  # fmt: skip


def test_undo_leaves_nothing_of_it_and_the_router_as_it_was(moved: Moved) -> None:
    run = moved.applied()
    location_run(moved.location.pk)
    router_import_undo(run, actor=moved.boss)
    moved.work(run)
    assert (run.status, run.error) == (RouterImportStatus.UNDONE, "")
    for model in (
        AccessAccount,
        RouterProfile,
        Voucher,
        VoucherBatch,
        Subscription,
        Customer,
        PlanLocation,
        Plan,
        ImportedSale,
    ):
        assert not model._default_manager.exists(), model
    assert moved.is_untouched()
    again = moved.run("k2")  # everything can be taken over anew
    assert verdicts(again, "user")["abc12"] == (Verdict.ADOPT, "voucher_new")


def logged_in(moved: Moved, code: str) -> None:
    moved.router.hotspot_login(code, code, "02:00:00:00:00:09")
    moved.router.advance(60)
    location_run(moved.location.pk, is_forced=True)


def test_what_moved_on_stays_with_its_reason_and_the_rest_is_undone(moved: Moved) -> None:
    run = moved.applied()
    voucher_sell(Voucher.objects.get(code="abc13"), actor=None, request_key="sold")
    logged_in(moved, "abc12")
    account_kick(AccessAccount.objects.get(name="budi"), actor=None)
    router_import_undo(run, actor=moved.boss)
    moved.work(run)
    assert (run.status, bool(run.error)) == (RouterImportStatus.APPLIED, True)
    done = RouterImportRow.objects.filter(run=run, is_done=True, subject="user")
    assert dict(done.values_list("name", "reason")) == {
        "abc12": "kept_used", "abc13": "kept_sold", "budi": "kept_changed",
    }  # fmt: skip
    assert sorted(Voucher.objects.values_list("code", flat=True)) == ["abc12", "abc13", "budi"]
    assert sorted(AccessAccount.objects.values_list("name", flat=True)) == ["abc12", "abc13", "budi"]
    assert sorted(Plan.objects.values_list("name", flat=True)) == ["1Hari", "7Hari"]
    assert not Subscription.objects.exists()
    assert not Customer.objects.exists()
    assert {batch.name: batch.quantity for batch in VoucherBatch.objects.all()} == {
        "vc-123-01.02.24-warung": 2, "up-456-02.02.24-": 1,
    }  # fmt: skip


def test_a_billed_service_stays(moved: Moved) -> None:
    run = moved.applied()
    sri = Subscription.objects.get(username="sri")
    bills_bring_up(sri, sri.billed_until or moved.today(), now=moved.now)
    router_import_undo(run, actor=moved.boss)
    moved.work(run)
    assert list(Subscription.objects.values_list("username", flat=True)) == ["sri"]
    assert list(Customer.objects.values_list("name", flat=True)) == ["Bu Sri"]
    row = RouterImportRow.objects.get(run=run, name="sri")
    assert (row.reason, row.is_done) == ("kept_billed", True)


def test_a_first_login_starts_the_time_and_leaves_comment_and_counters_alone(moved: Moved) -> None:
    moved.applied()
    logged_in(moved, "abc12")
    voucher = Voucher.objects.get(code="abc12")
    assert voucher.status == "active"
    assert voucher.used_at is not None
    assert voucher.valid_until == voucher.used_at + DAY
    row = moved.router.rows("/ip/hotspot/user", name="abc12")[0]
    before = next(one for one in moved.before["/ip/hotspot/user"] if one["name"] == "abc12")
    assert row == before


def test_an_end_takes_the_entry_off_the_router_whatever_its_comment_says(moved: Moved) -> None:
    moved.applied()
    assert vouchers_expire(now=moved.running + timedelta(seconds=1)) == 1
    location_run(moved.location.pk, is_forced=True)
    assert moved.router.rows("/ip/hotspot/user", name="run01") == []
    assert not AccessAccount.objects.filter(name="run01").exists()


def test_what_the_routers_own_scripts_remove_or_end_is_not_put_back(moved: Moved) -> None:
    moved.applied()
    location_run(moved.location.pk)
    router = moved.router
    gone, ended = (router.rows("/ip/hotspot/user", name=name)[0][".id"] for name in ("abc12", "abc13"))
    router.command("/ip/hotspot/user/remove", {".id": gone})
    router.command("/ip/hotspot/user/set", {".id": ended, "limit-uptime": "1s", "comment": "jan/02/2026 10:00:00"})
    location_compare(moved.location, now=clock.now(), repairs=True, actor=None)
    location_run(moved.location.pk, is_forced=True)
    assert router.rows("/ip/hotspot/user", name="abc12") == []
    assert router.rows("/ip/hotspot/user", name="abc13")[0]["limit-uptime"] == "1s"
    assert AccessAccount.objects.get(name="abc12").hold == "drift"
    assert AccessAccount.objects.get(name="abc13").hold == ""


def test_after_a_reset_paid_codes_come_back(moved: Moved) -> None:
    moved.applied()
    location_run(moved.location.pk)
    moved.router.factory_reset()
    location_compare(moved.location, now=clock.now(), actor=None)
    location_run(moved.location.pk, is_forced=True)  # the kept connection is gone with the old configuration
    location_run(moved.location.pk, is_forced=True)
    row = moved.router.rows("/ip/hotspot/user", name="budi")[0]
    assert (row["password"], row["profile"], row["comment"]) == ("rahasia", "7Hari", "up-456-02.02.24-")


def test_scripts_are_retired_and_given_back_letter_by_letter(moved: Moved) -> None:
    run = moved.applied()
    location_run(moved.location.pk)
    assert router_scripts_retire(run, actor=moved.boss) == 4
    location_run(moved.location.pk, is_forced=True)
    users = {row["name"]: row for row in moved.router.rows("/ip/hotspot/user")}
    for account in AccessAccount.objects.filter(name__in=["abc12", "abc13", "budi", "run01"]):
        assert (account.is_synced, users[account.name]["comment"]) == (True, f"mb:{installation().tag}:{account.tag}")
    profiles = {row["name"]: row for row in moved.router.rows("/ip/hotspot/user/profile")}
    assert {name: profiles[name].get("on-login", "") for name in ("1Hari", "7Hari")} == {"1Hari": "", "7Hari": ""}
    assert users["satpam"]["comment"] == "pos depan"
    with pytest.raises(DomainError, match="Give the router's own scripts back first"):
        router_import_undo(run, actor=moved.boss)
    assert router_scripts_give_back(run, actor=moved.boss) == 4
    location_run(moved.location.pk, is_forced=True)
    changed = dict(pictures(moved.router))
    for row in changed["/ip/hotspot/user"]:
        if row["name"] == "run01":  # its paid time is written there as a limit while ours
            row.pop("limit-uptime", None)
    assert changed == moved.before
    run.refresh_from_db()
    router_import_undo(run, actor=moved.boss)
    moved.work(run)
    assert (run.status, run.error) == (RouterImportStatus.UNDONE, "")
    assert not AccessAccount.objects.exists()


def test_without_the_right_to_read_passwords_codes_stay_and_services_come_blind() -> None:
    policies = tuple(one for one in BILLING_POLICIES if one != "sensitive")
    with emulated(version="7.16.1", policies=policies) as router:
        moved = Moved(router, "7.16.1")
        run = moved.run()
        assert run.facts["has_passwords"] is False
        assert verdicts(run, "user")["abc12"] == (Verdict.PROBLEM, "no_password")
        assert verdicts(run, "secret")["sri"] == (Verdict.ADOPT, "service_blind")
        moved = _apply_blind(moved, run)
        account = AccessAccount.objects.get(name="sri")
        assert (account.is_password_kept, account.password, account.is_synced) == (True, None, True)
        _still_the_routers_password(moved, account)


def _apply_blind(moved: Moved, run: RouterImport) -> Moved:
    router_import_choose(run, billed_from=moved.today(), actor=moved.boss)
    moved.work(run)
    router_import_apply(run, actor=moved.boss)
    moved.work(run)
    assert (run.status, run.error) == (RouterImportStatus.APPLIED, "")
    assert moved.is_untouched()
    return moved


def _still_the_routers_password(moved: Moved, account: AccessAccount) -> None:
    account_kick(account, actor=None)
    location_run(moved.location.pk, is_forced=True)
    assert moved.router.rows("/ppp/secret", name="sri")[0]["password"] == "s3cret"
    moved.router.command("/ppp/secret/remove", {".id": account.router_id})
    location_compare(moved.location, now=clock.now(), repairs=True, actor=None)
    location_run(moved.location.pk, is_forced=True)
    account_kick(account, actor=None)  # somebody presses a button: still no entry without a password
    location_run(moved.location.pk, is_forced=True)
    assert moved.router.rows("/ppp/secret", name="sri") == []
    account.refresh_from_db()
    assert (account.hold, account.router_words) == ("refused", PASSWORD_LOST)
    account_change(account, password="anew1234")
    location_run(moved.location.pk, is_forced=True)
    row = moved.router.rows("/ppp/secret", name="sri")[0]
    assert (row["password"], row["profile"]) == ("anew1234", "10M")
