# What was written about an erased person may be taken out of the activity log; who did what and when cannot be changed.

from django.db import migrations

from core.db.immutable import clearable

# a copy of `accounts.services.activity.PERSONAL`, as it was then
PATHS = (
    "details.reason", "details.note", "details.text", "details.name", "details.username", "details.changes.note",
    "details.before.username", "details.after.username", "details.before.mac_address", "details.after.mac_address",
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_role_agent")]
    operations = [migrations.RunSQL(*clearable("accounts_activitylog", *PATHS))]
