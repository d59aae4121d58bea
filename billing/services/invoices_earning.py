"""Months paid ahead: money that is asked today and is income month by month.

A line with `earned_months` lies in `unearned`. Each month, as soon as it has begun, what is left of the line is divided
by the months that are left, and that is income: `earned:<line>:<month>`, once. A credit note takes its part out of
`unearned`, so the months after it earn less by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from billing.choices import EntryKind
from billing.ledger import chart
from billing.ledger.posting import Entry, Line, entries_post
from billing.models import Invoice, InvoiceLine
from core.db.locks import lock_rows
from core.formats import local
from core.money import allocate

CHUNK = 5_000
LOOK_BACK_MONTHS = 60  # the longest line has 24: a job that did not run for years still finds its months

# lines with a month that has begun and is not income yet
_DUE = """
SELECT l.id, l.invoice_id, array_agg(k ORDER BY k) FROM billing_invoiceline l
JOIN billing_invoice i ON i.id = l.invoice_id AND i.kind = 'invoice' AND i.status IN ('open', 'paid')
CROSS JOIN generate_series(0, l.earned_months - 1) k
WHERE l.earned_months > 1 AND l.earned_from <= %(today)s AND l.earned_from > %(today)s - make_interval(months => %(back)s)
  AND l.id > %(after)s AND (l.earned_from + make_interval(months => k))::date <= %(today)s
  AND NOT EXISTS (SELECT 1 FROM billing_journalentry e WHERE e.source = 'earned:' || l.id || ':' || k)
GROUP BY l.id ORDER BY l.id LIMIT %(chunk)s
"""
_LEFT = """
SELECT l.id, l.amount
  - coalesce((SELECT sum(p.amount) FROM generate_series(0, l.earned_months - 1) k
      JOIN billing_journalentry e ON e.source = 'earned:' || l.id || ':' || k
      JOIN billing_posting p ON p.entry_id = e.id AND p.account = 'unearned'), 0)
  - coalesce((SELECT sum(c.amount) FROM billing_invoiceline c JOIN billing_invoice n ON n.id = c.invoice_id
      WHERE n.credits_id = l.invoice_id AND c.account = 'unearned' AND (c.details ->> 'line')::bigint = l.id), 0)
FROM billing_invoiceline l WHERE l.id = ANY(%s)
"""


def earnings_recognise(*, now: datetime) -> int:
    """Make income of every month that has begun; returns how many months. Asked again it finds nothing left to do."""
    done, after = 0, 0
    while True:
        entries, last = _chunk(after, now)
        if last is None:
            return done
        done, after = done + entries, last


@transaction.atomic
def _chunk(after: int, now: datetime) -> tuple[int, int | None]:
    with connection.cursor() as cursor:
        today = local(now).date()
        cursor.execute(_DUE, {"today": today, "back": LOOK_BACK_MONTHS, "after": after, "chunk": CHUNK})
        due = {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
    if not due:
        return 0, None
    # a credit note holds its bill while it asks what is left: so do we
    invoices = lock_rows(Invoice.objects.filter(pk__in={invoice for invoice, _months in due.values()}))
    live = {row.pk: row for row in invoices if row.status in {"open", "paid"}}
    lines = [line for line in InvoiceLine.objects.filter(pk__in=list(due)) if line.invoice_id in live]
    left = unearned_left(lines)
    entries = [
        entry
        for line in lines
        for entry in _entries(line, due[line.pk][1], left[line.pk], live[line.invoice_id].location_id, now)
    ]
    return len(entries_post(entries)), max(due)


def _entries(
    line: InvoiceLine, months: Sequence[int], left: Decimal, location_id: int | None, now: datetime
) -> list[Entry]:
    entries = []
    for month in months:
        share = allocate(left, [1] * (line.earned_months - month))[0]
        left -= share
        if share:
            legs = [Line(chart.UNEARNED, share, plan_id=line.plan_id), Line(line.account, -share, plan_id=line.plan_id)]
            source = f"earned:{line.pk}:{month}"
            entries.append(Entry(EntryKind.RECOGNITION, source, legs, now, location_id=location_id))
    return entries


def unearned_left(lines: Sequence[InvoiceLine]) -> dict[int, Decimal]:
    """What of each line is still in `unearned`. The caller holds the lock of the lines' bills."""
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, [[line.pk for line in lines]])
        return dict(cursor.fetchall())
