"""Plans, subscriptions, invoices, the ledger, and the people who hold money."""

from billing.models.cash import Adjustment, Agent, CashShift, Expense, ExpenseCategory
from billing.models.checks import LedgerCheck
from billing.models.invoices import Allocation, BillingRun, Invoice, InvoiceLine, new_token
from billing.models.ledger import JournalEntry, Posting
from billing.models.plans import TEN_YEARS, Plan, PlanLocation
from billing.models.subscriptions import (
    Addon,
    Charge,
    CouponUse,
    PlanChange,
    Promise,
    Subscription,
    SubscriptionEvent,
    SubscriptionPeriod,
)
from billing.models.terms import LAST_DAY, TERMS_FIELDS, BillingTerms, Coupon, PrepayDiscount, TaxRate

__all__ = [
    "LAST_DAY",
    "TEN_YEARS",
    "TERMS_FIELDS",
    "Addon",
    "Adjustment",
    "Agent",
    "Allocation",
    "BillingRun",
    "BillingTerms",
    "CashShift",
    "Charge",
    "Coupon",
    "CouponUse",
    "Expense",
    "ExpenseCategory",
    "Invoice",
    "InvoiceLine",
    "JournalEntry",
    "LedgerCheck",
    "Plan",
    "PlanChange",
    "PlanLocation",
    "Posting",
    "PrepayDiscount",
    "Promise",
    "Subscription",
    "SubscriptionEvent",
    "SubscriptionPeriod",
    "TaxRate",
    "new_token",
]
