"""What `ledger_check` asks about payments: money that a row tells of and the ledger does not, or tells otherwise."""

from __future__ import annotations

# the entry of a payment brings its amount into one account (a drawer, a bank, a clearing account)
UNPOSTED_PAYMENTS = """
SELECT p.id FROM payments_payment p LEFT JOIN billing_journalentry e ON e.id = p.entry_id
WHERE p.status = 'confirmed' AND (e.source IS DISTINCT FROM 'payment:' || p.id OR p.amount <> (
    SELECT coalesce(sum(g.amount), 0) FROM billing_posting g WHERE g.entry_id = e.id AND g.customer_id IS NULL))"""

UNPOSTED_REFUNDS = """
SELECT r.id FROM payments_refund r LEFT JOIN billing_journalentry e ON e.id = r.entry_id
WHERE e.source IS DISTINCT FROM 'refund:' || r.id OR -r.amount <> (
    SELECT coalesce(sum(g.amount), 0) FROM billing_posting g WHERE g.entry_id = e.id AND g.customer_id IS NULL)"""
