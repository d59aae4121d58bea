from django.conf import settings
from django.db import migrations, models

from billing.ledger.guards import agent_limit_guards


class Migration(migrations.Migration):
    # a code of an agent that was used before he sold it is charged even below his credit limit; nothing else is

    dependencies = [
        ("billing", "0008_isolations_by_day"),
        ("locations", "0019_taken_over"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(*agent_limit_guards())],
            state_operations=[migrations.RemoveConstraint(model_name="agent", name="billing_agent_credit")],
        ),
        migrations.AddConstraint(
            model_name="agent",
            constraint=models.CheckConstraint(
                condition=models.Q(("credit_limit__gte", 0)), name="billing_agent_limit"
            ),
        ),
        migrations.AlterField(
            model_name="journalentry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("invoice", "invoice"), ("credit_note", "credit note"), ("payment", "payment"),
                    ("settlement", "paid from balance"), ("refund", "refund"), ("voucher_sale", "voucher sale"),
                    ("voucher_used", "agent's voucher used before it was sold"), ("agent_deposit", "agent deposit"),
                    ("adjustment", "adjustment"), ("write_off", "write-off"), ("merge", "customers merged"),
                    ("cash_difference", "cash difference"), ("cash_handover", "cash handed over"),
                    ("expense", "expense"), ("recognition", "income of the period"), ("reversal", "reversal"),
                ],
                max_length=20, verbose_name="kind",
            ),
        ),
    ]  # fmt: skip
