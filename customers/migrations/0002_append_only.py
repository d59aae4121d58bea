from django.db import migrations

from core.db.immutable import append_only


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]
    operations = [
        migrations.RunSQL(*append_only("customers_consent")),
        migrations.RunSQL(*append_only("customers_customerevent")),
    ]
