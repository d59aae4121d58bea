# In a transaction of its own: the rows are read without holding up who writes them.

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0014_terms")]
    operations = [
        ValidateConstraint("plan", "billing_plan_late_fee"),
        ValidateConstraint("subscription", "billing_subscription_late_fee"),
    ]
