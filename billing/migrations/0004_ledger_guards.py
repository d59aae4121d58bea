from django.db import migrations

from billing.ledger.guards import guards


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_money"), ("customers", "0001_initial"), ("core", "0002_numbers")]
    operations = [migrations.RunSQL(*guards())]
