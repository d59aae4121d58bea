# Bills are born unsettled and move as the product moves them; an open one has its entry, a void one its reversal.

from django.db import migrations

from billing.ledger.births import birth_guards


class Migration(migrations.Migration):
    dependencies = [("billing", "0011_rows_behind")]
    operations = [migrations.RunSQL(*birth_guards())]
