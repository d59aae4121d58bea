"""The system settings of the router room."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.settings_registry import Declaration, declare
from locations.choices import HISTORY_DAYS, USAGE_DAYS
from locations.choices_configs import CONFIGS_HOUR, CONFIGS_KEPT, CONFIGS_NIGHTLY
from locations.tunnel_settings import declare_tunnels


def declare_all() -> None:
    category = _("Routers")
    declare(
        Declaration(
            HISTORY_DAYS, int, 365, _("How many days past sessions are kept."), category, minimum=7, maximum=3650
        )
    )
    declare(
        Declaration(
            USAGE_DAYS, int, 400, _("How many days the use of single days is kept; months stay."), category,
            minimum=62, maximum=3650,
        )
    )  # fmt: skip
    declare_tunnels()
    declare(
        Declaration(
            CONFIGS_NIGHTLY, bool, True, _("The configuration of every router is backed up each night."), category,
        )
    )  # fmt: skip
    declare(
        Declaration(
            CONFIGS_HOUR, int, 1,
            _("From which hour of the night, in the time zone of the location; spread over two hours."), category,
            minimum=0, maximum=21,
        )
    )  # fmt: skip
    declare(
        Declaration(
            CONFIGS_KEPT, int, 90, _("How many versions of a router's configuration are kept."), category,
            minimum=2, maximum=1000,
        )
    )  # fmt: skip
