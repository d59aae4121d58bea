from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Who was cut off today, found without reading the whole history."""

    atomic = False

    dependencies = [
        ('billing', '0007_ledger_check'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='subscriptionevent',
            index=models.Index(condition=models.Q(('to_status', 'isolated')), fields=['-at'], name='billing_event_isolated'),
        ),
    ]
