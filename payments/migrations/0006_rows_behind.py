# Payments whose money is in the ledger, and what was asked and decided about them, keep what was decided.

from django.db import migrations

from core.db.immutable import Step, fixed

PAYMENTS = fixed(
    "payments_payment",
    Step("confirmed", "OLD.status = 'confirmed'", "status updated_at", "note"),
    Step("taken_back", "OLD.status = 'reversed'", "", "note"),
)
REVERSALS = fixed(
    "payments_reversal",
    Step("asked", "OLD.status = 'waiting'", "status decided_by_id decided_at entry_id", "reason"),
    Step("decided", "OLD.status <> 'waiting'", "", "reason"),
)


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_forgetting")]
    operations = [migrations.RunSQL(*PAYMENTS), migrations.RunSQL(*REVERSALS)]
