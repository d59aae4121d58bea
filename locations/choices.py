"""States of what lives on routers, and of the routers themselves."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class TlsMode(models.TextChoices):
    NONE = "none", _("No encryption (API port 8728)")
    PINNED = "pinned", _("TLS, certificate pinned")
    CA = "ca", _("TLS, certificate checked against authorities")
    ANONYMOUS = "anonymous", _("TLS without certificate (open to interception)")


class TunnelKind(models.TextChoices):
    """How a router behind NAT dials this server."""

    WIREGUARD = "wireguard", _("WireGuard (RouterOS 7)")
    SSTP = "sstp", _("SSTP (RouterOS 6)")


class Kind(models.TextChoices):
    """Which RouterOS menu an account or profile belongs to."""

    HOTSPOT = "hotspot", _("Hotspot")
    PPP = "ppp", _("PPPoE")
    STATIC = "static", _("Static IP")


class EntryKind(models.TextChoices):
    """A nameless thing on a router; `sync.entry_menus` says in which menu it lives and which words identify it."""

    ADDRESS_LIST = "address_list", _("Address list")
    WALLED_GARDEN = "walled_garden", _("Walled garden, host")
    WALLED_GARDEN_IP = "walled_garden_ip", _("Walled garden, address")
    IP_BINDING = "ip_binding", _("Hotspot IP binding")
    NAT = "nat", _("Firewall NAT rule")
    FILTER = "filter", _("Firewall filter rule")


class IsolationMethod(models.TextChoices):
    """How an unpaid subscriber is held back at a location."""

    PROFILE = "profile", _("Slow profile and address list")
    ADDRESS_LIST = "address_list", _("Address list only")
    DISABLE = "disable", _("Login switched off")


class Presence(models.TextChoices):
    PRESENT = "present", _("should be on the router")
    ABSENT = "absent", _("should not be on the router")


class Hold(models.TextChoices):
    """Why a wanted change is not being tried: a person must decide. Empty: it is being tried."""

    NONE = "", _("no")
    REFUSED = "refused", _("refused by the router")
    CONFLICT = "conflict", _("the router has an entry of this name that is not ours")
    DRIFT = "drift", _("changed on the router; repaired when a person says so")


class PaceReason(models.TextChoices):
    """What held the last long push to its pace. Empty: nothing did, the line was used up."""

    NONE = "", _("nothing")
    SETTING = "setting", _("the location's setting")
    CPU = "cpu", _("the router's CPU")
    ANSWERS = "answers", _("the router's answers")


class DriftRepair(models.TextChoices):
    """When a location repairs what a comparison found. After a restart, reset or replacement it always does."""

    ALWAYS = "always", _("as soon as it is seen")
    DAILY = "daily", _("once a day")
    ASK = "ask", _("when a person says so")


class DriftCategory(models.TextChoices):
    """What a comparison found about one thing on a router."""

    MISSING = "missing", _("missing")
    DIFFERENT = "different", _("different")
    EXTRA = "extra", _("made by us, not wanted any more")
    CONFLICT = "conflict", _("our name, not made by us")
    FOREIGN = "foreign", _("the router's own")


class DriftSubject(models.TextChoices):
    ACCOUNT = "account", _("login")
    PROFILE = "profile", _("profile")
    ENTRY = "entry", _("list or firewall entry")


class Reach(models.TextChoices):
    """What we know of a router."""

    UNKNOWN = "unknown", _("not contacted yet")
    ONLINE = "online", _("online")
    OFFLINE = "offline", _("offline")
    REFUSED = "refused", _("login refused")
    WRONG_ROUTER = "wrong_router", _("another router answers at this address")
    CERTIFICATE = "certificate", _("its certificate is not confirmed")


NOT_REACHED = frozenset({Reach.OFFLINE, Reach.REFUSED, Reach.WRONG_ROUTER, Reach.CERTIFICATE})


class UserType(models.TextChoices):
    """How a person or account belongs to a location [location_users.user_type]."""

    STAFF = "staff", _("works here")
    ASSIGNED = "assigned", _("assigned by load balancing")


class Priority(models.IntegerChoices):
    """Order of the writer's work. Removals come right after paid activations."""

    PAID = 0, _("paid activation")
    REMOVAL = 1, _("removal")
    CHANGE = 3, _("change by a person")
    BULK = 5, _("bulk")


# of profiles that were the router's: no comment of ours is written, and they are never removed there
OWN_TAG = "a"  # a login of staff; others belong to a service or a batch, which decides about them
ADOPTED_TAG = "own"
ISOLATION_TAG = "iso"  # of profiles for the isolated; tags of the isolation rules begin with it
OFF_LIST = (
    "mb-off"  # static addresses that are switched off or whose service is over: a rule of ours drops all they send
)
OFF_TAG = "off"  # of list entries that keep an address shut after its subscriber left


class SessionEnd(models.TextChoices):
    """Why an account's last session ended, as far as observed."""

    NONE = "", _("not observed")
    ENDED = "ended", _("ended at the customer's side or by the router")
    KICKED = "kicked", _("ended by us")
    RESTART = "restart", _("the router restarted")
    QUIET = "quiet", _("no traffic any more")


class UsagePeriod(models.TextChoices):
    """What a row of usage sums up, in the calendar of its location."""

    DAY = "day", _("day")
    MONTH = "month", _("month")


class RolloutMode(models.TextChoices):
    """When the sessions that run get a profile's new speed."""

    NEXT_LOGIN = "next_login", _("with each customer's next login")
    NOW = "now", _("now, at the location's pace")


class RolloutStatus(models.TextChoices):
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    CANCELLED = "cancelled", _("cancelled")


ROLLOUT_MOVES: dict[str, frozenset[str]] = {
    RolloutStatus.RUNNING: frozenset({RolloutStatus.DONE, RolloutStatus.CANCELLED}),
    RolloutStatus.DONE: frozenset(),
    RolloutStatus.CANCELLED: frozenset(),
}


class RolloutMethod(models.TextChoices):
    """How sessions that run come to a new speed."""

    LIVE = "live", _("at once, without ending sessions")
    KICK = "kick", _("by ending sessions; customers dial again")
    NEXT_LOGIN = "next_login", _("with the next login")


class Strategy(models.TextChoices):
    """How a group of locations shares new customers out [Load Balancing Strategy]."""

    ROUND_ROBIN = "round_robin", _("one after the other")
    LEAST_USERS = "least_users", _("where the fewest users are")
    GEOGRAPHIC = "geographic", _("nearest to the customer")
    MANUAL = "manual", _("always the one chosen here")


class Unfit(models.TextChoices):
    """Why a location was left out of a choice."""

    PAUSED = "paused", _("paused in the group")
    INACTIVE = "inactive", _("switched off")
    NOT_ALLOWED = "not_allowed", _("not possible for this plan or person")
    UNREACHABLE = "unreachable", _("its router cannot be reached")
    CPU = "cpu", _("its router is busy")
    LICENCE = "licence", _("its licence is used up")
    FULL = "full", _("it is full")


class ReplacementStatus(models.TextChoices):
    """How far a location is with a new router."""

    PUSHING = "pushing", _("everything is put on it")
    VERIFYING = "verifying", _("being compared")
    DONE = "done", _("done")
    FAILED = "failed", _("the router does not keep what is written")
    ABANDONED = "abandoned", _("yet another router was accepted")


REPLACEMENT_MOVES: dict[str, frozenset[str]] = {
    ReplacementStatus.PUSHING: frozenset({ReplacementStatus.VERIFYING, ReplacementStatus.ABANDONED}),
    ReplacementStatus.VERIFYING: frozenset(
        {
            ReplacementStatus.PUSHING, ReplacementStatus.DONE, ReplacementStatus.FAILED, ReplacementStatus.ABANDONED,
        }
    ),
    ReplacementStatus.DONE: frozenset(),
    ReplacementStatus.FAILED: frozenset(),
    ReplacementStatus.ABANDONED: frozenset(),
}  # fmt: skip
REPLACEMENT_OPEN = (ReplacementStatus.PUSHING, ReplacementStatus.VERIFYING)


class AlertKind(models.TextChoices):
    """What is told about a router while it holds."""

    LICENCE = "licence", _("licence nearly used up")
    CLOCK = "clock", _("clock wrong")
    FLASH = "flash", _("flash memory wears out")


class RebootStatus(models.TextChoices):
    """How far a restart of a router is."""

    ASKED = "asked", _("waits for a second person")
    CONFIRMED = "confirmed", _("waits for the router")
    SENT = "sent", _("restarting")
    BACK = "back", _("restarted and back")
    LOST = "lost", _("did not come back")
    IGNORED = "ignored", _("did not restart")
    REFUSED = "refused", _("refused by the router")
    CANCELLED = "cancelled", _("cancelled")
    EXPIRED = "expired", _("too late")


REBOOT_MOVES: dict[str, frozenset[str]] = {
    RebootStatus.ASKED: frozenset({RebootStatus.CONFIRMED, RebootStatus.CANCELLED, RebootStatus.EXPIRED}),
    RebootStatus.CONFIRMED: frozenset({RebootStatus.SENT, RebootStatus.CANCELLED, RebootStatus.EXPIRED}),
    RebootStatus.SENT: frozenset({RebootStatus.BACK, RebootStatus.LOST, RebootStatus.IGNORED, RebootStatus.REFUSED}),
    RebootStatus.LOST: frozenset({RebootStatus.BACK, RebootStatus.IGNORED}),
    RebootStatus.BACK: frozenset(),
    RebootStatus.IGNORED: frozenset(),
    RebootStatus.REFUSED: frozenset(),
    RebootStatus.CANCELLED: frozenset(),
    RebootStatus.EXPIRED: frozenset(),
}
REBOOT_OPEN = (RebootStatus.ASKED, RebootStatus.CONFIRMED, RebootStatus.SENT)

# settings: how long history is kept
HISTORY_DAYS = "sessions.keep_days"
USAGE_DAYS = "usage.keep_days"
