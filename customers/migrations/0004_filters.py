import django.contrib.postgres.operations
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0003_search_and_request_key")]
    operations = [
        django.contrib.postgres.operations.AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                fields=["-id"], name="customers_customer_credit", condition=models.Q(("balance__gt", 0))
            ),
        ),
        django.contrib.postgres.operations.AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                fields=["-id"], name="customers_customer_closed", condition=models.Q(("is_active", False))
            ),
        ),
    ]
