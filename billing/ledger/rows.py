"""The rows behind the postings, kept by the database: what was spent, corrected, counted and billed does not change.

Each step of a row leaves open what the next step writes, and nothing else; what people wrote may be cleared when a person
is erased. Days that were billed stay billed: their period may be cut only where another takes over its days.
"""

from __future__ import annotations

from core.db.immutable import Step, fixed

ASKED = "status decided_by_id decided_at"  # what the decision writes
COUNTED = "status counted_at counted_amount expected_amount note"
HANDED_OVER = "status handed_over_at handed_over_amount handed_over_to_id"

_FIXED = (
    fixed(
        "billing_expense",
        Step("fixed", "OLD.reversed_at IS NULL", "reversed_at", "note"),
        Step("taken_back", "OLD.reversed_at IS NOT NULL", "", "note"),
    ),
    fixed(
        "billing_adjustment",
        Step("asked", "OLD.status = 'waiting'", ASKED, "reason"),
        Step("decided", "OLD.status <> 'waiting'", "", "reason"),
    ),
    fixed(
        "billing_cashshift",
        Step("opened", "OLD.status = 'open'", COUNTED),
        Step("counted", "OLD.status = 'counted'", HANDED_OVER, "note"),
        Step("handed_over", "OLD.status = 'handed_over'", "", "note"),
    ),
)

# Services are locked by whoever bills them (`history.subscriptions_lock`): two periods of one never arrive at once.
_PERIODS = """
CREATE FUNCTION billing_period_alone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- one that begins the same day is the business of billing_period_once
  IF EXISTS (SELECT 1 FROM billing_subscriptionperiod p WHERE p.subscription_id = NEW.subscription_id
             AND p.starts_on < NEW.ends_on AND p.ends_on > NEW.starts_on AND p.starts_on <> NEW.starts_on) THEN
    RAISE EXCEPTION 'days of service % from % to % are billed already', NEW.subscription_id, NEW.starts_on, NEW.ends_on
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER billing_period_overlap BEFORE INSERT ON billing_subscriptionperiod
  FOR EACH ROW EXECUTE FUNCTION billing_period_alone();

CREATE FUNCTION billing_period_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.id, NEW.subscription_id, NEW.starts_on) = (OLD.id, OLD.subscription_id, OLD.starts_on) THEN
    -- cut short for what was used of it, or on another bill because its own asks for nothing any more
    IF NEW.ends_on < OLD.ends_on AND NEW.invoice_id IS NOT DISTINCT FROM OLD.invoice_id
       AND NEW.amount BETWEEN 0 AND OLD.amount THEN RETURN NEW; END IF;
    IF NEW.ends_on = OLD.ends_on AND EXISTS (SELECT 1 FROM billing_invoice i WHERE i.id = OLD.invoice_id AND (
         i.status = 'void' OR i.total = (SELECT sum(c.total) FROM billing_invoice c WHERE c.credits_id = i.id))) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'period % of service % is billed and cannot be changed: write a credit note', OLD.starts_on,
    OLD.subscription_id USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER billing_period_fixed BEFORE UPDATE ON billing_subscriptionperiod FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION billing_period_kept();

CREATE FUNCTION billing_period_days_stay() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  since date := OLD.starts_on; gap date;
BEGIN
  IF TG_OP = 'UPDATE' THEN since := NEW.ends_on; END IF;
  SELECT d::date INTO gap FROM generate_series(since, OLD.ends_on - 1, interval '1 day') d
    WHERE NOT EXISTS (SELECT 1 FROM billing_subscriptionperiod p
                      WHERE p.subscription_id = OLD.subscription_id AND p.starts_on <= d AND p.ends_on > d) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'day % of service % was billed and would be billed again', gap, OLD.subscription_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER billing_period_gone AFTER DELETE ON billing_subscriptionperiod
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing_period_days_stay();
CREATE CONSTRAINT TRIGGER billing_period_cut AFTER UPDATE OF ends_on ON billing_subscriptionperiod
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing_period_days_stay();
"""

_PERIODS_BACKWARD = """
DROP TRIGGER billing_period_cut ON billing_subscriptionperiod;
DROP TRIGGER billing_period_gone ON billing_subscriptionperiod;
DROP FUNCTION billing_period_days_stay();
DROP TRIGGER billing_period_fixed ON billing_subscriptionperiod;
DROP FUNCTION billing_period_kept();
DROP TRIGGER billing_period_overlap ON billing_subscriptionperiod;
DROP FUNCTION billing_period_alone();
"""


def row_guards() -> tuple[str, str]:
    """SQL that keeps these rows, and the SQL that lets go of them again. No row is read or written: quick at any size."""
    return "".join(pair[0] for pair in _FIXED) + _PERIODS, _PERIODS_BACKWARD + "".join(pair[1] for pair in _FIXED)
