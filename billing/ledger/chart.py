"""The chart of accounts. An account is its code; `cash:7` is the drawer of staff member 7, `gateway:duitku` a clearing account.

Amounts of postings are signed: debit is positive, credit negative. Assets and expenses therefore grow by positive
amounts, liabilities and income by negative ones.
"""

from __future__ import annotations

import re

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

RECEIVABLE = "receivable"
WALLET = "wallet"
UNEARNED = "unearned"
TAX = "tax"
FEES = "fees"
AGENT_COMMISSION = "agent_commission"
ROUNDING = "rounding"
SUSPENSE = "suspense"
WRITE_OFF = "write_off"
CASH_DIFFERENCE = "cash_difference"
OWNER = "owner"  # money the owner put in or took out: handed-over cash ends here until a bank account is known
INCOME_SUBSCRIPTION = "income:subscription"
INCOME_VOUCHER = "income:voucher"
INCOME_ADDON = "income:addon"
INCOME_CHARGE = "income:charge"
INCOME_LATE_FEE = "income:late_fee"
INCOME_DISCOUNT = "income:discount"
INCOME_OTHER = "income:other"

_SAFE = re.compile(r"[a-z0-9_]{1,40}")


class AccountKind(models.TextChoices):
    ASSET = "asset", gettext_lazy("asset")
    LIABILITY = "liability", gettext_lazy("liability")
    INCOME = "income", gettext_lazy("income")
    EXPENSE = "expense", gettext_lazy("expense")


KINDS: dict[str, AccountKind] = {
    "receivable": AccountKind.ASSET,
    "cash": AccountKind.ASSET,
    "bank": AccountKind.ASSET,
    "gateway": AccountKind.ASSET,
    "wallet": AccountKind.LIABILITY,
    "unearned": AccountKind.LIABILITY,
    "tax": AccountKind.LIABILITY,
    "agent": AccountKind.LIABILITY,
    "suspense": AccountKind.LIABILITY,
    "owner": AccountKind.LIABILITY,
    "income": AccountKind.INCOME,
    "fees": AccountKind.EXPENSE,
    "agent_commission": AccountKind.EXPENSE,
    "rounding": AccountKind.EXPENSE,
    "write_off": AccountKind.EXPENSE,
    "cash_difference": AccountKind.EXPENSE,
    "expense": AccountKind.EXPENSE,
}
# what the database accepts as an account; the CHECK of billing_posting is written from it
CODE_PATTERN = (
    r"^(receivable|wallet|unearned|tax|fees|agent_commission|rounding|suspense|write_off|cash_difference|owner"
    r"|(cash|agent):[1-9][0-9]*|(bank|gateway|income|expense):[a-z0-9_]{1,40})$"
)
# postings to these always name a customer
OF_CUSTOMERS = (RECEIVABLE, WALLET)

NAMES: dict[str, str | Promise] = {
    RECEIVABLE: gettext_lazy("Receivables"),
    WALLET: gettext_lazy("Customer balances"),
    UNEARNED: gettext_lazy("Paid in advance"),
    TAX: gettext_lazy("Tax owed"),
    FEES: gettext_lazy("Payment fees"),
    AGENT_COMMISSION: gettext_lazy("Agent commission"),
    ROUNDING: gettext_lazy("Rounding"),
    SUSPENSE: gettext_lazy("Unexplained money"),
    WRITE_OFF: gettext_lazy("Written off"),
    CASH_DIFFERENCE: gettext_lazy("Cash differences"),
    OWNER: gettext_lazy("Owner"),
    INCOME_SUBSCRIPTION: gettext_lazy("Income: subscriptions"),
    INCOME_VOUCHER: gettext_lazy("Income: vouchers"),
    INCOME_ADDON: gettext_lazy("Income: add-ons"),
    INCOME_CHARGE: gettext_lazy("Income: one-off charges"),
    INCOME_LATE_FEE: gettext_lazy("Income: late fees"),
    INCOME_DISCOUNT: gettext_lazy("Discounts given"),
    INCOME_OTHER: gettext_lazy("Income: other"),
}


def cash(user_id: int) -> str:
    """The drawer of one staff member."""
    return f"cash:{user_id}"


def cash_owner(account: str) -> int | None:
    """The staff member whose drawer this is; None for any other account."""
    return int(account[5:]) if account.startswith("cash:") else None


def agent(agent_id: int) -> str:
    """What we hold of an agent: his deposit, less what he sold."""
    return f"agent:{agent_id}"


def bank(code: str) -> str:
    return f"bank:{_safe(code)}"


def gateway(provider: str) -> str:
    """The clearing account of a payment provider: filled by payments, emptied by its settlements."""
    return f"gateway:{_safe(provider)}"


def expense(category: str) -> str:
    return f"expense:{_safe(category)}"


def _safe(code: str) -> str:
    if not _SAFE.fullmatch(code):
        raise ValueError("an account's second part is 1 to 40 of a-z, 0-9 and _")
    return code


def kind_of(account: str) -> AccountKind:
    """Raises KeyError for a code that is not in the chart."""
    return KINDS[account.split(":", 1)[0]]


def name_of(account: str) -> str:
    """In the language of the screen; numbers of drawers and agents stay numbers (`billing.selectors` names people)."""
    if account in NAMES:
        return str(NAMES[account])
    family, _colon, rest = account.partition(":")
    patterns = {
        "cash": _("Cash drawer %(of)s"), "agent": _("Agent %(of)s"), "bank": _("Bank %(of)s"),
        "gateway": _("Clearing %(of)s"), "expense": _("Expense: %(of)s"), "income": _("Income: %(of)s"),
    }  # fmt: skip
    return patterns[family] % {"of": rest}
