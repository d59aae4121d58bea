"""Who may open what: every address of the product, walked by everybody.

The rules come from one place each: `accounts.roles` says what a role may do, `action_permissions` what an action of
the API needs, and the table OTHERS below classifies the rest. A new address that falls under no rule fails here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.choices import Role
from accounts.models import User
from accounts.roles import PERMISSIONS
from billing.models import Adjustment, Agent, CashShift, Expense, ExpenseCategory
from billing.reports.catalogue import REPORTS
from billing.services.adjustments import adjustment_ask
from billing.services.agents import agent_create
from billing.services.cash import shift_open
from billing.services.expenses import expense_write
from core.api.views import RoomViewSet
from core.settings_registry import sync_settings
from imports.models import ImportRun, RouterImport
from imports.services import import_start, router_import_start
from locations.models import (
    AccountUsage,
    ConfigBackup,
    ConfigVersion,
    InterfaceTraffic,
    LocationChoice,
    LocationGroup,
    ProfileRollout,
    RouterAlert,
    RouterEntry,
    RouterSession,
    SessionKick,
    SessionRecord,
)
from locations.models.configs import packed
from locations.services import (
    AccessReport,
    entry_put,
    group_put,
    location_choose,
    profile_rollout_start,
    sessions_kick,
)
from locations.sync.sessions import record_of, records_write
from locations.sync.usage import Growth, usage_add
from payments.models import Payment, Reversal
from payments.services import payment_receive_cash, reversal_ask
from tests.integration.api.conftest import MADE_AT, PASSWORD, House, Login
from tests.integration.api.walk import Address, addresses, admin_models, admin_rule

OPEN, STAFF = "open to everybody", "any member of staff"

# Addresses that are neither a standard admin page nor a view set: open, for staff, or for one permission.
OTHERS: dict[str, str] = {
    "root": OPEN, "favicon": OPEN, "set_language": OPEN,
    "schema": OPEN, "api-docs": OPEN, "api-redoc": OPEN, "api-nothing": OPEN,
    "auth-token": OPEN, "auth-refresh": OPEN, "auth-logout": OPEN, "auth-session": OPEN,
    "health:healthz": OPEN, "health:readyz": OPEN,
    "me": STAFF, "health": "locations.view_location",
    "admin:router_health": "locations.view_location", "admin:router_health_live": "locations.view_location",
    "admin:login": OPEN, "admin:language": OPEN, "admin:logout": STAFF, "admin:index": STAFF, "admin:live": STAFF,
    "admin:password_change": STAFF, "admin:password_change_done": STAFF, "admin:autocomplete": STAFF,
    "admin:jsi18n": STAFF, "admin:view_on_site": STAFF, "admin:app_list": STAFF, "admin:search": STAFF,
    "admin:health": "core.view_health", "admin:ledger_check": "core.view_health",
    "admin:report_receivables_rows": "billing.view_reports", "admin:report_costs_rows": "billing.view_books",
    "admin:report_profit_parts": "billing.view_books", "admin:report_trial_balance_parts": "billing.view_books",
    "admin:report_shifts_parts": "billing.view_reports",
    **{
        f"{name}{more}": report.permission
        for report in REPORTS.values()
        for name, more in (
            (f"report-{report.name}", ""), (f"report-{report.name}", "-csv"),
            (f"admin:report_{report.name.replace('-', '_')}", ""),
        )
    },
    "admin:billing_tonight": "billing.manage_billingrun", "admin:billing_many": "billing.mass_subscription",
    "portal:pay": OPEN, "portal:pay_pdf": OPEN,
    "admin:router_connect": "locations.add_location",
    "admin:bulk_bills": "billing.bill_many", "admin:bulk_bill": "billing.bill_many",
    "admin:bulk_bill_cancel": "billing.bill_many",
    "own-agent": "billing.view_own_agent",
    "admin:payments_take_cash": "payments.take_cash", "admin:my_cash": "billing.use_cashshift",
    "admin:billing_adjust": "billing.add_adjustment", "admin:agent_stock": "vouchers.issue_stock",
    "admin:my_stock": "billing.view_own_agent", "admin:used_unsold": "billing.view_reports",
    "dashboard:home": STAFF, "dashboard:customers": "customers.view_customer",
    "dashboard:customer": "customers.view_customer", "dashboard:services": "customers.view_customer",
    "dashboard:sessions": "locations.view_accessaccount", "dashboard:talkers": "locations.view_accessaccount",
    "dashboard:traffic": "locations.view_location", "dashboard:interface_now": "locations.view_location",
    "dashboard:account_now": "locations.view_accessaccount",
    "dashboard:sessions_end": "locations.kick_accessaccount", "top-talkers": "locations.view_accessaccount",
    "dashboard:timeline": "customers.view_customer", "admin:dashboard": "customers.view_customer",
}  # fmt: skip
# pages of an admin beyond the standard five: the permission they need
ADMIN_PAGES: dict[str, str] = {
    "accounts_user_set_password": "accounts.change_user",
    "accounts_user_unlock": "accounts.unlock_user",
    "locations_accessaccount_kick": "locations.kick_accessaccount",
    "locations_accessaccount_disable": "locations.disable_accessaccount",
    "locations_accessaccount_enable": "locations.disable_accessaccount",
    "locations_accessaccount_adopt": "locations.adopt_accessaccount",
    "locations_accessaccount_remove": "locations.delete_accessaccount",
    "locations_accessaccount_live": "locations.view_accessaccount",
    "locations_location_certificate": "locations.view_location",
    "locations_location_access": "locations.change_location",
    "locations_location_tunnel": "locations.change_location",
    "locations_location_test_connection": "locations.test_location",
    "locations_location_retry": "locations.retry_location",
    "locations_location_accept_router": "locations.accept_router",
    "locations_location_configuration": "locations.view_configversion",
    "locations_location_server": "locations.set_up_server",
    "locations_location_drift": "locations.view_location",
    "locations_location_health": "locations.view_location",
    "locations_location_health_live": "locations.view_location",
    "locations_location_log": "locations.read_routerlog",
    "locations_location_ping": "locations.ping_location",
    "locations_location_reboot": "locations.reboot_location",
    "locations_location_confirm_reboot": "locations.confirm_reboot",
    "locations_location_cancel_reboot": "locations.reboot_location",
    "locations_accessaccount_open_now": "locations.open_accessaccount",
    "locations_accessaccount_switch": "locations.change_accessaccount",
    "locations_location_switch_off": "locations.change_location",
    "locations_location_switch_on": "locations.change_location",
    "billing_subscription_open_now": "locations.open_accessaccount",
    "locations_routerentry_adopt": "locations.adopt_accessaccount",
    "locations_routerentry_release": "locations.disable_accessaccount",
    "locations_routerentry_live": "locations.view_routerentry",
    "locations_profilerollout_cancel": "locations.change_profilerollout",
    "locations_profilerollout_live": "locations.view_profilerollout",
    "locations_locationgroup_live": "locations.view_locationgroup",
    "locations_locationchoice_live": "locations.view_locationchoice",
    "locations_accessaccount_compare": "locations.repair_location",
    "locations_location_add_staff": "locations.add_locationuser",
    "locations_location_live": "locations.view_location",
    "billing_plan_publish": "billing.publish_plan",
    "billing_plan_unpublish": "billing.publish_plan",
    "billing_plan_compare": "locations.repair_location",
    "billing_plan_live": "billing.view_plan",
    "customers_customer_note": "customers.change_customer",
    "customers_customer_consent": "customers.change_customer",
    "customers_customer_document": "customers.add_customerdocument",
    "customers_customer_merge": "customers.merge_customer",
    "customers_customer_merge_preview": "customers.merge_customer",
    "customers_customer_undo_merge": "customers.merge_customer",
    "customers_customer_erase": "customers.erase_customer",
    "customers_customer_live": "customers.view_customer",
    "customers_customerdocument_download": "customers.view_customerdocument",
    "customers_customerdocument_remove": "customers.delete_customerdocument",
    "customers_customerdocument_live": "customers.view_customerdocument",
    "billing_journalentry_live": "billing.view_journalentry",
    **{
        f"imports_routerimport_{step}": "imports.add_routerimport"
        for step in ("apply", "again", "retire", "give_back", "undo", "cancel", "choose")
    },
    "imports_routerimport_live": "imports.view_routerimport",
    "imports_routerimport_rows": "imports.view_routerimport",
    "imports_routerimport_csv": "imports.view_routerimport",
    "imports_importrun_apply": "imports.add_importrun",
    "imports_importrun_cancel": "imports.add_importrun",
    "imports_importrun_live": "imports.view_importrun",
    "imports_importrun_problems": "imports.view_importrun",
    "billing_plan_speed": "billing.publish_plan",
    **{
        f"billing_subscription_{step}": "billing.change_subscription"
        for step in (
            "activate",
            "resume",
            "pay_ahead",
            "prepay_terms",
            "change_plan",
            "change_terms",
            "change_login",
            "add_addon",
            "add_charge",
            "enter_coupon",
            "end_addon",
            "bill_charge",
            "drop_charge",
            "end_coupon",
            "pause",
            "move",
            "cancel_plan_change",
        )
    },
    "billing_subscription_promise": "billing.promise_subscription",
    "billing_subscription_cancel_promise": "billing.promise_subscription",
    "billing_subscription_isolate": "billing.isolate_subscription",
    "billing_subscription_end": "billing.end_subscription",
    "billing_subscription_live": "billing.view_subscription",
    "billing_billingrun_cancel": "billing.manage_billingrun",
    "billing_billingrun_again": "billing.manage_billingrun",
    "billing_billingrun_live": "billing.view_billingrun",
    "billing_invoice_use_balance": "payments.take_cash",
    "billing_invoice_issue": "billing.add_invoice",
    "billing_invoice_change_draft": "billing.prepare_invoice",
    "billing_invoice_discard": "billing.prepare_invoice",
    "billing_invoice_credit": "billing.credit_invoice",
    "billing_invoice_void": "billing.void_invoice",
    "billing_invoice_bill_again": "billing.void_invoice",
    "billing_invoice_write_off": "billing.write_off_invoice",
    "billing_invoice_pdf": "billing.view_invoice",
    "billing_invoice_live": "billing.view_invoice",
    "payments_payment_refund": "payments.refund_payment",
    "payments_payment_cancel": "payments.cancel_payment",
    "payments_payment_reverse": "payments.reverse_payment",
    "payments_reversal_approve": "payments.approve_reversal",
    "payments_reversal_reject": "payments.approve_reversal",
    "payments_payment_live": "payments.view_payment",
    "billing_cashshift_count": "billing.use_cashshift",
    "billing_cashshift_hand_over": "billing.use_cashshift",
    "billing_expense_reverse": "billing.reverse_expense",
    "billing_adjustment_approve": "billing.approve_adjustment",
    "billing_adjustment_reject": "billing.approve_adjustment",
    "billing_agent_deposit": "billing.take_deposit",
    "billing_agent_pay_out": "billing.take_deposit",
    "vouchers_voucherbatch_print": "vouchers.print_voucher",
    "vouchers_voucherbatch_csv": "vouchers.print_voucher",
    "vouchers_voucherbatch_cancel": "vouchers.cancel_voucherbatch",
    "vouchers_voucherbatch_live": "vouchers.view_voucherbatch",
    "vouchers_voucher_undo_sale": "vouchers.undo_vouchersale",
    "vouchers_voucher_sell": "vouchers.sell_voucher",
    "vouchers_voucher_extend": "vouchers.extend_voucher",
    "vouchers_voucher_move": "vouchers.move_voucher",
    "vouchers_voucher_void": "vouchers.void_voucher",
    "vouchers_voucher_live": "vouchers.view_voucher",
}
SCOPED = {
    "locations_routerentry", "locations_profilerollout", "locations_locationgroup", "locations_locationchoice",
    "billing_plan", "billing_invoice", "billing_subscription", "billing_billingrun",
    "vouchers_voucher", "vouchers_voucherbatch", "locations_location",
    "locations_accessaccount", "customers_customer", "customers_customerdocument", "billing_journalentry",
    "payments_payment", "payments_reversal", "billing_cashshift", "billing_expense", "billing_adjustment",
}  # fmt: skip
EVERYBODYS = {"payment-method-detail", "expense-category-detail"}  # of the house, not of a place
WRITTEN_DOWN = {"vouchers_voucherbatch_print", "vouchers_voucherbatch_csv"}  # reading codes goes into the log
NEVER_WALKED = {"admin:logout"}  # would end the walker's own session


@dataclass
class WalkedHouse(House):
    """With money in it, and somebody who sells."""

    seller: User  # the login of an agent with nothing in his stock
    agent: Agent
    payment: Payment
    shift: CashShift
    expense: Expense
    adjustment: Adjustment  # waits for a second person
    reversal: Reversal  # of a second payment; waits for a second person


@pytest.fixture
def house(house: House) -> WalkedHouse:
    agent = agent_create(username="dewi", password=PASSWORD, name="Warung Dewi", actor=None)
    payment = payment_receive_cash(
        customer=house.customer, amount=50_000, request_key="house-payment", now=MADE_AT, actor=house.operator
    )
    shift = shift_open(counted=70_000, now=MADE_AT, actor=house.operator)
    expense = expense_write(
        category=ExpenseCategory.objects.create(code="fuel", name="Fuel"), amount=20_000, spent_on=MADE_AT.date(),
        paid_from="bank:bca", now=MADE_AT, actor=house.admin, request_key="house-expense", location=house.here,
    )  # fmt: skip
    adjustment = adjustment_ask(
        customer=house.customer, amount=600_000, reason="outage", request_key="house-fix", now=MADE_AT,
        actor=house.operator,
    )  # fmt: skip
    large = payment_receive_cash(
        customer=house.customer, amount=600_000, request_key="house-large", now=MADE_AT, actor=house.operator
    )
    reversal = reversal_ask(
        large, reason="entered twice", request_key="house-back", now=MADE_AT, actor=house.operator
    )  # fmt: skip
    group = group_put(None, name="Walk", locations=[house.here], actor=None)
    location_choose(group, now=MADE_AT, subject="walk:1")
    kept = ConfigVersion.objects.create(
        location=house.here, number=1, packed=packed(["/snmp set enabled=yes"]), line_count=1, size=22,
        taken_at=MADE_AT, seen_at=MADE_AT,
    )  # fmt: skip
    ConfigBackup.objects.create(
        location=house.here, reason="asked", status="taken", requested_at=MADE_AT, finished_at=MADE_AT, version=kept
    )
    RouterAlert.objects.create(location=house.here, kind="clock", since=MADE_AT, told_at=MADE_AT)
    entry_put(location=house.here, kind="address_list", words={"list": "vip", "address": "10.1.1.1"}, tag="a")
    profile_rollout_start(house.account.profile, mode="next_login", now=MADE_AT)
    session = RouterSession.objects.create(
        location=house.here, kind="hotspot", router_id="*1", name=house.account.name, account=house.account,
        started_at=MADE_AT, seen_at=MADE_AT,
    )  # fmt: skip
    sessions_kick([session], actor=None, now=MADE_AT)
    records_write([record_of(session, MADE_AT, "ended")])
    usage_add(house.here.pk, [Growth("hotspot", house.account.name, 1, 2, 3)], MADE_AT)
    AccountUsage.objects.filter(period="month").delete()
    InterfaceTraffic.objects.create(location=house.here, name="ether1", seen_at=MADE_AT)
    import_start(content=b"nama\nA\n", filename="walk.csv", actor=house.admin, request_key="walk")
    router_import_start(location=house.here, actor=house.admin, request_key="walk")
    return WalkedHouse(**vars(house), seller=agent.user, agent=agent, payment=payment, shift=shift, expense=expense,
                       adjustment=adjustment, reversal=reversal)  # fmt: skip


READS = {"GET"}
NO_BODY: dict[str, Any] = {}


def may(user: User, permission: str) -> bool:
    """By the table, not by the code under test."""
    return user.role == Role.SUPER_ADMIN or permission in {OPEN, STAFF} | PERMISSIONS[Role(user.role)]


def people(house: WalkedHouse) -> list[User]:
    return [house.operator, house.outsider, house.admin, house.super_admin, house.seller]


def is_stranger(house: WalkedHouse, user: User) -> bool:
    """Nothing of this house is his: staff of another place, an agent without stock."""
    return user in {house.outsider, house.seller}


def snapshot() -> dict[str, list[Any]]:
    """Every row of the rooms; what reading may write (counters, tokens, sessions, logs of faults) is left out."""
    skipped = {"CacheEntry", "SlowQuery", "ErrorRecord", "JobRun"}
    return {
        model._meta.label: sorted(map(str, model.objects.values_list()))
        for room in ("accounts", "locations", "customers", "billing", "payments", "vouchers", "imports", "core")
        for model in apps.get_app_config(room).get_models()
        if model.__name__ not in skipped
    }


def test_every_address_is_classified() -> None:
    unknown = [
        f"{address.name} {address.route}"
        for address in addresses()
        if admin_rule(address) is None
        and address.name not in OTHERS
        and address.name.removeprefix("admin:") not in ADMIN_PAGES
        and not _is_admin_leftover(address)
        and not (address.is_api and issubclass(address.view_class, RoomViewSet))
    ]
    assert unknown == []


def _is_admin_leftover(address: Address) -> bool:
    """Django's redirect from `…/12/` to `…/12/change/` and its catch-all; both only ever redirect or answer 404."""
    return address.name == "admin" and address.route.endswith(("/<path:object_id>/", "(?P<url>.*)$"))


# --- the API ------------------------------------------------------------------------------------------------------


def api_actions() -> list[tuple[str, str, str, str]]:
    """(route name, method, action, permission) of every view set's action."""
    found = []
    for address in addresses():
        view = address.view_class
        if address.is_api and issubclass(view, RoomViewSet):
            for method, action in address.callback.actions.items():
                if method in view.http_method_names and method != "head":
                    found.append((address.name, method.upper(), action, view.action_permissions[action]))
    return sorted(set(found))


def api_objects(house: WalkedHouse) -> dict[str, int]:
    return {
        "plan": house.plan.pk, "batch": house.batch.pk, "voucher": house.voucher.pk,
        "subscription": house.subscription.pk, "run": house.run.pk,
        "location-group": LocationGroup.objects.get().pk, "location-choice": LocationChoice.objects.get().pk,
        "router-alert": RouterAlert.objects.get().pk,
        "router-entry": RouterEntry.objects.get().pk, "speed-change": ProfileRollout.objects.get().pk,
        "config-version": ConfigVersion.objects.get().pk, "config-backup": ConfigBackup.objects.get(status="taken").pk,
        "location": house.here.pk, "account": house.account.pk, "customer": house.customer.pk,
        "journal": house.entry.pk,
        "posting": house.entry.postings.all()[0].pk,
        "contact": house.contact.pk, "invoice": house.invoice.pk,
        "payment": house.payment.pk, "payment-method": house.payment.method_id,
        "payment-reversal": house.reversal.pk,
        "router-import": RouterImport.objects.get().pk,
        "agent": house.agent.pk, "cash-shift": house.shift.pk, "expense": house.expense.pk,
        "expense-category": house.expense.category_id, "adjustment": house.adjustment.pk,
        "session": RouterSession.objects.get().pk, "past-session": SessionRecord.objects.get().pk,
        "session-end": SessionKick.objects.get().pk, "usage": AccountUsage.objects.get().pk,
        "interface": InterfaceTraffic.objects.get().pk,
    }  # fmt: skip


WITHOUT_ROW = {"run-tonight", "session-kick", "invoice-drafts", "location-connect"}


def _url(name: str, house: WalkedHouse) -> tuple[str, bool]:
    if name.endswith("-list") or name in WITHOUT_ROW:
        return reverse(name), False
    ids = api_objects(house)
    resource = max((known for known in ids if name.startswith(f"{known}-")), key=len)
    return reverse(name, args=[ids[resource]]), True


def _ask(client: Any, method: str, url: str) -> int:
    extra = {"HTTP_IDEMPOTENCY_KEY": "walk-0001"}
    kwargs: dict[str, Any] = {} if method in READS else {"data": NO_BODY, "format": "json"}
    answer = getattr(client, method.lower())(url, **kwargs, **extra)
    if answer.status_code >= 400:
        assert sorted(answer.json())[:3] == ["code", "fields", "message"], (method, url, answer.content)
    return int(answer.status_code)


# What an Operator may do over REST, written down a second time: a right loosened by mistake in the view fails here.
OPERATOR_MAY = {
    "plan-list GET", "plan-detail GET",
    "journal-list GET", "journal-detail GET", "posting-list GET", "posting-detail GET",
    "invoice-list GET", "invoice-detail GET", "invoice-pdf GET",
    "batch-list GET", "batch-list POST", "batch-detail GET", "batch-csv GET",
    "voucher-list GET", "voucher-detail GET", "voucher-events GET", "voucher-sell POST", "voucher-undo POST",
    "location-list GET", "location-detail GET", "location-sessions GET", "location-drift GET",
    "location-health GET", "router-alert-list GET", "router-alert-detail GET",
    "location-group-list GET", "location-group-detail GET", "location-group-preview GET",
    "location-choice-list GET", "location-choice-detail GET",
    "router-entry-list GET", "router-entry-detail GET", "router-entry-release POST",
    "speed-change-list GET", "speed-change-detail GET",
    "customer-list GET", "customer-list POST", "customer-detail GET", "customer-detail PATCH", "customer-note POST",
    "customer-contacts GET", "customer-contacts POST", "customer-consents GET", "customer-consents POST",
    "customer-documents GET", "customer-events GET", "contact-list GET", "contact-detail GET", "contact-detail PATCH",
    "account-list GET", "account-detail GET", "account-disable POST", "account-enable POST", "account-kick POST",
    "session-list GET", "session-detail GET", "session-kick POST", "past-session-list GET", "past-session-detail GET",
    "session-end-list GET", "session-end-detail GET", "usage-list GET", "usage-detail GET",
    "account-usage GET", "account-now GET",
    "interface-list GET", "interface-detail GET", "interface-history GET", "interface-now GET",
    "payment-list GET", "payment-list POST", "payment-detail GET", "payment-method-list GET", "payment-method-detail GET",
    "cash-shift-list GET", "cash-shift-list POST", "cash-shift-detail GET", "cash-shift-count POST",
    "cash-shift-hand-over POST", "invoice-use-balance POST",
    "invoice-drafts POST", "invoice-change-draft POST", "invoice-discard POST",
    "subscription-list GET", "subscription-list POST", "subscription-detail GET", "subscription-detail PATCH",
    "subscription-events GET", "subscription-activate POST", "subscription-pause POST", "subscription-resume POST",
    "subscription-change-plan POST", "subscription-change-plan-preview POST", "subscription-cancel-plan-change POST",
    "subscription-change-login POST", "subscription-pay-ahead POST", "subscription-pay-ahead-preview POST",
    "subscription-prepay-discounts POST",
    "subscription-move POST", "subscription-addon POST", "subscription-charge POST", "subscription-coupon POST",
    "subscription-end-addon POST", "subscription-bill-charge POST", "subscription-drop-charge POST",
    "subscription-end-coupon POST",
    "subscription-promise POST", "subscription-cancel-promise POST",
}  # fmt: skip
ONLY_ADMIN_MAY = {
    "plan-list POST", "plan-detail PATCH", "plan-publish POST", "plan-unpublish POST",
    "invoice-list POST", "invoice-issue POST", "invoice-credit-note POST", "invoice-void POST", "invoice-write-off POST",
    "invoice-bill-again POST", "invoice-bill-again-preview POST",
    "batch-cancel POST",
    "voucher-void POST", "voucher-extend POST", "voucher-move POST",
    "location-list POST", "location-detail PATCH", "location-test POST", "location-retry POST",
    "location-accept-router POST", "location-certificate POST", "location-trust-certificate POST",
    "location-check-access POST", "location-connect POST", "location-prepare-access POST", "location-tunnel GET",
    "location-issue-tunnel POST", "location-tunnel-key POST", "location-check-tunnel POST",
    "location-use-tunnel POST", "location-remove-tunnel POST",
    "location-compare POST", "location-repair POST",
    "config-version-list GET", "config-version-detail GET", "config-version-changes GET",
    "config-backup-list GET", "config-backup-detail GET",
    "account-adopt POST", "account-open-now POST", "account-switch POST",
    "location-switch-off POST", "location-switch-on POST",
    "location-group-list POST", "location-group-detail PATCH", "location-group-detail DELETE",
    "router-entry-adopt POST", "speed-change-list POST", "speed-change-cancel POST",
    "subscription-isolate POST", "subscription-end POST",
    "run-list GET", "run-detail GET", "run-cancel POST", "run-again POST", "run-tonight POST",
    "customer-merge POST", "customer-merge-undo POST", "customer-erase POST", "contact-detail DELETE",
    "payment-refund POST", "payment-cancel POST", "payment-reverse POST", "payment-reverse-preview GET",
    "payment-reversal-list GET", "payment-reversal-detail GET", "payment-reversal-approve POST",
    "payment-reversal-reject POST",
    "router-import-list GET", "router-import-list POST", "router-import-detail GET", "router-import-rows GET",
    "router-import-choose POST", "router-import-again POST", "router-import-apply POST", "router-import-undo POST",
    "router-import-cancel POST", "router-import-retire-scripts POST", "router-import-give-scripts-back POST",
    "agent-list GET", "agent-detail GET", "agent-deposit POST", "agent-pay-out POST",
    "expense-category-list GET", "expense-category-detail GET",
    "expense-list GET", "expense-list POST", "expense-detail GET", "expense-reverse POST",
    "adjustment-list GET", "adjustment-list POST", "adjustment-detail GET", "adjustment-approve POST",
    "adjustment-reject POST",
}  # fmt: skip


def test_what_each_role_may_do_over_rest() -> None:
    operator, admin = set(), set()
    for name, method, _action, permission in api_actions():
        operator |= {f"{name} {method}"} if permission in PERMISSIONS[Role.OPERATOR] else set()
        admin |= {f"{name} {method}"} if permission in PERMISSIONS[Role.ADMIN] else set()
    assert operator == OPERATOR_MAY
    assert admin == OPERATOR_MAY | ONLY_ADMIN_MAY


def test_every_action_of_the_api_names_a_permission_of_the_table() -> None:
    known = frozenset().union(*PERMISSIONS.values())
    actions = api_actions()
    assert len(actions) >= 29
    assert [row for row in actions if row[3] not in known] == []


@pytest.fixture
def _no_router(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk is about doors; what a router says is tested elsewhere."""
    from locations.services import LogView, TestResult, Watch  # at the top, pytest would take it for a test

    answer = TestResult(True, "", "answers")
    monkeypatch.setattr("locations.api.views.location_test", lambda _location: answer)
    monkeypatch.setattr("locations.api.views.certificate_look", lambda _location: None)
    report = AccessReport("u", "7.16", "g", None, [], (), "", (), (), False)
    monkeypatch.setattr("locations.api.views.access_check", lambda _location, **_who: report)
    for watch in ("interface_watch", "account_watch"):
        monkeypatch.setattr(f"locations.api.traffic.{watch}", lambda *_asked: Watch([], None))
    monkeypatch.setattr("locations.admin.looking.router_log", lambda _location, **_filters: LogView([], 0, 0, []))


@pytest.mark.usefixtures("_no_router")
def test_the_api_for_everybody(house: WalkedHouse, as_user: Login, anonymous: APIClient) -> None:
    clients = [(user, as_user(user)) for user in people(house)]
    before = snapshot()
    wrong = []
    for name, method, _action, permission in api_actions():
        url, is_object = _url(name, house)
        callers = [
            (None, anonymous, {401}),
            *((u, c, _expected(house, u, name, method, permission, is_object)) for u, c in clients),
        ]
        for caller, client, expected in callers:
            with undone():
                status = _ask(client, method, url)
                is_untouched = status < 400 or snapshot() == before
            if status not in expected or not is_untouched:
                wrong.append((getattr(caller, "username", "anonymous"), method, url, status, is_untouched))
    assert not wrong, "\n".join(map(str, wrong))


def _expected(house: WalkedHouse, user: User, name: str, method: str, permission: str, is_object: bool) -> set[int]:
    if not may(user, permission):
        return {403}
    if is_object and is_stranger(house, user) and name not in EVERYBODYS:
        return {404}
    # an empty body is refused by most commands, and the state by some: the door was open
    return {200, 201} if method in READS else {200, 201, 204, 400, 409}


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside is taken back, so that every caller meets the same house."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# --- everything else ----------------------------------------------------------------------------------------------


def other_addresses() -> list[tuple[str, str]]:
    return sorted({(a.name, OTHERS[a.name]) for a in addresses() if a.name in OTHERS and a.name not in NEVER_WALKED})


def _other_url(name: str) -> str:
    args: dict[str, list[Any]] = {
        "admin:view_on_site": [999999, 1], "admin:app_list": ["vouchers"],
        "portal:pay": ["no-such-bill"], "portal:pay_pdf": ["no-such-bill"],
        "admin:bulk_bill": [999999], "admin:bulk_bill_cancel": [999999],
        "admin:payments_take_cash": [999999],
        "admin:billing_adjust": [999999], "admin:agent_stock": [999999],
        "dashboard:customer": [999999], "dashboard:services": [999999], "dashboard:timeline": [999999],
        "dashboard:traffic": [999999], "dashboard:interface_now": [999999], "dashboard:account_now": [999999],
    }  # fmt: skip
    if name == "api-nothing":
        return "/api/v1/there-is-nothing/"
    return reverse(name, args=args.get(name, []))


def test_other_addresses(house: WalkedHouse) -> None:
    wrong = []
    for name, rule in other_addresses():
        url = _other_url(name)
        status, location = _open(Client(raise_request_exception=False), url)
        is_turned_away = status == 401 or location.startswith("/admin/login/")
        if is_turned_away == (rule == OPEN) or status >= 500:
            wrong.append(("anonymous", name, status, location))
        for user in people(house):
            with undone():
                client = Client(raise_request_exception=False)
                client.force_login(user)
                status, location = _open(client, url)
            allowed = {200, 302, 400, 404, 405} if may(user, rule) else {403}
            if name == "admin:autocomplete":
                allowed = {403}  # asks for a model's field; bare, it is refused to everybody
            if status not in allowed or location.startswith("/admin/login/"):
                wrong.append((user.username, name, status, location))
    assert not wrong, "\n".join(map(str, wrong))


def _open(client: Client, url: str, method: str = "get") -> tuple[int, str]:
    answer = getattr(client, method)(url)
    return answer.status_code, answer.headers.get("Location", "")


def admin_pages() -> list[tuple[str, str]]:
    return sorted({rule for address in addresses() if (rule := admin_rule(address))})


def _admin_object(house: WalkedHouse, label: str) -> Any:
    rows = {
        "vouchers_voucher": house.voucher, "vouchers_voucherbatch": house.batch, "billing_plan": house.plan,
        "billing_subscription": house.subscription, "billing_billingrun": house.run,
        "customers_customer": house.customer, "customers_customerdocument": house.document,
        "billing_invoice": house.invoice,
        "locations_routerentry": RouterEntry.objects.first(), "locations_profilerollout": ProfileRollout.objects.first(),
        "locations_locationgroup": LocationGroup.objects.first(),
        "locations_locationchoice": LocationChoice.objects.first(),
        "locations_location": house.here, "locations_accessaccount": house.account, "accounts_user": house.operator,
        "billing_journalentry": house.entry, "imports_importrun": ImportRun.objects.first(),
        "imports_routerimport": RouterImport.objects.first(),
        "payments_payment": house.payment, "billing_agent": house.agent, "billing_cashshift": house.shift,
        "billing_expense": house.expense, "billing_adjustment": house.adjustment,
        "payments_reversal": house.reversal,
    }  # fmt: skip
    return rows.get(label)


def test_admin_pages(house: WalkedHouse) -> None:
    """No page opens for a role without the right to see the model, and looking changes nothing."""
    sync_settings()  # as every installation has done before anybody looks
    clients = []
    for user in people(house):
        clients.append((user, Client(raise_request_exception=False)))
        clients[-1][1].force_login(user)
    before = snapshot()
    wrong = []
    for label, verb in admin_pages():
        row = _admin_object(house, label)
        is_object = verb in {"history", "delete", "change"}
        url = reverse(f"admin:{label}_{verb}", args=[row.pk if row else 999999] if is_object else [])
        status, location = _open(Client(raise_request_exception=False), url)
        if (status, location.split("?")[0]) != (302, "/admin/login/"):
            wrong.append(("anonymous", url, status, location))
        for user, client in clients:
            status, location = _open(client, url)
            is_fine = _is_fine(house, user, label, verb, row if is_object else None, is_object, status)
            if not is_fine or location.startswith("/admin/login/"):
                wrong.append((user.username, url, status, location))
        if snapshot() != before:
            wrong.append(("looking changed something", url))
            before = snapshot()
    assert not wrong, "\n".join(map(str, wrong))


def _is_fine(house: WalkedHouse, user: User, label: str, verb: str, row: Any, is_object: bool, status: int) -> bool:
    app, model = label.split("_", 1)
    if not may(user, f"{app}.view_{model}"):
        # an object that is not there for him is told with a redirect to the index, before rights are asked
        return status == 403 or (is_object and status == 302)
    if verb == "changelist":
        return status == 200
    if is_stranger(house, user) and row is not None and label in SCOPED:
        return status in {302, 403}  # "does not exist": back to the index
    if verb == "change" and row is not None:
        return status == 200
    # whether add and delete are offered at all is the admin's own decision, stricter than the right
    return status in {200, 302, 403}


@pytest.mark.usefixtures("_no_router")
def test_commands_of_the_admin(house: WalkedHouse) -> None:
    """Pages and commands of one row: closed without the right, and without the row; closed means nothing changes.

    Those who may are only looked at with GET: what their POST does is tested with each command.
    """
    sync_settings()  # as every installation has done before anybody looks
    clients = []
    for user in people(house):
        clients.append((user, Client(raise_request_exception=False)))
        clients[-1][1].force_login(user)
    before = snapshot()
    wrong = []
    for name, permission in ADMIN_PAGES.items():
        label = "_".join(name.split("_")[:2])
        row = _admin_object(house, label)
        url = reverse(f"admin:{name}", args=[row.pk, "a4"] if name.endswith("_print") else [row.pk])
        for method in ("get", "post"):
            status, location = _open(Client(), url, method)
            if (status, location.split("?")[0]) != (302, "/admin/login/"):
                wrong.append(("anonymous", method, url, status, location))
            for user, client in clients:
                is_scoped_out = is_stranger(house, user) and label in SCOPED
                is_closed = is_scoped_out or not may(user, permission)
                if method == "post" and not is_closed:
                    continue
                status, location = _open(client, url, method)
                allowed = {302, 403, 404, 405} if is_closed else {200, 302, 405}
                if status not in allowed or location.startswith("/admin/login/"):
                    wrong.append((user.username, method, url, status, location))
                if (is_closed or name not in WRITTEN_DOWN) and snapshot() != before:
                    wrong.append((user.username, "changed something", method, url))
                before = snapshot() if name in WRITTEN_DOWN and not is_closed else before
    assert not wrong, "\n".join(map(str, wrong))


def test_the_walk_covers_the_admin() -> None:
    assert {"vouchers_voucher", "vouchers_voucherbatch", "billing_plan", "locations_location"} <= set(admin_models())
