"""`ledger_check`: recompute everything from the postings and compare with what is shown. Nightly, and on the health page."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import connection

from core.db.immutable import user_triggers

EXAMPLES = 20  # ids named per finding; the count is always whole

# name → SQL that selects `id`s of wrong rows; rooms above add theirs with `question_add`
_QUESTIONS: dict[str, str] = {
    "unbalanced": """
        SELECT e.id FROM billing_journalentry e LEFT JOIN billing_posting p ON p.entry_id = e.id
        GROUP BY e.id HAVING count(p.id) < 2 OR sum(p.amount) <> 0""",
    "balance": """
        SELECT c.id FROM customers_customer c LEFT JOIN (
            SELECT customer_id, coalesce(sum(amount) FILTER (WHERE account = 'wallet'), 0) AS wallet,
                   coalesce(sum(amount) FILTER (WHERE account = 'receivable'), 0) AS receivable
            FROM billing_posting WHERE customer_id IS NOT NULL GROUP BY customer_id) s ON s.customer_id = c.id
        WHERE c.balance <> -coalesce(s.wallet, 0) OR c.debt <> coalesce(s.receivable, 0)""",
    "settled": """
        SELECT i.id FROM billing_invoice i LEFT JOIN (
            SELECT invoice_id, sum(amount) AS amount FROM billing_allocation GROUP BY invoice_id) a ON a.invoice_id = i.id
        WHERE i.settled_amount <> coalesce(a.amount, 0)
           OR (i.status = 'open' AND i.kind = 'invoice' AND i.settled_amount = i.total)""",
    "lines": """
        SELECT i.id FROM billing_invoice i LEFT JOIN (
            SELECT invoice_id, sum(amount) AS amount, sum(tax_amount) AS tax FROM billing_invoiceline GROUP BY invoice_id
        ) l ON l.invoice_id = i.id
        WHERE i.status <> 'draft' AND (i.subtotal <> coalesce(l.amount, 0) OR i.tax_amount <> coalesce(l.tax, 0))""",
    "unposted": """
        SELECT i.id FROM billing_invoice i LEFT JOIN (
            SELECT e.source, sum(p.amount) AS amount FROM billing_journalentry e JOIN billing_posting p ON p.entry_id = e.id
            WHERE e.source LIKE 'invoice:%' AND p.account IN ('receivable', 'wallet') GROUP BY e.source
        ) s ON s.source = 'invoice:' || i.id
        WHERE i.status <> 'draft' AND i.total <> 0
          AND s.amount IS DISTINCT FROM CASE i.kind WHEN 'credit_note' THEN -i.total ELSE i.total END""",
    "voided": """
        SELECT i.id FROM billing_invoice i JOIN billing_journalentry e ON e.source = 'invoice:' || i.id
          LEFT JOIN billing_journalentry r ON r.reverses_id = e.id
        WHERE (i.status = 'void') <> (r.id IS NOT NULL)""",
    "receivable": """
        SELECT c.id FROM customers_customer c LEFT JOIN (
            SELECT coalesce(c2.merged_into_id, c2.id) AS id, sum(i.total - i.settled_amount) AS amount
            FROM billing_invoice i JOIN customers_customer c2 ON c2.id = i.customer_id
            WHERE i.status = 'open' AND i.kind = 'invoice' GROUP BY 1) o ON o.id = c.id
        WHERE c.debt <> coalesce(o.amount, 0)""",
    "agents": """
        SELECT a.id FROM billing_agent a LEFT JOIN (
            SELECT account, sum(amount) AS amount FROM billing_posting WHERE account LIKE 'agent:%' GROUP BY account
        ) p ON p.account = 'agent:' || a.id
        WHERE a.balance <> -coalesce(p.amount, 0)""",
    "unposted_expenses": """
        SELECT x.id FROM billing_expense x LEFT JOIN billing_journalentry e ON e.source = 'expense:' || x.id
          LEFT JOIN billing_journalentry r ON r.reverses_id = e.id
        WHERE e.id IS NULL OR (x.reversed_at IS NULL) <> (r.id IS NULL) OR -x.amount <> (
            SELECT coalesce(sum(g.amount), 0) FROM billing_posting g WHERE g.entry_id = e.id AND g.account = x.paid_from)""",
    "unposted_adjustments": """
        SELECT a.id FROM billing_adjustment a LEFT JOIN billing_journalentry e ON e.source = 'adjustment:' || a.id
          LEFT JOIN billing_invoice i ON i.source = 'adjustment:' || a.id
        WHERE CASE WHEN a.status = 'posted' THEN a.amount ELSE 0 END <> coalesce(-i.total, (
            SELECT -sum(g.amount) FROM billing_posting g WHERE g.entry_id = e.id AND g.account = 'wallet'), 0)""",
    "unposted_shifts": """
        SELECT s.id FROM billing_cashshift s CROSS JOIN LATERAL (
            SELECT coalesce(sum(g.amount) FILTER (WHERE e.source LIKE 'shift_difference:%'), 0) AS difference,
                   coalesce(sum(g.amount) FILTER (WHERE e.source LIKE 'shift_handover:%'), 0) AS handed_over
            FROM billing_journalentry e JOIN billing_posting g ON g.entry_id = e.id AND g.account = 'cash:' || s.user_id
            WHERE e.source IN ('shift_difference:' || s.id, 'shift_handover:' || s.id)) l
        WHERE coalesce(s.counted_amount - s.expected_amount, 0) <> l.difference
           OR coalesce(-s.handed_over_amount, 0) <> l.handed_over""",
    "rowless": """
        SELECT e.id FROM billing_journalentry e LEFT JOIN billing_expense x ON e.source = 'expense:' || x.id
        WHERE e.source LIKE 'expense:%' AND x.id IS NULL
        UNION ALL
        SELECT e.id FROM billing_journalentry e LEFT JOIN billing_adjustment a ON e.source = 'adjustment:' || a.id
        WHERE e.source LIKE 'adjustment:%' AND a.id IS NULL
        UNION ALL
        SELECT e.id FROM billing_journalentry e LEFT JOIN billing_cashshift s ON split_part(e.source, ':', 2) = s.id::text
        WHERE e.source LIKE 'shift\\_%' AND s.id IS NULL
        UNION ALL
        SELECT e.id FROM billing_journalentry e LEFT JOIN billing_invoice i ON e.source = 'invoice:' || i.id
        WHERE e.source LIKE 'invoice:%' AND i.id IS NULL""",
    # days that a bill of the engine or of a change of plan is for, and that no period says were billed
    "days_forgotten": """
        SELECT i.id FROM billing_invoice i
        WHERE i.kind = 'invoice' AND i.status NOT IN ('draft', 'void') AND i.period_start IS NOT NULL
          AND (i.source LIKE 'sub:%' OR i.source LIKE 'plan\\_change:%') AND NOT EXISTS (
            SELECT 1 FROM billing_subscriptionperiod p
            WHERE p.subscription_id = i.subscription_id AND p.starts_on <= i.period_start AND p.ends_on > i.period_start)""",
    "days_twice": """
        SELECT subscription_id AS id FROM (
            SELECT subscription_id, starts_on, lag(ends_on) OVER (PARTITION BY subscription_id ORDER BY starts_on) AS before
            FROM billing_subscriptionperiod) q WHERE before > starts_on GROUP BY subscription_id""",
}


def question_add(name: str, sql: str) -> None:
    """One more finding of `ledger_check`, from `AppConfig.ready()` of a room above. Name it `unposted_…` when it finds
    money that moved without an entry: the tests ask those after every test."""
    _QUESTIONS[name] = sql


def unposted() -> dict[str, list[int]]:
    """Rows that say money moved while the ledger knows nothing of it, by the name of the question."""
    found: dict[str, list[int]] = {}
    with connection.cursor() as cursor:
        for name, question in _QUESTIONS.items():
            if name.startswith("unposted"):
                cursor.execute(f"SELECT id FROM ({question}) q ORDER BY id LIMIT {EXAMPLES}")  # noqa: S608  # constants
                if rows := cursor.fetchall():
                    found[name] = [row[0] for row in rows]
    return found


@dataclass(frozen=True)
class LedgerReport:
    """Finding → ids of the rows that are wrong (the first `EXAMPLES`) and how many there are; empty when all is right.

    `unbalanced` entries; customers whose `balance` or debt is not the sum of postings; invoices
    `settled` otherwise than their allocations, with other sums than their `lines`, or `unposted`; customers whose
    `receivable` is not the sum of their open invoices; entries that are `rowless`; days that were billed and are forgotten,
    or billed twice; `triggers` that are switched off; `sum` of all postings.
    """

    findings: dict[str, list[int | str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def is_right(self) -> bool:
        return not self.counts


def ledger_check() -> LedgerReport:
    """Read-only. Each question sees one moment, and no lock is taken: people go on working.

    About three seconds for a million postings with 200,000 bills and 100,000 customers (`bin/bench reports`, two busy cores).
    """
    report = LedgerReport()
    with connection.cursor() as cursor:
        for name, question in _QUESTIONS.items():
            cursor.execute(f"SELECT id, count(*) OVER () FROM ({question}) q ORDER BY id LIMIT {EXAMPLES}")  # noqa: S608  # constants
            rows = cursor.fetchall()
            if rows:
                report.findings[name] = [row[0] for row in rows]
                report.counts[name] = int(rows[0][1])
        cursor.execute("SELECT coalesce(sum(amount), 0) FROM billing_posting")
        if (total := cursor.fetchone()[0]) != 0:
            report.findings["sum"], report.counts["sum"] = [str(total)], 1
    off = [name for name, enabled in user_triggers().items() if not enabled]
    if off:
        report.findings["triggers"], report.counts["triggers"] = list(off), len(off)
    return report
