"""Names are cut at punctuation before they become words; phones and e-mail addresses are found by their beginning.

A generated column cannot be altered, so `search` is made anew. This comes before the first release with customers:
no installation has rows to rewrite.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_append_only")]
    operations = [
        migrations.RemoveIndex(model_name="customer", name="customers_customer_phone"),
        migrations.RemoveIndex(model_name="customer", name="customers_customer_words"),
        migrations.RemoveField(model_name="customer", name="search"),
        migrations.AddField(
            model_name="customer",
            name="request_key",
            field=models.CharField(max_length=64, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="customer",
            name="search",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.contrib.postgres.search.SearchVector(
                    models.Func(
                        models.F("name"),
                        models.Value("./-_@:,;&+=#!?*()[]<>|\\\"'"),
                        models.Value(" " * 25),
                        function="translate",
                        output_field=models.TextField(),
                    ),
                    config="simple",
                ),
                output_field=django.contrib.postgres.search.SearchVectorField(),
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(fields=["search"], name="customers_customer_words"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["phone"], name="customers_customer_phones", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["email"], name="customers_customer_emails", opclasses=["varchar_pattern_ops"]),
        ),
    ]
