"""Tables that only grow: triggers refuse UPDATE, DELETE and TRUNCATE, whoever asks.

Used in migrations: `migrations.RunSQL(*append_only("vouchers_vouchersale"))`. A person can be erased: what people wrote
about somebody may be cleared where a migration says so (`clearable`), and never be replaced by something else.
Rows that are decided step by step (a shift that is open, counted, handed over) are `fixed` from each step on.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

FUNCTION = """
CREATE OR REPLACE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'table % only grows: % is refused, write a reversing row', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
"""

# whether a row differs only by what was cleared. A path is a column that becomes '', or keys into JSON that are gone
ONLY_CLEARED = """
CREATE OR REPLACE FUNCTION core_only_cleared(was jsonb, wish jsonb, VARIADIC paths text[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  path text; steps text[];
BEGIN
  IF was = wish THEN RETURN false; END IF;
  FOREACH path IN ARRAY paths LOOP
    steps := string_to_array(path, '.');
    IF cardinality(steps) = 1 THEN
      IF wish ->> path = '' THEN was := was || jsonb_build_object(path, ''); END IF;
    ELSIF wish #> steps IS NULL AND jsonb_typeof(was #> steps[1 : cardinality(steps) - 1]) = 'object' THEN
      was := was #- steps;
    END IF;
  END LOOP;
  RETURN was = wish;
END $$;
"""
_CLEARING = """
CREATE OR REPLACE FUNCTION core_refuse_change_but_clearing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND core_only_cleared(to_jsonb(OLD), to_jsonb(NEW), VARIADIC TG_ARGV) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'table % only grows: % is refused, write a reversing row', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
"""


# a row that was decided: the first argument names the columns that may change still, the others texts that may be cleared
_FIXED = """
CREATE OR REPLACE FUNCTION core_refuse_change_of_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  free text[] := string_to_array(TG_ARGV[0], ' '); was jsonb := to_jsonb(OLD) - free; wish jsonb;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    wish := to_jsonb(NEW) - free;
    IF was = wish OR core_only_cleared(was, wish, VARIADIC string_to_array(TG_ARGV[1], ' ')) THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION 'row % of table % is decided: % is refused, write a reversing row', OLD.id, TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
"""


def append_only(table: str) -> tuple[str, str]:
    """SQL to protect `table`, and the SQL that takes the protection away again."""
    forward = FUNCTION + (
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION core_refuse_change();\n"
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();"
    )
    backward = f"DROP TRIGGER {table}_append_only ON {table}; DROP TRIGGER {table}_no_truncate ON {table};"
    return forward, backward


def clearable(table: str, *paths: str) -> tuple[str, str]:
    """SQL that lets these be cleared in a table that only grows, and the SQL that refuses that again.

    A path is a column of text ("reason", which may become '') or a key of a JSON column ("details.note", which may go).
    """
    drop = f"DROP TRIGGER {table}_append_only ON {table};\n"
    create = f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION"
    arguments = ", ".join(f"'{path}'" for path in paths)
    forward = ONLY_CLEARED + _CLEARING + drop + f"{create} core_refuse_change_but_clearing({arguments});"
    return forward, drop + f"{create} core_refuse_change();"


@dataclass(frozen=True)
class Step:
    """While `when` (SQL about OLD) holds, only the `free` columns may change and the `texts` be cleared; no DELETE.

    No two steps of a table may hold at once; between them they say which moves are legal.
    """

    name: str
    when: str
    free: str = ""
    texts: str = ""


def fixed(table: str, *steps: Step) -> tuple[str, str]:
    """SQL that fixes rows of `table` step by step, and the SQL that lets them be changed again."""
    forward = ONLY_CLEARED + _FIXED
    for step in steps:
        forward += (
            f"CREATE TRIGGER {table}_{step.name} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW WHEN ({step.when}) "
            f"EXECUTE FUNCTION core_refuse_change_of_fixed('{step.free}', '{step.texts}');\n"
        )
    return forward, "".join(f"DROP TRIGGER {table}_{step.name} ON {table};\n" for step in steps)


def protected_tables() -> dict[str, bool]:
    """Every table with a truncate guard, and whether all its guards are enabled. The tests ask this around each flush."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, bool_and(t.tgenabled = 'O') AND count(*) = 2 FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
            "WHERE p.proname IN ('core_refuse_change', 'core_refuse_change_but_clearing') GROUP BY c.relname ORDER BY c.relname"
        )
        return {name: bool(enabled) for name, enabled in cursor.fetchall()}


def user_triggers() -> dict[str, bool]:
    """Every trigger a migration made, as `table.trigger`, and whether it is enabled. The ledger's rules are among them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname || '.' || t.tgname, t.tgenabled = 'O' FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal ORDER BY 1"
        )
        return {name: bool(enabled) for name, enabled in cursor.fetchall()}
