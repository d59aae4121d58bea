from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # the profit of a month reads that month's sales; built beside the running shop, outside a transaction
    atomic = False

    dependencies = [("vouchers", "0005_agents_index")]

    operations = [
        AddIndexConcurrently(
            model_name="vouchersale", index=models.Index(fields=["sold_at"], name="vouchers_sale_when")
        ),
    ]
