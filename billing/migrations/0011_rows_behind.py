# Expenses, corrections, shifts and billed days keep what was decided about them, whoever asks.

from django.db import migrations

from billing.ledger.rows import row_guards


class Migration(migrations.Migration):
    dependencies = [("billing", "0010_forgetting")]
    operations = [migrations.RunSQL(*row_guards())]
