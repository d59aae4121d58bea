"""The step "open now" of a login that waits for its old router: on its own page and on that of its service."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from core.admin import Confirmation
from core.client_ip import client_ip
from locations.choices import Presence
from locations.models import AccessAccount
from locations.services import account_open_now, switch_of


def open_now(request: HttpRequest, row: AccessAccount) -> Confirmation | None:
    """Open a moved login although its old router cannot be asked; offered only while that is so."""
    if row.presence == Presence.ABSENT or row.is_synced:
        return None
    switch = switch_of(row)
    if not switch.waits_for or switch.offline != switch.waits_for:
        return None

    def run(data: dict[str, Any]) -> str:
        account_open_now(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
        return _("%(name)s is opened now; the old place will be closed when its router returns.") % {"name": row.name}

    return Confirmation(
        title=_("Open now"), button=_("Open now"), run=run, icon="lock_open", is_danger=True,
        question=_(
            "%(old)s cannot be reached and still lets %(name)s in. Open it at %(new)s now? The old place will be "
            "closed when its router returns; until then it could be used at both."
        )
        % {"old": ", ".join(switch.waits_for), "name": row.name, "new": row.location.name},
        permission="locations.open_accessaccount",
    )  # fmt: skip
