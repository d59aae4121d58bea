# How we knew of a consent may be cleared when a person is erased; the consent itself cannot be changed.

from django.db import migrations

from core.db.immutable import clearable


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_filters")]
    operations = [migrations.RunSQL(*clearable("customers_consent", "source"))]
