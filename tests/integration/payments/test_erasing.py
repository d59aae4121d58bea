"""Erasing a person: nothing that people wrote about him is left anywhere, no rupiah moves, and SQL can do nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounts.models import ActivityLog, User
from billing.choices import LineKind
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.models import Adjustment, Invoice, InvoiceLine, JournalEntry, Subscription, SubscriptionEvent
from billing.services.adjustments import adjustment_ask
from billing.services.cash import shift_count, shift_open
from billing.services.invoices import DraftLine, InvoiceDraft, credit_note_issue, invoice_issue, invoice_void, write_off
from billing.services.settling import balance_apply
from billing.services.subscriptions import subscription_change, subscription_end
from billing.services.subscriptions_access import subscription_change_login
from billing.services.subscriptions_extras import addon_add, charge_add
from billing.services.subscriptions_pausing import subscription_pause, subscription_resume
from billing.services.subscriptions_promises import promise_to_pay, subscription_isolate
from billing.words import line_words
from core.db.immutable import user_triggers
from core.errors import TransitionError
from core.settings_registry import setting_change
from customers.models import Consent, Customer
from customers.services import consent_record, contact_add, customer_erase, document_add
from payments.models import Payment, Refund, Reversal
from payments.services import payment_receive_cash, payment_refund, reversal_ask, reversal_decide
from tests.integration.billing import service_world as world

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 11, 22)
PHONE = "0812-3456-7890"
WHO = "rahasia|2-3456-7|234567890"  # long enough that no microsecond or number of a transaction looks like it
TEXT = f"Bu Rahasia {PHONE}"


@pytest.fixture(autouse=True)
def guards_hold(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.MEDIA_ROOT = tmp_path
    yield
    assert ledger_check().findings == {}
    assert all(user_triggers().values())


def at(n: int = 0, hour: int = 5) -> datetime:
    return world.at(DAY + timedelta(days=n), hour)


def cash(customer: Customer, amount: int, key: str, cashier: User, n: int = 0, **fields: Any) -> Payment:
    fields = {"note": TEXT} | fields
    return payment_receive_cash(customer=customer, amount=amount, request_key=key, now=at(n), actor=cashier, **fields)


def manual(customer: Customer, source: str, amount: int) -> Invoice:
    line = DraftLine(LineKind.MANUAL, amount, chart.INCOME_OTHER, {"text": TEXT}, TEXT)  # type: ignore[arg-type]
    draft = InvoiceDraft(customer.pk, [line], f"{source}:{customer.pk}", DAY, DAY, note=TEXT)
    return invoice_issue(draft, now=at())[0]


def live(boss: User, cashier: User, key: str) -> Customer:
    """A life of a customer with the name and the phone number in every text that anybody can write."""
    pos = world.place(f"Pos {key}")
    who = world.customer(TEXT[:30], number=f"N{key}", phone=PHONE, notes=TEXT, address=TEXT)
    row = world.service(
        pos, world.plan(pos, name=f"Paket {key}", grace_days=30), DAY, who, username=f"rahasia{key}", note=TEXT
    )
    contact_add(who, actor=boss, name="Adik Rahasia", phone=PHONE)
    consent_record(who, channel="email", kind="service", is_granted=True, source=TEXT, actor=boss, now=at())
    document_add(who, title=TEXT, file=SimpleUploadedFile("ktp.pdf", b"%PDF-1.7\n%rahasia\n"), actor=boss)
    subscription_change(row, actor=boss, now=at(), note=f"{TEXT} lagi")
    subscription_change_login(row, username=f"rahasia-baru{key}", actor=boss, now=at())
    addon_add(row, name=TEXT, amount=5_000, actor=boss, now=at())
    charge_add(customer=who, subscription=row, name=TEXT, amount=7_000, is_billed_now=True, actor=boss, now=at())
    world.night(pos, DAY + timedelta(days=5))
    subscription_isolate(row, reason=TEXT, actor=boss, now=at(5, 6))
    promise_to_pay(row, until_on=DAY + timedelta(days=8), note=TEXT, actor=boss, now=at(5, 7))
    money_moves(who, boss, cashier, key)
    who.refresh_from_db()
    if who.debt:
        cash(who, int(who.debt), f"rest{key}", cashier, 6)
    row.refresh_from_db()
    subscription_pause(row, reason=TEXT, actor=boss, now=at(6, 8))
    subscription_resume(row, actor=boss, now=at(7, 8))
    subscription_end(row, reason=TEXT, actor=boss, now=at(7, 9))
    settle(who, cashier, key)
    return who


def money_moves(who: Customer, boss: User, cashier: User, key: str) -> None:
    written = manual(who, "sold", 40_000)
    cash(who, 40_000, f"sold{key}", cashier, invoice=written)
    credit_note_issue(written, amount=10_000, reason=TEXT, now=at(), actor=boss)
    invoice_void(manual(who, "void", 9_000), reason=TEXT, now=at(), actor=boss)
    adjustment_ask(customer=who, amount=20_000, reason=TEXT, request_key=f"plus{key}", now=at(), actor=boss)
    adjustment_ask(customer=who, amount=-15_000, reason=TEXT, request_key=f"minus{key}", now=at(), actor=boss)
    write_off(manual(who, "lost", 6_000), reason=TEXT, now=at(), actor=boss)
    payment = cash(who, 30_000, f"refund{key}", cashier, is_for_balance=True)
    payment_refund(payment, amount=12_000, reason=TEXT, request_key=f"refund{key}", now=at(), actor=cashier)
    wrong = cash(who, 25_000, f"wrong{key}", cashier)
    shift = shift_open(counted=100_000, now=at(0, 10), actor=cashier)
    shift_count(shift, counted=100_000, now=at(0, 11), actor=cashier)
    done = reversal_ask(wrong, reason=TEXT, request_key=f"wrong{key}", now=at(1), actor=boss)
    assert JournalEntry.objects.filter(source=f"reversal_difference:{done.entry_id}", reason=TEXT).exists()


def settle(who: Customer, cashier: User, key: str) -> None:
    balance_apply([who.pk], now=at(8))
    who.refresh_from_db()
    if who.debt:
        cash(who, int(who.debt), f"last{key}", cashier, 8)
    who.refresh_from_db()
    if who.balance:
        payment = Payment.objects.filter(customer=who, status="confirmed", amount__gte=who.balance).latest("pk")
        payment_refund(
            payment, amount=who.balance, reason=TEXT, request_key=f"end{key}", now=at(8), actor=cashier
        )  # fmt: skip
    who.refresh_from_db()
    assert (who.balance, who.debt) == (0, 0)


@pytest.fixture
def people() -> tuple[User, User]:
    setting_change("billing.adjustment_limit", "1000000")
    return world.user("boss"), world.user("kasir")


def rows_of(statement: str, *values: object) -> list[Any]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else [cursor.rowcount]


def tables() -> list[str]:
    return [row[0] for row in rows_of("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]


def places_that_tell(words: str) -> set[str]:
    """Tables with a row that holds one of these words, in any column."""
    question = "SELECT 1 FROM {} t WHERE to_jsonb(t)::text ~* %s LIMIT 1"
    return {table for table in tables() if rows_of(question.format(table), words)}


TEXTS = (
    "note", "reason", "text", "name", "details", "username", "password", "mac_address", "updated_at",
)  # fmt: skip


def all_but_texts() -> dict[str, list[Any]]:
    """Every row of billing and payments, without the columns that hold texts."""
    question = "SELECT (to_jsonb(t) - %s::text[])::text FROM {} t ORDER BY id"
    ours = [table for table in tables() if table.startswith(("billing_", "payments_"))]
    return {table: rows_of(question.format(table), list(TEXTS)) for table in ours}


WRITTEN = {
    "accounts_activitylog", "billing_addon", "billing_adjustment", "billing_charge", "billing_invoice",
    "billing_invoiceline", "billing_journalentry", "billing_promise", "billing_subscription", "billing_subscriptionevent",
    "customers_consent", "customers_contact", "customers_customer", "customers_customerdocument", "payments_payment",
    "payments_refund", "payments_reversal",
}  # fmt: skip
# the login of a service that ended is removed from its router first; the row goes when the router has confirmed it
UNTIL_THE_ROUTER_CONFIRMED = {"locations_accessaccount"}


def test_nothing_that_tells_who_it_was_is_left_and_no_money_moved(people: tuple[User, User]) -> None:
    boss, cashier = people
    who = live(boss, cashier, "1")
    assert places_that_tell(WHO) == WRITTEN | UNTIL_THE_ROUTER_CONFIRMED
    before, books = all_but_texts(), ledger_check()
    customer_erase(who, actor=boss, now=at(9))
    assert places_that_tell(WHO) == UNTIL_THE_ROUTER_CONFIRMED
    assert all_but_texts() == before
    assert (books.findings, ledger_check().findings) == ({}, {})


def test_exactly_what_is_left_in_the_texts(people: tuple[User, User]) -> None:
    boss, cashier = people
    who = live(boss, cashier, "1")
    customer_erase(who, actor=boss, now=at(9))
    reasons: list[Any] = [
        model.objects.values_list(name, flat=True)
        for model, name in (
            (Payment, "note"), (Refund, "reason"), (Reversal, "reason"), (Adjustment, "reason"), (Invoice, "note"),
            (JournalEntry.objects.exclude(kind="cash_handover").model, "reason"), (Consent, "source"),
            (SubscriptionEvent, "reason"), (InvoiceLine, "text"),
        )
    ]  # fmt: skip
    assert [set(values) for values in reasons] == [{""}] * len(reasons)
    assert [len(values) > 0 for values in reasons] == [True] * len(reasons)
    row = Subscription.objects.get()
    assert list(row.addons.values_list("name", flat=True)) == ["–"]
    by_kind = {line.kind: line for line in InvoiceLine.objects.order_by("-pk")}
    assert [line_words(by_kind[kind]) for kind in ("manual", "charge")] == ["no longer kept", "one-off charge"]
    assert by_kind["subscription"].details["plan"] == "Paket 1", "what was bought stays"
    note = InvoiceLine.objects.filter(invoice__kind="credit_note").latest("pk")
    assert sorted(note.details) == ["details", "kind", "line", "number", "why"], "days and a code, no words of a person"
    isolated = ActivityLog.objects.get(action="subscription.isolated")
    assert isolated.details == {"subscription": row.pk, "customer": who.pk}
    changed = ActivityLog.objects.get(action="subscription.changed")
    assert changed.details == {"subscription": row.pk, "customer": who.pk, "changes": {}}
    assert row.events.get(kind="login_changed").details == {
        "fields": ["username"], "before": {}, "after": {},
    }  # fmt: skip


def test_others_keep_every_word(people: tuple[User, User]) -> None:
    boss, cashier = people
    other = live(boss, cashier, "2")
    before = [list(model.objects.order_by("pk").values()) for model in KEPT]
    who = live(boss, cashier, "1")
    customer_erase(who, actor=boss, now=at(9))
    for model, rows in zip(KEPT, before, strict=True):
        known = {row["id"]: row for row in model.objects.values()}
        assert [known[row["id"]] for row in rows] == rows, model
    other.refresh_from_db()
    assert other.name == TEXT[:30]


KEPT: tuple[Any, ...] = (
    Payment, Refund, Reversal, Adjustment, Invoice, InvoiceLine, JournalEntry, SubscriptionEvent, Consent, ActivityLog,
)  # fmt: skip


def test_a_person_whose_payment_waits_for_a_second_person_is_not_erased(people: tuple[User, User]) -> None:
    boss, cashier = people
    setting_change("billing.adjustment_limit", "10000")
    who = world.customer("Bu Sri")
    manual(who, "sold", 50_000)
    waiting = reversal_ask(cash(who, 50_000, "k1", cashier), reason=TEXT, request_key="b1", now=at(1), actor=boss)
    with pytest.raises(TransitionError) as refusal:
        customer_erase(who, actor=boss, now=at(2))
    assert (refusal.value.code, Payment.objects.get().note, Invoice.objects.get().note) == ("erase.money", TEXT, TEXT)
    reversal_decide(waiting, is_approved=False, now=at(2), actor=boss)
    customer_erase(who, actor=boss, now=at(3))
    assert (Payment.objects.get().note, Reversal.objects.get().reason, Invoice.objects.get().note) == ("", "", "")


# --- by direct SQL ----------------------------------------------------------------------------------------------------

REFUSED = {
    "billing_invoice": ["note = 'x'", "note = NULL", "note = '', total = 1", "note = '', due_on = due_on + 1", "token = ''"],
    "billing_invoiceline": [
        "text = 'x'", "text = '', amount = amount + 1", "details = '{}'", "details = details || '{\"text\": \"x\"}'",
        "details = details - 'text' || '{\"more\": 1}'", "account = ''", "text = '', position = 9",
    ],
    "billing_journalentry": ["reason = 'x'", "reason = '', occurred_at = now()", "method = ''", "source = ''",
                             "reason = '', actor_id = NULL"],
    "billing_posting": ["amount = amount", "account = ''"],
    "billing_allocation": ["amount = amount"],
    "billing_subscriptionevent": ["reason = 'x'", "kind = ''", "details = '{}'", "details = details - 'plan'"],
    "payments_refund": ["reason = 'x'", "reason = '', amount = 1", "request_key = ''", "reason = '', payment_id = 0"],
    "customers_consent": ["source = 'x'", "source = '', is_granted = false", "channel = ''"],
    "accounts_activitylog": ["action = ''", "details = '{}'", "details = details - 'amount'", "user_id = NULL",
                             "details = jsonb_set(details, '{username}', '\"x\"')", "created_at = now()"],
}  # fmt: skip
ALLOWED = {
    "billing_invoice": "note = '' WHERE note <> ''", "billing_invoiceline": "text = '' WHERE text <> ''",
    "billing_journalentry": "reason = '' WHERE reason <> ''",
    "billing_subscriptionevent": "details = details - 'name' WHERE details ? 'name'",
    "payments_refund": "reason = '' WHERE reason <> ''", "customers_consent": "source = '' WHERE source <> ''",
    "accounts_activitylog": "details = details - 'reason' WHERE details ? 'reason'",
}  # fmt: skip


def test_sql_may_clear_a_text_and_change_nothing_else(people: tuple[User, User]) -> None:
    boss, cashier = people
    live(boss, cashier, "1")
    before = all_but_texts()
    for table, changes in REFUSED.items():
        updates = [f"UPDATE {table} SET {change}" for change in changes]  # noqa: S608  # constants
        for statement in (*updates, f"DELETE FROM {table}"):  # noqa: S608  # constants
            with pytest.raises(DatabaseError, match=r"grows|cannot be (changed|deleted)|null value"):
                rows_of(statement)
        with pytest.raises(DatabaseError):
            rows_of(f"TRUNCATE {table} CASCADE")
    for table, change in ALLOWED.items():
        assert rows_of(f"UPDATE {table} SET {change}") > [0], table  # noqa: S608  # constants
    assert all_but_texts() == before


def test_the_rules_can_go_back_to_refusing_everything_and_forth(people: tuple[User, User]) -> None:
    boss, cashier = people
    live(boss, cashier, "1")
    olds = {"billing": "0009", "payments": "0004", "customers": "0004", "accounts": "0003"}
    try:
        for app, old in olds.items():
            call_command("migrate", app, old, verbosity=0)
        for table, change in ALLOWED.items():
            with pytest.raises(DatabaseError, match=r"grows|cannot be changed"):
                rows_of(f"UPDATE {table} SET {change}")  # noqa: S608  # constants
        assert all(user_triggers().values())
    finally:
        for app in olds:
            call_command("migrate", app, verbosity=0)
    for table, change in ALLOWED.items():
        assert rows_of(f"UPDATE {table} SET {change}") > [0], table  # noqa: S608  # constants
