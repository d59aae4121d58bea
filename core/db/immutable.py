"""Tables that only grow: triggers refuse UPDATE, DELETE and TRUNCATE, whoever asks.

Used in migrations: `migrations.RunSQL(*append_only("vouchers_vouchersale"))`.
"""

from __future__ import annotations

from django.db import connection

FUNCTION = """
CREATE OR REPLACE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'table % only grows: % is refused, write a reversing row', TG_TABLE_NAME, TG_OP
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


def protected_tables() -> dict[str, bool]:
    """Every table with a truncate guard, and whether all its guards are enabled. The tests ask this around each flush."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, bool_and(t.tgenabled = 'O') AND count(*) = 2 FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
            "WHERE p.proname = 'core_refuse_change' GROUP BY c.relname ORDER BY c.relname"
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
