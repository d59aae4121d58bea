from django.db import migrations

from core.db.immutable import append_only


class Migration(migrations.Migration):
    dependencies = [("vouchers", "0001_initial"), ("core", "0001_initial")]
    operations = [
        migrations.RunSQL(*append_only("vouchers_vouchersale")),
        migrations.RunSQL(*append_only("vouchers_voucherevent")),
    ]
