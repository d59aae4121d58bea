from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # codes that were used and never sold are few among millions; built beside the running shop, outside a transaction
    atomic = False

    dependencies = [("vouchers", "0006_sales_by_day"), ("billing", "0009_used_codes")]

    operations = [
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                fields=["-id"], name="vouchers_voucher_unsold",
                condition=models.Q(("sold_at", None), ("used_at__isnull", False)),
            ),
        ),
    ]  # fmt: skip
