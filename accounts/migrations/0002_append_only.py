from django.db import migrations

from core.db.immutable import append_only


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("core", "0001_initial")]
    operations = [migrations.RunSQL(*append_only("accounts_activitylog"))]
