# Payments that were taken back keep their entry: the rule that ties entry and status knows the new status.

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

ARRIVED = ["confirmed", "reversed"]
RULE = models.CheckConstraint(
    condition=models.Q(confirmed_at__isnull=False, entry__isnull=False, status__in=ARRIVED)
    | ~models.Q(status__in=ARRIVED) & models.Q(confirmed_at=None, entry=None),
    name="payments_payment_confirmed",
)


class Migration(migrations.Migration):
    atomic = False  # payments go on while the old rows are looked at
    dependencies = [("payments", "0003_reversals")]
    operations = [
        migrations.AlterField(
            model_name="payment",
            name="status",
            field=models.CharField(
                choices=[
                    ("pending", "waiting for payment"), ("confirmed", "paid"), ("cancelled", "cancelled"),
                    ("reversed", "taken back"),
                ],
                default="pending", max_length=10, verbose_name="status",
            ),
        ),
        migrations.RemoveConstraint(model_name="payment", name="payments_payment_confirmed"),
        AddConstraintNotValid(model_name="payment", constraint=RULE),
        ValidateConstraint(model_name="payment", name="payments_payment_confirmed"),
    ]  # fmt: skip
