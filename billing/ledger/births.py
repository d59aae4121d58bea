"""How a bill comes into being and moves on, kept by the database: born unsettled, open with its entry, void with its reversal."""

from __future__ import annotations

_BORN = """
CREATE FUNCTION billing_invoice_birth_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'an invoice is born as a draft, open and unsettled, or paid when it asks for nothing; not %, % of % settled',
    NEW.status, NEW.settled_amount, NEW.total USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER billing_invoice_born BEFORE INSERT ON billing_invoice FOR EACH ROW
  WHEN (NEW.settled_amount <> 0 OR NEW.status NOT IN ('draft', 'open', 'paid')
        OR NEW.status = 'open' AND NEW.total = 0 OR NEW.status = 'paid' AND NEW.total <> 0)
  EXECUTE FUNCTION billing_invoice_birth_refuse();
"""

# open and paid follow from allocations alone: their trigger updates at depth 2, anybody else at depth 1
_MOVES = """
CREATE FUNCTION billing_invoice_move_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.status, NEW.status) IN (('open', 'paid'), ('paid', 'open')) AND pg_trigger_depth() > 1 THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'invoice % cannot go from % to %', coalesce(OLD.number, '#' || OLD.id), OLD.status, NEW.status
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER billing_invoice_moves BEFORE UPDATE OF status ON billing_invoice FOR EACH ROW
  WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (('draft', 'open'), ('open', 'void')))
  EXECUTE FUNCTION billing_invoice_move_refuse();
"""

# Deferred: the entry is written after the bill, in the same transaction.
_POSTED = """
CREATE FUNCTION billing_invoice_posted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  mine bigint; owed numeric;
BEGIN
  SELECT e.id, (SELECT sum(p.amount) FROM billing_posting p WHERE p.entry_id = e.id AND p.account IN ('receivable', 'wallet'))
    INTO mine, owed FROM billing_journalentry e WHERE e.source = 'invoice:' || NEW.id;
  IF owed IS DISTINCT FROM (CASE NEW.kind WHEN 'credit_note' THEN -NEW.total ELSE NEW.total END) THEN
    RAISE EXCEPTION 'invoice % is issued, and its entry is not for % but for %', NEW.number, NEW.total, coalesce(owed, 0)
      USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status = 'void' AND NOT EXISTS (SELECT 1 FROM billing_journalentry WHERE reverses_id = mine) THEN
    RAISE EXCEPTION 'invoice % is void, and its entry was not taken back', NEW.number USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER billing_invoice_born_posted AFTER INSERT ON billing_invoice
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'open') EXECUTE FUNCTION billing_invoice_posted();
CREATE CONSTRAINT TRIGGER billing_invoice_move_posted AFTER UPDATE ON billing_invoice
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD.status <> NEW.status AND (OLD.status = 'draft' OR NEW.status = 'void'))
  EXECUTE FUNCTION billing_invoice_posted();
"""

_BACKWARD = """
DROP TRIGGER billing_invoice_move_posted ON billing_invoice;
DROP TRIGGER billing_invoice_born_posted ON billing_invoice;
DROP FUNCTION billing_invoice_posted();
DROP TRIGGER billing_invoice_moves ON billing_invoice;
DROP FUNCTION billing_invoice_move_refuse();
DROP TRIGGER billing_invoice_born ON billing_invoice;
DROP FUNCTION billing_invoice_birth_refuse();
"""


def birth_guards() -> tuple[str, str]:
    """SQL that keeps births and moves of bills, and the SQL that lets go of them. No row is read: quick at any size."""
    return _BORN + _MOVES + _POSTED, _BACKWARD
