"""What `ledger_check` asks about payments: money that a row tells of and the ledger does not, or tells otherwise."""

from __future__ import annotations

# the entry of a payment brings its amount into one account (a drawer, a bank, a clearing account)
UNPOSTED_PAYMENTS = """
SELECT p.id FROM payments_payment p LEFT JOIN billing_journalentry e ON e.id = p.entry_id
WHERE p.status IN ('confirmed', 'reversed') AND (e.source IS DISTINCT FROM 'payment:' || p.id OR p.amount <> (
    SELECT coalesce(sum(g.amount), 0) FROM billing_posting g WHERE g.entry_id = e.id AND g.customer_id IS NULL))"""

UNPOSTED_REFUNDS = """
SELECT r.id FROM payments_refund r LEFT JOIN billing_journalentry e ON e.id = r.entry_id
WHERE e.source IS DISTINCT FROM 'refund:' || r.id OR -r.amount <> (
    SELECT coalesce(sum(g.amount), 0) FROM billing_posting g WHERE g.entry_id = e.id AND g.customer_id IS NULL)"""

# a payment is "taken back" exactly when an entry takes its entry back, for what was not refunded before
UNPOSTED_REVERSALS = """
SELECT p.id FROM payments_payment p LEFT JOIN billing_journalentry b ON b.reverses_id = p.entry_id
LEFT JOIN payments_reversal r ON r.payment_id = p.id AND r.status = 'posted'
WHERE (p.status = 'reversed' OR r.id IS NOT NULL OR p.entry_id IS NOT NULL AND b.id IS NOT NULL) AND (
    p.status <> 'reversed' OR r.entry_id IS DISTINCT FROM b.id OR r.id IS NULL
    OR -r.amount <> (SELECT coalesce(sum(g.amount), 0) FROM billing_posting g
                     WHERE g.entry_id = b.id AND g.customer_id IS NULL)
    OR r.amount + (SELECT coalesce(sum(f.amount), 0) FROM payments_refund f WHERE f.payment_id = p.id) <> p.amount)"""

# a row is never removed: an entry without its row is money that nobody can explain any more
ROWLESS_PAYMENTS = """
SELECT e.id FROM billing_journalentry e LEFT JOIN payments_payment p ON e.source = 'payment:' || p.id
WHERE e.source LIKE 'payment:%' AND p.id IS NULL
UNION ALL
SELECT e.id FROM billing_journalentry e LEFT JOIN payments_refund r ON e.source = 'refund:' || r.id
WHERE e.source LIKE 'refund:%' AND r.id IS NULL"""
