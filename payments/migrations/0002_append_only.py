from django.db import migrations

from core.db.immutable import append_only


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]
    operations = [migrations.RunSQL(*append_only("payments_refund"))]
