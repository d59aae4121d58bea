"""The rules of the ledger that the database itself keeps, as SQL for the migration (research: measured as PoC).

Why in the database: a bug, a retry, a second process or a hand at the console must not be able to bend money. What each
trigger refuses is tested by direct SQL as the application's role.
"""

from __future__ import annotations

from core.db.immutable import append_only, clearable

# Postings may only be written by the transaction that wrote their entry. xid8 survives savepoints, xmin does not.
_XID = """
ALTER TABLE billing_journalentry ADD COLUMN created_xid xid8 NOT NULL DEFAULT pg_current_xact_id();
ALTER TABLE billing_invoice ADD COLUMN created_xid xid8 NOT NULL DEFAULT pg_current_xact_id();
"""

_ENTRIES = """
CREATE FUNCTION billing_posting_of_own_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT created_xid FROM billing_journalentry WHERE id = NEW.entry_id) IS DISTINCT FROM pg_current_xact_id() THEN
    RAISE EXCEPTION 'entry % is closed: a later posting is refused, write a new entry', NEW.entry_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER billing_posting_own_entry BEFORE INSERT ON billing_posting
  FOR EACH ROW EXECUTE FUNCTION billing_posting_of_own_entry();

CREATE FUNCTION billing_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted bigint; legs bigint; total numeric;
BEGIN
  IF TG_TABLE_NAME = 'billing_posting' THEN wanted := NEW.entry_id; ELSE wanted := NEW.id; END IF;
  SELECT count(*), coalesce(sum(amount), 0) INTO legs, total FROM billing_posting WHERE entry_id = wanted;
  IF legs < 2 OR total <> 0 THEN
    RAISE EXCEPTION 'entry % does not balance: % postings, sum %', wanted, legs, total
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER billing_entry_balanced AFTER INSERT ON billing_journalentry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing_entry_balances();
CREATE CONSTRAINT TRIGGER billing_posting_balanced AFTER INSERT ON billing_posting
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing_entry_balances();
"""

# `balance` and `debt` of a customer are sums of postings. The guard knows its caller by depth: a direct UPDATE is at
# depth 1, the UPDATE of the trigger above at depth 2. Rows are locked in pk order: two statements cannot dead-lock.
_BALANCES = """
CREATE FUNCTION billing_balances_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM customers_customer
    WHERE id IN (SELECT customer_id FROM fresh WHERE account IN ('wallet', 'receivable')) ORDER BY id FOR NO KEY UPDATE;
  UPDATE customers_customer c SET balance = c.balance - d.wallet, debt = c.debt + d.receivable
    FROM (SELECT customer_id, coalesce(sum(amount) FILTER (WHERE account = 'wallet'), 0) AS wallet,
                 coalesce(sum(amount) FILTER (WHERE account = 'receivable'), 0) AS receivable
          FROM fresh WHERE account IN ('wallet', 'receivable') GROUP BY customer_id) d
    WHERE c.id = d.customer_id AND (d.wallet <> 0 OR d.receivable <> 0);
  RETURN NULL;
END $$;
CREATE TRIGGER billing_posting_balances AFTER INSERT ON billing_posting
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION billing_balances_keep();

CREATE FUNCTION billing_balances_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF pg_trigger_depth() < 2 THEN
    RAISE EXCEPTION 'balance and debt are sums of postings: write an entry' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER customers_customer_balances BEFORE UPDATE OF balance, debt ON customers_customer FOR EACH ROW
  WHEN (OLD.balance <> NEW.balance OR OLD.debt <> NEW.debt) EXECUTE FUNCTION billing_balances_refuse();
CREATE TRIGGER customers_customer_starts_empty BEFORE INSERT ON customers_customer FOR EACH ROW
  WHEN (NEW.balance <> 0 OR NEW.debt <> 0) EXECUTE FUNCTION billing_balances_refuse();
"""

# An invoice is paid exactly when its allocations reach its total: nobody sets that by hand.
_INVOICES = """
CREATE FUNCTION billing_invoice_settle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM billing_invoice WHERE id IN (SELECT invoice_id FROM fresh) ORDER BY id FOR NO KEY UPDATE;
  IF EXISTS (SELECT 1 FROM fresh f JOIN billing_invoice i ON i.id = f.invoice_id WHERE i.status NOT IN ('open', 'paid')) THEN
    RAISE EXCEPTION 'only an open or paid invoice can be settled' USING ERRCODE = 'restrict_violation';
  END IF;
  UPDATE billing_invoice i SET settled_amount = i.settled_amount + d.amount,
      status = CASE WHEN i.settled_amount + d.amount = i.total THEN 'paid' ELSE 'open' END,
      closed_at = CASE WHEN i.settled_amount + d.amount = i.total THEN d.at END
    FROM (SELECT invoice_id, sum(amount) AS amount, max(at) AS at FROM fresh GROUP BY invoice_id) d
    WHERE i.id = d.invoice_id;
  RETURN NULL;
END $$;
CREATE TRIGGER billing_allocation_settles AFTER INSERT ON billing_allocation
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION billing_invoice_settle();
"""

_INVOICE_FIXED = """
CREATE FUNCTION billing_invoice_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  free text[] := ARRAY['status', 'settled_amount', 'closed_at'];
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.status <> 'draft' THEN
      RAISE EXCEPTION 'invoice % is issued and cannot be deleted: write a credit note', OLD.number
        USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
  END IF;
  IF NEW.settled_amount <> OLD.settled_amount AND pg_trigger_depth() < 2 THEN
    RAISE EXCEPTION 'settled_amount is the sum of allocations' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status <> 'draft' AND to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
    RAISE EXCEPTION 'invoice % is issued and cannot be changed: write a credit note', OLD.number
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.status = 'void' AND NEW.settled_amount <> 0 THEN
    RAISE EXCEPTION 'invoice % has settlements and cannot be void', OLD.number USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
"""

_LINES_FIXED = """
CREATE FUNCTION billing_lines_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted bigint; found record;
BEGIN
  IF TG_OP = 'INSERT' THEN wanted := NEW.invoice_id; ELSE wanted := OLD.invoice_id; END IF;
  SELECT status, created_xid INTO found FROM billing_invoice WHERE id = wanted;
  -- a bill may be born open: its lines come with it, in the same transaction, and never later
  IF found.status <> 'draft' AND (TG_OP <> 'INSERT' OR found.created_xid <> pg_current_xact_id()) THEN
    RAISE EXCEPTION 'the lines of an issued invoice cannot be changed: write a credit note'
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.invoice_id <> OLD.invoice_id THEN
    RAISE EXCEPTION 'a line stays on its invoice' USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$;
"""

_INVOICES_KEPT = f"""
{_INVOICE_FIXED}
CREATE TRIGGER billing_invoice_immutable BEFORE UPDATE OR DELETE ON billing_invoice
  FOR EACH ROW EXECUTE FUNCTION billing_invoice_fixed();
{_LINES_FIXED}
CREATE TRIGGER billing_line_immutable BEFORE INSERT OR UPDATE OR DELETE ON billing_invoiceline
  FOR EACH ROW EXECUTE FUNCTION billing_lines_fixed();
"""

_BACKWARD = """
DROP TRIGGER billing_line_immutable ON billing_invoiceline;
DROP FUNCTION billing_lines_fixed();
DROP TRIGGER billing_invoice_immutable ON billing_invoice;
DROP FUNCTION billing_invoice_fixed();
DROP TRIGGER billing_allocation_settles ON billing_allocation;
DROP FUNCTION billing_invoice_settle();
DROP TRIGGER customers_customer_starts_empty ON customers_customer;
DROP TRIGGER customers_customer_balances ON customers_customer;
DROP FUNCTION billing_balances_refuse();
DROP TRIGGER billing_posting_balances ON billing_posting;
DROP FUNCTION billing_balances_keep();
DROP TRIGGER billing_posting_balanced ON billing_posting;
DROP TRIGGER billing_entry_balanced ON billing_journalentry;
DROP FUNCTION billing_entry_balances();
DROP TRIGGER billing_posting_own_entry ON billing_posting;
DROP FUNCTION billing_posting_of_own_entry();
ALTER TABLE billing_invoice DROP COLUMN created_xid;
ALTER TABLE billing_journalentry DROP COLUMN created_xid;
"""

ONLY_GROWING = ("billing_journalentry", "billing_posting", "billing_allocation", "billing_subscriptionevent")


def guards() -> tuple[str, str]:
    """SQL that puts every rule in place, and the SQL that takes them away again."""
    pairs = [append_only(table) for table in ONLY_GROWING]
    forward = _XID + _ENTRIES + _BALANCES + _INVOICES + _INVOICES_KEPT + "\n".join(pair[0] for pair in pairs)
    backward = "\n".join(pair[1] for pair in pairs) + _BACKWARD
    return forward, backward


# An agent's deposit is kept like a customer's balance: by the postings themselves, with no other writer.
_AGENTS = """
CREATE FUNCTION billing_agents_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM billing_agent WHERE id IN (SELECT substr(account, 7)::bigint FROM fresh WHERE account LIKE 'agent:%')
    ORDER BY id FOR NO KEY UPDATE;
  IF FOUND THEN
    UPDATE billing_agent a SET balance = a.balance - d.amount
      FROM (SELECT substr(account, 7)::bigint AS id, sum(amount) AS amount FROM fresh
            WHERE account LIKE 'agent:%' GROUP BY 1) d
      WHERE a.id = d.id AND d.amount <> 0;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER billing_posting_agents AFTER INSERT ON billing_posting
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION billing_agents_keep();
CREATE TRIGGER billing_agent_balance BEFORE UPDATE OF balance ON billing_agent FOR EACH ROW
  WHEN (OLD.balance <> NEW.balance) EXECUTE FUNCTION billing_balances_refuse();
CREATE TRIGGER billing_agent_starts_empty BEFORE INSERT ON billing_agent FOR EACH ROW
  WHEN (NEW.balance <> 0) EXECUTE FUNCTION billing_balances_refuse();
"""

_AGENTS_BACKWARD = """
DROP TRIGGER billing_agent_starts_empty ON billing_agent;
DROP TRIGGER billing_agent_balance ON billing_agent;
DROP TRIGGER billing_posting_agents ON billing_posting;
DROP FUNCTION billing_agents_keep();
"""


def agent_guards() -> tuple[str, str]:
    """The rule for agents' deposits, and the SQL that takes it away again."""
    return _AGENTS, _AGENTS_BACKWARD


# Whatever races with what: nobody sells more than his deposit and his credit pay for. The one exception is a code of his
# that a guest used before he sold it: the guest is online already, so the fact is recorded even below the limit. What
# makes his deposit smaller in any other way is refused there; what makes it larger never is.
_AGENT_LIMIT = """
ALTER TABLE billing_agent DROP CONSTRAINT billing_agent_credit;
CREATE OR REPLACE FUNCTION billing_agents_keep() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  over record;
BEGIN
  PERFORM 1 FROM billing_agent WHERE id IN (SELECT substr(account, 7)::bigint FROM fresh WHERE account LIKE 'agent:%')
    ORDER BY id FOR NO KEY UPDATE;
  IF FOUND THEN
    UPDATE billing_agent a SET balance = a.balance - d.amount
      FROM (SELECT substr(account, 7)::bigint AS id, sum(amount) AS amount FROM fresh
            WHERE account LIKE 'agent:%' GROUP BY 1) d
      WHERE a.id = d.id AND d.amount <> 0;
    SELECT a.id, a.balance INTO over FROM billing_agent a
      JOIN (SELECT substr(f.account, 7)::bigint AS id FROM fresh f JOIN billing_journalentry e ON e.id = f.entry_id
            WHERE f.account LIKE 'agent:%' AND e.kind <> 'voucher_used' GROUP BY 1 HAVING sum(f.amount) > 0) d ON d.id = a.id
      WHERE a.balance < -a.credit_limit ORDER BY a.id LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'the deposit of agent % would be %, below his credit limit', over.id, over.balance
        USING ERRCODE = 'check_violation', CONSTRAINT = 'billing_agent_credit';
    END IF;
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION billing_agent_limit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'agent % owes more than the new credit limit', NEW.id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'billing_agent_credit';
END $$;
CREATE TRIGGER billing_agent_limit_kept BEFORE UPDATE OF credit_limit ON billing_agent FOR EACH ROW
  WHEN (NEW.credit_limit < OLD.credit_limit AND NEW.balance < -NEW.credit_limit)
  EXECUTE FUNCTION billing_agent_limit_refuse();
"""

# NOT VALID: going back must not fail because somebody is below his limit by then; from there on nobody goes lower.
_AGENT_LIMIT_BACKWARD = (
    """
DROP TRIGGER billing_agent_limit_kept ON billing_agent;
DROP FUNCTION billing_agent_limit_refuse();
"""
    + _AGENTS.split("CREATE TRIGGER", 1)[0].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    + """
ALTER TABLE billing_agent ADD CONSTRAINT billing_agent_credit CHECK (balance >= credit_limit * -1) NOT VALID;
"""
)


def agent_limit_guards() -> tuple[str, str]:
    """The credit limit of agents, which used codes may pass, and the SQL that goes back to the plain constraint."""
    return _AGENT_LIMIT, _AGENT_LIMIT_BACKWARD


# --- forgetting a person (`billing.services.erasing`): what people wrote may be cleared, nothing else ------------------

# what of a line a person typed: hand-written lines, names of add-ons and one-off charges, and both on a credit note
LINE_TEXTS = ("text", "details.text", "details.name", "details.details.text", "details.details.name")
EVENT_TEXTS = (
    "reason", "details.name", "details.changes.note", "details.before.username", "details.after.username",
    "details.before.mac_address", "details.after.mac_address",
)  # fmt: skip


def _replacing(function: str) -> str:
    return function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


def forgetting_guards() -> tuple[str, str]:
    """SQL that lets these texts be cleared, and the SQL that refuses that again."""
    was = "to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free"
    note = f"{was} AND NOT core_only_cleared(to_jsonb(OLD) - free, to_jsonb(NEW) - free, 'note')"
    late = "(TG_OP <> 'INSERT' OR found.created_xid <> pg_current_xact_id())"
    texts = ", ".join(f"'{path}'" for path in LINE_TEXTS)
    cleared = f"NOT (TG_OP = 'UPDATE' AND core_only_cleared(to_jsonb(OLD), to_jsonb(NEW), {texts}))"
    pairs = [clearable("billing_journalentry", "reason"), clearable("billing_subscriptionevent", *EVENT_TEXTS)]
    forward = (
        "\n".join(pair[0] for pair in pairs)
        + _replacing(_INVOICE_FIXED.replace(was, note))
        + _replacing(_LINES_FIXED.replace(late, f"{late} AND {cleared}"))
    )
    backward = "\n".join(pair[1] for pair in pairs) + _replacing(_INVOICE_FIXED) + _replacing(_LINES_FIXED)
    return forward, backward
