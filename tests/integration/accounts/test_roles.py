"""Each line of the permission table, asked of Django as it would be asked at run time."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from accounts.choices import Role
from accounts.models import User
from accounts.roles import NAMED, PERMISSIONS
from accounts.services import roles_sync, user_create

pytestmark = pytest.mark.django_db

NOBODY, ADMIN, BOTH = (False, False), (True, False), (True, True)
"""(Admin may, Operator may); a Super Admin may everything."""

TABLE = {
    # payments, cash, corrections, agents
    "payments.view_payment": BOTH,
    "payments.view_refund": BOTH,
    "payments.view_paymentmethod": BOTH,
    "payments.take_cash": BOTH,
    "payments.add_paymentmethod": ADMIN,
    "payments.change_paymentmethod": ADMIN,
    "payments.delete_paymentmethod": NOBODY,
    "payments.add_payment": NOBODY,
    "payments.change_payment": NOBODY,
    "payments.refund_payment": ADMIN,
    "payments.cancel_payment": ADMIN,
    "payments.reverse_payment": ADMIN,
    "payments.view_reversal": ADMIN,
    "payments.approve_reversal": ADMIN,
    "payments.add_reversal": NOBODY,
    "payments.change_reversal": NOBODY,
    "billing.view_cashshift": BOTH,
    "billing.use_cashshift": BOTH,
    "billing.manage_cashshift": ADMIN,
    "billing.view_expense": ADMIN,
    "billing.add_expense": ADMIN,
    "billing.change_expense": NOBODY,
    "billing.reverse_expense": ADMIN,
    "billing.view_expensecategory": ADMIN,
    "billing.add_expensecategory": ADMIN,
    "billing.change_expensecategory": ADMIN,
    "billing.view_adjustment": ADMIN,
    "billing.add_adjustment": ADMIN,
    "billing.approve_adjustment": ADMIN,
    "billing.view_agent": ADMIN,
    "billing.add_agent": NOBODY,
    "billing.change_agent": ADMIN,
    "billing.take_deposit": ADMIN,
    "billing.view_own_agent": NOBODY,
    "vouchers.issue_stock": ADMIN,
    # routers looked into and restarted
    "locations.read_routerlog": ADMIN,
    "locations.ping_location": ADMIN,
    "locations.reboot_location": ADMIN,
    "locations.confirm_reboot": ADMIN,
    # bills
    "billing.view_invoice": BOTH,
    "billing.add_invoice": ADMIN,
    "billing.bill_many": ADMIN,
    "billing.prepare_invoice": BOTH,
    "billing.credit_invoice": ADMIN,
    "billing.void_invoice": ADMIN,
    "billing.write_off_invoice": ADMIN,
    "billing.change_invoice": NOBODY,
    "billing.delete_invoice": NOBODY,
    # moving in
    "imports.view_importrun": ADMIN,
    "imports.add_importrun": ADMIN,
    "imports.view_routerimport": ADMIN,
    "imports.add_routerimport": ADMIN,
    "imports.change_routerimport": NOBODY,
    "imports.delete_routerimport": NOBODY,
    "imports.view_importedsale": ADMIN,
    "imports.delete_importedsale": NOBODY,
    # drift, groups, entries, speed changes
    "locations.repair_location": ADMIN,
    "locations.view_configversion": ADMIN,
    "locations.set_up_server": ADMIN,
    "locations.add_configbackup": ADMIN,
    "locations.acknowledge_configversion": ADMIN,
    "locations.open_accessaccount": ADMIN,
    "locations.view_locationgroup": BOTH,
    "locations.add_locationgroup": ADMIN,
    "locations.change_locationgroup": ADMIN,
    "locations.delete_locationgroup": ADMIN,
    "locations.view_locationchoice": BOTH,
    "locations.view_routerentry": BOTH,
    "locations.view_profilerollout": BOTH,
    "locations.add_profilerollout": ADMIN,
    "locations.change_profilerollout": ADMIN,
    # customers
    "customers.view_customer": BOTH,
    "customers.add_customer": BOTH,
    "customers.change_customer": BOTH,
    "customers.delete_customer": NOBODY,
    "customers.view_contact": BOTH,
    "customers.add_contact": BOTH,
    "customers.change_contact": BOTH,
    "customers.delete_contact": ADMIN,
    "customers.view_customerdocument": BOTH,
    "customers.add_customerdocument": BOTH,
    "customers.change_customerdocument": NOBODY,
    "customers.delete_customerdocument": ADMIN,
    "customers.merge_customer": ADMIN,
    "customers.erase_customer": ADMIN,
    "customers.export_customer": ADMIN,
    "customers.change_consent": NOBODY,
    "customers.delete_customerevent": NOBODY,
    # routers
    "locations.view_location": BOTH,
    "locations.add_location": ADMIN,
    "locations.change_location": ADMIN,
    "locations.delete_location": ADMIN,
    "locations.test_location": ADMIN,
    "locations.retry_location": ADMIN,
    "locations.accept_router": ADMIN,
    "locations.trust_certificate": ADMIN,
    "locations.view_locationuser": ADMIN,
    "locations.add_locationuser": ADMIN,
    "locations.change_locationuser": ADMIN,
    "locations.delete_locationuser": ADMIN,
    "locations.view_routerprofile": ADMIN,
    "locations.add_routerprofile": NOBODY,
    # basic user management
    "locations.view_accessaccount": BOTH,
    "locations.kick_accessaccount": BOTH,
    "locations.disable_accessaccount": BOTH,
    "locations.add_accessaccount": ADMIN,
    "locations.change_accessaccount": ADMIN,
    "locations.delete_accessaccount": ADMIN,
    "locations.adopt_accessaccount": ADMIN,
    # plans
    "billing.view_plan": BOTH,
    "billing.add_plan": ADMIN,
    "billing.change_plan": ADMIN,
    "billing.delete_plan": ADMIN,
    "billing.publish_plan": ADMIN,
    "billing.view_planlocation": ADMIN,
    "billing.add_planlocation": ADMIN,
    "billing.delete_planlocation": ADMIN,
    # services
    "billing.view_subscription": BOTH,
    "billing.add_subscription": BOTH,
    "billing.change_subscription": BOTH,
    "billing.delete_subscription": NOBODY,
    "billing.promise_subscription": BOTH,
    "billing.end_subscription": ADMIN,
    "billing.isolate_subscription": ADMIN,
    "billing.mass_subscription": ADMIN,
    "billing.view_billingrun": ADMIN,
    "billing.change_billingrun": NOBODY,
    "billing.manage_billingrun": ADMIN,
    "billing.view_coupon": ADMIN,
    "billing.add_coupon": ADMIN,
    "billing.change_coupon": ADMIN,
    "billing.delete_coupon": NOBODY,
    "billing.view_taxrate": ADMIN,
    "billing.add_taxrate": ADMIN,
    "billing.change_taxrate": ADMIN,
    "billing.delete_taxrate": ADMIN,
    "billing.view_prepaydiscount": ADMIN,
    "billing.add_prepaydiscount": ADMIN,
    "billing.change_prepaydiscount": ADMIN,
    "billing.delete_prepaydiscount": ADMIN,
    # figures
    "billing.view_reports": BOTH,
    "billing.view_books": ADMIN,
    "billing.view_journalentry": BOTH,
    "billing.view_posting": BOTH,
    "billing.add_journalentry": NOBODY,
    "billing.change_posting": NOBODY,
    # vouchers
    "vouchers.view_voucherbatch": BOTH,
    "vouchers.add_voucherbatch": BOTH,
    "vouchers.change_voucherbatch": ADMIN,
    "vouchers.delete_voucherbatch": NOBODY,
    "vouchers.cancel_voucherbatch": ADMIN,
    "vouchers.view_voucher": BOTH,
    "vouchers.add_voucher": NOBODY,
    "vouchers.change_voucher": NOBODY,
    "vouchers.delete_voucher": NOBODY,
    "vouchers.sell_voucher": BOTH,
    "vouchers.print_voucher": BOTH,
    "vouchers.view_vouchersale": BOTH,
    "vouchers.undo_vouchersale": BOTH,
    "vouchers.void_voucher": ADMIN,
    "vouchers.extend_voucher": ADMIN,
    "vouchers.move_voucher": ADMIN,
    # staff and the installation
    "accounts.view_user": ADMIN,
    "accounts.add_user": NOBODY,
    "accounts.change_user": NOBODY,
    "accounts.delete_user": NOBODY,
    "accounts.view_activitylog": ADMIN,
    "accounts.delete_activitylog": NOBODY,
    "accounts.view_lockouts": NOBODY,
    "accounts.unlock_user": NOBODY,
    "core.view_health": NOBODY,
    "core.change_setting": NOBODY,
    "core.view_setting": NOBODY,
    "core.view_errorrecord": NOBODY,
    "core.view_slowquery": NOBODY,
    "core.change_installation": NOBODY,
    "locations.download_configversion": NOBODY,
    "django_celery_beat.change_periodictask": NOBODY,
}


@pytest.fixture(scope="module")
def password() -> str:
    return "correct horse 7 battery"


@pytest.mark.parametrize("permission", sorted(TABLE))
def test_each_line_of_the_table(permission: str, password: str) -> None:
    roles_sync()
    people = [user_create(username=role, password=password, role=role, actor=None) for role in ("admin", "operator")]
    first = user_create(username="first", password=password, role="super_admin", actor=None)
    people = [User.objects.get(pk=person.pk) for person in people]
    assert tuple(person.has_perm(permission) for person in people) == TABLE[permission]
    assert User.objects.get(pk=first.pk).has_perm(permission)


def test_the_table_here_covers_every_right_somebody_has() -> None:
    granted = set().union(*PERMISSIONS.values()) | {named.permission for named in NAMED}
    assert granted - set(TABLE) == set()


def test_an_agent_sells_his_stock_and_nothing_else() -> None:
    assert PERMISSIONS[Role.AGENT] == {
        "vouchers.view_voucher", "vouchers.sell_voucher", "vouchers.print_voucher", "vouchers.view_vouchersale",
        "vouchers.undo_vouchersale", "billing.view_own_agent",
    }  # fmt: skip


def test_operators_delete_nothing() -> None:
    assert [name for name in PERMISSIONS["operator"] if ".delete_" in name] == []  # type: ignore[index]


def test_sync_is_idempotent_and_takes_back_what_was_given_by_hand() -> None:
    roles_sync()
    group = Group.objects.get(name="operator")
    group.permissions.add(Permission.objects.get(codename="delete_voucher"))
    group.permissions.remove(Permission.objects.get(codename="sell_voucher"))
    second = roles_sync()
    assert (second.added, second.removed) == (1, 1)
    third = roles_sync()
    assert (third.added, third.removed, third.people) == (0, 0, 0)


def test_sync_puts_people_into_the_group_of_their_role() -> None:
    User.objects.create_superuser("root", password="x")
    lost = User.objects.create(username="lost", role="operator", is_staff=False)
    assert roles_sync().people == 2
    root = User.objects.get(username="root")
    assert (root.role, root.is_superuser, root.is_staff) == ("super_admin", True, True)
    lost.refresh_from_db()
    assert (lost.is_staff, lost.is_superuser) == (True, False)
    assert [group.name for group in lost.groups.all()] == ["operator"]


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("sync_roles")
    call_command("sync_roles")
    assert capsys.readouterr().out.splitlines()[-1] == "Roles: 0 rights given, 0 taken, 0 people moved."


def test_the_first_person_of_a_role_finds_it_complete_without_a_sync(password: str) -> None:
    Group.objects.all().delete()
    user = user_create(username="budi", password=password, role="operator", actor=None)
    assert User.objects.get(pk=user.pk).get_all_permissions() == PERMISSIONS["operator"]  # type: ignore[index]
