"""Everything that changes what should be on routers. Callers of other rooms import from here."""

from locations.services.access import AccessReport, Prepared, access_check, login_prepare
from locations.services.accounts import (
    account_disable,
    account_enable,
    account_kick,
    account_put,
    account_revive,
    accounts_copy,
    accounts_remove,
    accounts_set_validity,
    conflict_adopt,
)
from locations.services.asking import AskError, router_ask
from locations.services.balancing import Choice, choice_assign, location_choose, location_preview
from locations.services.certificates import (
    CertificateState,
    certificate_look,
    certificate_state,
    certificate_trust,
    trusting_roles,
)
from locations.services.changes import UNSET, account_change, accounts_set_profile
from locations.services.configs import (
    config_acknowledge,
    config_backup_ask,
    config_backup_wanted,
    config_backups_nightly,
    config_download,
    configs_prune,
)
from locations.services.drift import Repaired, accounts_compare, drift_repair, location_compare, profiles_compare
from locations.services.entries import (
    entry_adopt,
    entry_put,
    entry_remove,
    isolation_sets_refresh,
    location_isolation_put,
)
from locations.services.groups import group_put, group_remove
from locations.services.history import history_prune
from locations.services.isolation import accounts_isolate, accounts_reopen
from locations.services.kicks import kick_locations
from locations.services.locations import (
    LocationStatus,
    location_accept_router,
    location_add,
    location_change,
    location_member_add,
    location_retry,
    location_seed_first,
    location_status,
)
from locations.services.looking import LogView, PingResult, router_log, router_ping
from locations.services.profiles import profile_put, profile_remove
from locations.services.reboots import reboot_ask, reboot_cancel, reboot_confirm
from locations.services.rollouts import profile_rollout_cancel, profile_rollout_start
from locations.services.servers import (
    server_facts,
    server_plan_confirm,
    server_plan_discard,
    server_plan_make,
    server_plan_undo,
)
from locations.services.sessions import sessions_kick
from locations.services.switching import Switch, account_open_now, accounts_replace, location_switch, switch_of
from locations.services.testing import TestResult, location_test
from locations.services.tunnels import (
    Issued,
    TunnelReport,
    is_tunnelled,
    location_add_tunnelled,
    tunnel_check,
    tunnel_issue,
    tunnel_key_put,
    tunnel_remove,
    tunnel_reserve,
    tunnel_use,
)

__all__ = [
    "UNSET",
    "AccessReport",
    "AskError",
    "CertificateState",
    "Choice",
    "Issued",
    "LocationStatus",
    "LogView",
    "PingResult",
    "Prepared",
    "Repaired",
    "Switch",
    "TestResult",
    "TunnelReport",
    "access_check",
    "account_change",
    "account_disable",
    "account_enable",
    "account_kick",
    "account_open_now",
    "account_put",
    "account_revive",
    "accounts_compare",
    "accounts_copy",
    "accounts_isolate",
    "accounts_remove",
    "accounts_reopen",
    "accounts_replace",
    "accounts_set_profile",
    "accounts_set_validity",
    "certificate_look",
    "certificate_state",
    "certificate_trust",
    "choice_assign",
    "config_acknowledge",
    "config_backup_ask",
    "config_backup_wanted",
    "config_backups_nightly",
    "config_download",
    "configs_prune",
    "conflict_adopt",
    "drift_repair",
    "entry_adopt",
    "entry_put",
    "entry_remove",
    "group_put",
    "group_remove",
    "history_prune",
    "is_tunnelled",
    "isolation_sets_refresh",
    "kick_locations",
    "location_accept_router",
    "location_add",
    "location_add_tunnelled",
    "location_change",
    "location_choose",
    "location_compare",
    "location_isolation_put",
    "location_member_add",
    "location_preview",
    "location_retry",
    "location_seed_first",
    "location_status",
    "location_switch",
    "location_test",
    "login_prepare",
    "profile_put",
    "profile_remove",
    "profile_rollout_cancel",
    "profile_rollout_start",
    "profiles_compare",
    "reboot_ask",
    "reboot_cancel",
    "reboot_confirm",
    "router_ask",
    "router_log",
    "router_ping",
    "server_facts",
    "server_plan_confirm",
    "server_plan_discard",
    "server_plan_make",
    "server_plan_undo",
    "sessions_kick",
    "switch_of",
    "trusting_roles",
    "tunnel_check",
    "tunnel_issue",
    "tunnel_key_put",
    "tunnel_remove",
    "tunnel_reserve",
    "tunnel_use",
]
