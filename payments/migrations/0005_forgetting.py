# The reason of a refund may be cleared when a person is erased; its money cannot be changed.

from django.db import migrations

from core.db.immutable import clearable


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_taken_back")]
    operations = [migrations.RunSQL(*clearable("payments_refund", "reason"))]
