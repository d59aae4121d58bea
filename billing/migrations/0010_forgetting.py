# Notes and reasons of an erased person may be cleared; nothing else of bills and of the ledger can be changed.

from django.db import migrations

from billing.ledger.guards import forgetting_guards


class Migration(migrations.Migration):
    dependencies = [("billing", "0009_used_codes")]
    operations = [migrations.RunSQL(*forgetting_guards())]
