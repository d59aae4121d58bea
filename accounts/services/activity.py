"""The activity log: who did what, from where. Written in the transaction of the deed, never changed afterwards.

One exception: when a person is erased, what people wrote about him is taken out of it, and his login names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from accounts.models import ActivityLog
from core.scrub import scrub
from core.staff_events import StaffActed

LONGEST_ACTION = 100
# what in details may tell who somebody is; the database lets only these be taken out (accounts/migrations/0004)
PERSONAL = (
    ("reason",), ("note",), ("text",), ("name",), ("username",), ("changes", "note"), ("before", "username"),
    ("after", "username"), ("before", "mac_address"), ("after", "mac_address"),
)  # fmt: skip


def activity_write(event: StaffActed) -> None:
    """Subscriber of StaffActed (critical: a deed that cannot be written down is not done)."""
    ActivityLog.objects.create(
        user_id=event.user_id,
        action=event.action[:LONGEST_ACTION],
        details=details_plain(event.details),
        ip_address=event.ip_address,
    )


def activity_forget(subjects: Mapping[str, Sequence[int]]) -> int:
    """Take what is personal out of the lines about these (`{"customer": [7], "invoice": [12, 13]}`); returns how many.

    Looks through the whole log once (nothing else asks for lines by what they are about): erasing is rare.
    """
    about = " OR ".join("details ->> %s = ANY(%s)" for _name in subjects)
    values: list[Any] = []
    for name, ids in subjects.items():
        values += [name, [str(pk) for pk in ids]]
    less = " #- ".join(["details", *("%s::text[]" for _path in PERSONAL)])
    paths = [list(path) for path in PERSONAL]
    tops = sorted({path[0] for path in PERSONAL})
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE accounts_activitylog SET details = {less} "  # noqa: S608  # constants
            f"WHERE details ?| %s AND ({about}) AND details <> {less}",
            [*paths, tops, *values, *paths],
        )
        return int(cursor.rowcount)


def details_plain(details: Mapping[str, Any]) -> Any:
    """Details as JSON: amounts and times as text, secrets removed even if a caller forgot to leave them out."""
    return json.loads(json.dumps(scrub(details), cls=_Encoder).replace("\\u0000", ""))


class _Encoder(DjangoJSONEncoder):
    def default(self, value: Any) -> Any:
        try:
            return super().default(value)
        except TypeError:
            return str(value)
