"""The activity log: who did what, from where. Written in the transaction of the deed, never changed afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from accounts.models import ActivityLog
from core.scrub import scrub
from core.staff_events import StaffActed

LONGEST_ACTION = 100


def activity_write(event: StaffActed) -> None:
    """Subscriber of StaffActed (critical: a deed that cannot be written down is not done)."""
    ActivityLog.objects.create(
        user_id=event.user_id,
        action=event.action[:LONGEST_ACTION],
        details=details_plain(event.details),
        ip_address=event.ip_address,
    )


def details_plain(details: Mapping[str, Any]) -> Any:
    """Details as JSON: amounts and times as text, secrets removed even if a caller forgot to leave them out."""
    return json.loads(json.dumps(scrub(details), cls=_Encoder).replace("\\u0000", ""))


class _Encoder(DjangoJSONEncoder):
    def default(self, value: Any) -> Any:
        try:
            return super().default(value)
        except TypeError:
            return str(value)
