from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import models

from django.db import migrations


class Migration(migrations.Migration):
    # a million vouchers may be there: built beside the running shop, outside a transaction
    atomic = False

    dependencies = [("vouchers", "0004_agents")]

    operations = [
        AddIndexConcurrently(
            model_name='voucher',
            index=models.Index(condition=models.Q(('agent__isnull', False)), fields=['agent', 'status', '-id'], name='vouchers_voucher_agent'),
        ),
        AddIndexConcurrently(
            model_name='vouchersale',
            index=models.Index(condition=models.Q(('agent__isnull', False)), fields=['agent', '-id'], name='vouchers_sale_agent'),
        ),
    ]
