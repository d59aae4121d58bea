"""Indexes and rules of the table of accounts, made without holding it: it may have a million rows."""

import django.contrib.postgres.operations
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('locations', '0003_isolation'),
    ]

    operations = [
        django.contrib.postgres.operations.AddIndexConcurrently(
            model_name='accessaccount',
            index=models.Index(condition=models.Q(('is_isolated', True)), fields=['location', 'id'], name='locations_account_isolated'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS locations_account_static_once ON"
                    " locations_accessaccount (location_id, static_address)"
                    " WHERE kind = 'static' AND presence = 'present'",
                    "DROP INDEX CONCURRENTLY IF EXISTS locations_account_static_once",
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name='accessaccount',
                    constraint=models.UniqueConstraint(condition=models.Q(('kind', 'static'), ('presence', 'present')), fields=('location', 'static_address'), name='locations_account_static_once'),
                ),
            ],
        ),
        django.contrib.postgres.operations.AddConstraintNotValid(
            model_name='accessaccount',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'static'), _negated=True), ('static_address__isnull', False), _connector='OR'), name='locations_account_static'),
        ),
        django.contrib.postgres.operations.ValidateConstraint(
            model_name='accessaccount',
            name='locations_account_static',
        ),
    ]
