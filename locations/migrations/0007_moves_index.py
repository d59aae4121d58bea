from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("locations", "0006_moves")]

    operations = [
        AddIndexConcurrently(
            model_name="accessaccount",
            index=models.Index(
                condition=models.Q(("moved_to__isnull", False)), fields=["moved_to"], name="locations_account_moved"
            ),
        )
    ]
