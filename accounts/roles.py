"""Who may do what: the one permission table. `manage.py sync_roles` writes it into groups; nothing else grants rights.

Super Admin is `is_superuser` and passes every check, so no list is needed; plugins and backups are only ever his
(their permissions stand in no row below). Rows name permissions as Django does, `app.verb_model`; rooms above this
one are only named, never imported. Where an Operator may act is decided by his locations
(`locations.selectors.*_visible_to`), not here.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.choices import Role

VIEW, ADD, CHANGE, DELETE = "view", "add", "change", "delete"


@dataclass(frozen=True)
class Named:
    """A permission that is more than view, add, change or delete. `name` is what the list of permissions shows."""

    permission: str
    model: str
    name: str


NAMED: tuple[Named, ...] = (
    Named("accounts.view_lockouts", "user", "Can see who is locked out of login"),
    Named("accounts.unlock_user", "user", "Can end a lock-out of login"),
    Named("locations.test_location", "location", "Can test the connection to a router"),
    Named("locations.retry_location", "location", "Can retry what a router refused"),
    Named("locations.accept_router", "location", "Can go on with another router at the same address"),
    Named("locations.trust_certificate", "location", "Can confirm a router's certificate"),
    Named("locations.read_routerlog", "location", "Can read a router's log"),
    Named("locations.ping_location", "location", "Can ping from a router"),
    Named("locations.reboot_location", "location", "Can ask for a restart of a router, and cancel it"),
    Named("locations.confirm_reboot", "location", "Can confirm a restart that somebody else asked for"),
    Named("locations.repair_location", "location", "Can compare a router and repair what drifted"),
    Named("locations.acknowledge_configversion", "configversion", "Can note that a change of a router was looked at"),
    Named("locations.download_configversion", "configversion", "Can take a router's configuration out with passwords"),
    Named("locations.set_up_server", "location", "Can set up a hotspot or PPPoE server on a router"),
    Named("locations.adopt_accessaccount", "accessaccount", "Can take over a router's own entry"),
    Named("locations.open_accessaccount", "accessaccount", "Can open a moved account before the old router let it go"),
    Named("locations.kick_accessaccount", "accessaccount", "Can end a session"),
    Named("locations.disable_accessaccount", "accessaccount", "Can disable and enable an access account"),
    Named("customers.merge_customer", "customer", "Can merge customers and undo it"),
    Named("customers.erase_customer", "customer", "Can erase a person for good"),
    Named("customers.export_customer", "customer", "Can take a list of customers out"),
    Named("billing.publish_plan", "plan", "Can publish a plan to locations"),
    Named("billing.view_reports", "journalentry", "Can see the figures of his locations"),
    Named("billing.view_books", "journalentry", "Can see the figures of the whole business"),
    Named("billing.prepare_invoice", "invoice", "Can keep bills as drafts, change and discard them"),
    Named("billing.credit_invoice", "invoice", "Can write credit notes"),
    Named("billing.void_invoice", "invoice", "Can make bills void"),
    Named("billing.write_off_invoice", "invoice", "Can write bills off"),
    Named("billing.bill_many", "billingrun", "Can bill many services at once"),
    Named("vouchers.cancel_voucherbatch", "voucherbatch", "Can cancel a batch that is being made"),
    Named("vouchers.sell_voucher", "voucher", "Can sell vouchers"),
    Named("vouchers.undo_vouchersale", "vouchersale", "Can undo a sale of the last minute"),
    Named("vouchers.print_voucher", "voucher", "Can print and export vouchers"),
    Named("vouchers.void_voucher", "voucher", "Can void vouchers"),
    Named("vouchers.extend_voucher", "voucher", "Can give a voucher more time"),
    Named("vouchers.move_voucher", "voucher", "Can move a voucher to another location"),
    Named("billing.promise_subscription", "subscription", "Can take promises to pay"),
    Named("billing.end_subscription", "subscription", "Can end services"),
    Named("billing.isolate_subscription", "subscription", "Can hold overdue services back before their time"),
    Named("billing.mass_subscription", "subscription", "Can change many services at once"),
    Named("billing.manage_billingrun", "billingrun", "Can see tonight's run before it happens, stop and continue runs"),
    Named("payments.take_cash", "payment", "Can take cash of customers"),
    Named("payments.refund_payment", "payment", "Can give money of a payment back"),
    Named("payments.reverse_payment", "payment", "Can take a payment back that was booked by mistake"),
    Named("payments.approve_reversal", "reversal", "Can decide about payments somebody else wants to take back"),
    Named("payments.cancel_payment", "payment", "Can cancel a payment that is waited for"),
    Named("billing.use_cashshift", "cashshift", "Can open, count and hand over the own cash drawer"),
    Named("billing.manage_cashshift", "cashshift", "Can count and hand over the shifts of others"),
    Named("billing.reverse_expense", "expense", "Can take an expense back"),
    Named("billing.approve_adjustment", "adjustment", "Can decide about corrections somebody else asked for"),
    Named("billing.take_deposit", "agent", "Can take and pay out deposits of agents"),
    Named("billing.view_own_agent", "agent", "Can see the own deposit as an agent"),
    Named("vouchers.issue_stock", "voucher", "Can give vouchers to agents and take them back"),
    Named("core.view_health", "jobrun", "Can see the health page"),
)


def _on(model: str, *verbs: str) -> frozenset[str]:
    """`_on("billing.plan", VIEW, ADD)` is `billing.view_plan` and `billing.add_plan`."""
    app, name = model.split(".")
    return frozenset(f"{app}.{verb}_{name}" for verb in verbs)


_OPERATOR = frozenset().union(
    # vouchers: make, look, sell, print
    _on("vouchers.voucherbatch", VIEW, ADD),
    _on("vouchers.voucher", VIEW),
    _on("vouchers.vouchersale", VIEW),
    {"vouchers.sell_voucher", "vouchers.undo_vouchersale", "vouchers.print_voucher"},
    # basic user management
    _on("locations.accessaccount", VIEW),
    _on("locations.routerentry", VIEW),
    _on("locations.profilerollout", VIEW),
    _on("locations.locationgroup", VIEW),
    _on("locations.locationchoice", VIEW),
    {"locations.kick_accessaccount", "locations.disable_accessaccount"},
    # customers of his locations: look, write, reach, keep papers
    _on("customers.customer", VIEW, ADD, CHANGE),
    _on("customers.contact", VIEW, ADD, CHANGE),
    _on("customers.customerdocument", VIEW, ADD),
    # figures: those of his locations and his own, with the rows behind them
    {"billing.view_reports"},
    _on("billing.journalentry", VIEW),
    _on("billing.posting", VIEW),
    # services of customers
    _on("billing.subscription", VIEW, ADD, CHANGE),
    {"billing.promise_subscription"},
    # bills, to look at, to print, and to prepare for somebody who issues them
    _on("billing.invoice", VIEW),
    {"billing.prepare_invoice"},
    # money: take cash of customers, the own drawer
    _on("payments.payment", VIEW),
    _on("payments.refund", VIEW),
    _on("payments.paymentmethod", VIEW),
    _on("billing.cashshift", VIEW),
    {"payments.take_cash", "billing.use_cashshift"},
    # what the above needs to be shown
    _on("locations.location", VIEW),
    _on("billing.plan", VIEW),
)

_ADMIN = _OPERATOR.union(
    # routers
    _on("locations.location", ADD, CHANGE, DELETE),
    _on("locations.locationuser", VIEW, ADD, CHANGE, DELETE),
    _on("locations.routerprofile", VIEW),
    _on("locations.profilerollout", ADD, CHANGE),
    _on("locations.locationgroup", ADD, CHANGE, DELETE),
    _on("locations.configversion", VIEW),
    _on("locations.configbackup", ADD),
    _on("locations.accessaccount", ADD, CHANGE, DELETE),
    {
        "locations.test_location", "locations.retry_location", "locations.accept_router",
        "locations.trust_certificate",
        "locations.acknowledge_configversion", "locations.set_up_server",
        "locations.adopt_accessaccount", "locations.repair_location", "locations.open_accessaccount",
        "locations.read_routerlog", "locations.ping_location", "locations.reboot_location", "locations.confirm_reboot",
    },
    # services, what they are billed by, and the runs that bill them
    {
        "billing.end_subscription", "billing.isolate_subscription", "billing.mass_subscription",
        "billing.manage_billingrun",
    },
    _on("billing.billingrun", VIEW),
    _on("billing.coupon", VIEW, ADD, CHANGE),
    _on("billing.taxrate", VIEW, ADD, CHANGE, DELETE),
    _on("billing.prepaydiscount", VIEW, ADD, CHANGE, DELETE),
    # plans
    _on("billing.plan", ADD, CHANGE, DELETE),
    _on("billing.planlocation", VIEW, ADD, DELETE),
    {"billing.publish_plan"},
    # vouchers
    _on("vouchers.voucherbatch", CHANGE),
    {
        "vouchers.cancel_voucherbatch", "vouchers.void_voucher", "vouchers.extend_voucher", "vouchers.move_voucher",
    },
    # customers
    _on("customers.contact", DELETE),
    _on("customers.customerdocument", DELETE),
    {"customers.merge_customer", "customers.erase_customer", "customers.export_customer"},
    # bills
    _on("billing.invoice", ADD),
    {"billing.credit_invoice", "billing.void_invoice", "billing.write_off_invoice", "billing.bill_many"},
    # moving in
    _on("imports.importrun", VIEW, ADD),
    _on("imports.routerimport", VIEW, ADD),
    _on("imports.importedsale", VIEW),
    # money that leaves, corrections, agents
    _on("payments.paymentmethod", ADD, CHANGE),
    _on("billing.expense", VIEW, ADD),
    _on("billing.expensecategory", VIEW, ADD, CHANGE),
    _on("billing.adjustment", VIEW, ADD),
    _on("payments.reversal", VIEW),
    _on("billing.agent", VIEW, CHANGE),
    {
        "payments.refund_payment", "payments.cancel_payment", "payments.reverse_payment", "payments.approve_reversal",
        "billing.manage_cashshift", "billing.reverse_expense",
        "billing.approve_adjustment", "billing.take_deposit", "vouchers.issue_stock",
    },
    # reports and staff, to look at
    {"billing.view_books"},
    _on("accounts.user", VIEW),
    _on("accounts.activitylog", VIEW),
)  # fmt: skip

# sells vouchers of his own stock against his deposit; sees nothing else (`vouchers.selectors`, `billing.selectors`)
_AGENT = frozenset().union(
    _on("vouchers.voucher", VIEW),
    _on("vouchers.vouchersale", VIEW),
    {"vouchers.sell_voucher", "vouchers.undo_vouchersale", "vouchers.print_voucher", "billing.view_own_agent"},
)

PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.SUPER_ADMIN: frozenset(),
    Role.ADMIN: _ADMIN,
    Role.OPERATOR: _OPERATOR,
    Role.AGENT: _AGENT,
}


def group_name(role: str) -> str:
    """The group of a role has the role's stable name, whatever language it is shown in."""
    return Role(role).value
