"""Menus under /ip/hotspot."""

from __future__ import annotations

from .base import COMMENT, DEFAULT, DISABLED, DYNAMIC, INVALID, READ, TABLE, TOGGLE, Menu, Prop, Unique, ro

NONE = ("none",)
QUEUE_TYPES = (
    "default",
    "default-small",
    "ethernet-default",
    "hotspot-default",
    "multi-queue-ethernet-default",
    "only-hardware-queue",
    "pcq-download-default",
    "pcq-upload-default",
    "synchronous-default",
    "wireless-default",
)
LOGIN_BY = ("mac", "cookie", "http-chap", "https", "http-pap", "trial", "mac-cookie")
MAC_FORMATS = (
    "XX XX XX XX XX XX",
    "XX-XX-XX-XX-XX-XX",
    "XX:XX:XX:XX:XX:XX",
    "XXXX:XXXX:XXXX",
    "XXXXXX-XXXXXX",
    "XXXXXX:XXXXXX",
    "XXXXXXXXXXXX",
)

_RADIUS = ("use-radius", "true")
_TRIAL = ("login-by", "trial")

SERVER = Menu(
    "ip/hotspot",
    (
        Prop("name", required=True),
        Prop("interface", "ref", required=True, ref="interface"),
        Prop("address-pool", "ref", default="none", ref="ip/pool", extra=NONE),
        Prop("profile", "ref", default="default", ref="ip/hotspot/profile"),
        Prop("idle-timeout", "duration", default="5m", extra=NONE),
        Prop("keepalive-timeout", "duration", default="none", extra=NONE),
        Prop("login-timeout", "duration", default="none", extra=NONE),
        Prop("addresses-per-mac", "int", default="2", extra=("unlimited",), low=1),
        ro("proxy-status", default="running"),
        INVALID,
        ro("HTTPS", "bool", default="false"),
        DISABLED,
    ),
    TABLE | {"enable", "disable", "setup", "reset-html"},
    unique=(Unique(("name",), "failure: server with the same name already exists"),),
)

PROFILE = Menu(
    "ip/hotspot/profile",
    (
        Prop("name", required=True),
        Prop("hotspot-address", "ip", default="0.0.0.0"),  # noqa: S104 - a value of the router, nothing is bound
        Prop("dns-name", default=""),
        Prop("html-directory", default="hotspot"),
        Prop("html-directory-override", default=""),
        Prop("rate-limit", default=""),
        Prop("http-proxy", default="0.0.0.0:0"),
        Prop("smtp-server", "ip", default="0.0.0.0"),  # noqa: S104 - see above
        Prop("login-by", "enumlist", default="cookie,http-chap", enum=LOGIN_BY),
        Prop("http-cookie-lifetime", "duration", default="3d"),
        Prop(
            "mac-auth-mode",
            "enum",
            default="mac-as-username",
            enum=("mac-as-username", "mac-as-username-and-password"),
            since=(6, 1, 0),
            when=("login-by", "mac"),
        ),
        Prop("mac-auth-password", secret=True, omit=""),
        Prop("ssl-certificate", omit="none"),
        Prop("split-user-domain", "bool", default="false"),
        Prop("use-radius", "bool", default="false"),
        Prop("radius-accounting", "bool", default="true", when=_RADIUS),
        Prop("radius-interim-update", "duration", default="received", extra=("received",), when=_RADIUS),
        Prop("radius-default-domain", default="", when=_RADIUS),
        Prop("radius-location-id", default="", when=_RADIUS),
        Prop("radius-location-name", default="", when=_RADIUS),
        Prop("radius-mac-format", "enum", default="XX:XX:XX:XX:XX:XX", enum=MAC_FORMATS, when=_RADIUS),
        Prop(
            "nas-port-type",
            "enum",
            default="wireless-802.11",
            enum=("cable", "ethernet", "wireless-802.11"),
            when=_RADIUS,
        ),
        Prop("trial-uptime-limit", "duration", default="30m", when=_TRIAL),
        Prop("trial-uptime-reset", "duration", default="1d", when=_TRIAL),
        Prop("trial-user-profile", "ref", default="default", ref="ip/hotspot/user/profile", when=_TRIAL),
        Prop("install-hotspot-queue", "bool", default="false", since=(6, 40, 0)),
        DEFAULT,
    ),
    TABLE,
    unique=(Unique(("name",), "failure: profile with the same name already exists"),),
    first_id=0,
)

USER = Menu(
    "ip/hotspot/user",
    (
        Prop("server", "ref", omit="all", ref="ip/hotspot", extra=("all",)),
        Prop("name", required=True),
        Prop("password", secret=True, omit=""),
        Prop("address", "ip", omit="0.0.0.0"),  # noqa: S104 - means unset
        Prop("mac-address", "mac", omit="00:00:00:00:00:00"),
        Prop("email", omit=""),
        Prop("profile", "ref", default="default", ref="ip/hotspot/user/profile"),
        Prop("routes", omit=""),
        Prop("limit-uptime", "duration", omit="0s"),
        Prop("limit-bytes-in", "bytes", omit="0"),
        Prop("limit-bytes-out", "bytes", omit="0"),
        Prop("limit-bytes-total", "bytes", omit="0"),
        Prop("totp-secret", secret=True, omit="", since=(7, 21, 0), until=(7, 21, 3)),
        Prop("otp-secret", secret=True, omit="", since=(7, 21, 3)),
        ro("uptime", "duration", default="0s"),
        ro("bytes-in", "int", default="0"),
        ro("bytes-out", "int", default="0"),
        ro("packets-in", "int", default="0"),
        ro("packets-out", "int", default="0"),
        DYNAMIC,
        DEFAULT,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"reset-counters"},
    unique=(Unique(("name", "server"), "failure: already have user with this name for this server"),),
    print_flags=frozenset({"bytes", "packets"}),
    first_id=0,
)

USER_PROFILE = Menu(
    "ip/hotspot/user/profile",
    (
        Prop("name", required=True),
        Prop("address-pool", "ref", omit="none", ref="ip/pool", extra=NONE),
        Prop("session-timeout", "duration", omit="0s"),
        Prop("idle-timeout", "duration", default="none", extra=NONE),
        Prop("keepalive-timeout", "duration", default="2m", extra=NONE),
        Prop("status-autorefresh", "duration", default="1m", extra=NONE),
        Prop("shared-users", "int", default="1", extra=("unlimited",), low=1),
        Prop("add-mac-cookie", "bool", default="true"),
        Prop("mac-cookie-timeout", "duration", default="3d"),
        Prop("rate-limit", omit=""),
        Prop("address-list", default=""),
        Prop("incoming-filter", omit=""),
        Prop("outgoing-filter", omit=""),
        Prop("incoming-packet-mark", omit=""),
        Prop("outgoing-packet-mark", omit=""),
        Prop("open-status-page", "enum", omit="always", enum=("http-login", "always")),
        Prop("parent-queue", omit="none"),
        Prop("queue-type", "enum", enum=QUEUE_TYPES),
        Prop("insert-queue-before", extra=("bottom", "first"), omit=""),
        Prop("on-login", omit=""),
        Prop("on-logout", omit=""),
        Prop("transparent-proxy", "bool", default="false"),
        Prop("advertise", "bool", omit="false"),
        Prop("advertise-url", omit=""),
        Prop("advertise-interval", omit=""),
        Prop("advertise-timeout", "duration", extra=("immediately", "never")),
        DEFAULT,
    ),
    TABLE | {"unset"},
    unique=(Unique(("name",), "failure: profile with the same name already exists"),),
    first_id=0,
)

_COUNTERS = (
    ro("uptime", "duration"),
    ro("idle-time", "duration"),
    ro("session-time-left", "duration"),
    ro("idle-timeout", "duration"),
    ro("keepalive-timeout", "duration"),
    ro("bytes-in", "int"),
    ro("bytes-out", "int"),
    ro("packets-in", "int"),
    ro("packets-out", "int"),
)

ACTIVE = Menu(
    "ip/hotspot/active",
    (
        ro("server"),
        ro("user"),
        ro("domain"),
        ro("address", "ip"),
        ro("mac-address", "mac"),
        ro("login-by"),
        *_COUNTERS,
        ro("limit-bytes-in", "int"),
        ro("limit-bytes-out", "int"),
        ro("limit-bytes-total", "int"),
        ro("radius", "bool", default="false"),
        ro("blocked", "bool"),
        ro("comment"),
    ),
    READ | {"remove", "login"},
    name_column="",
    first_id=0x80000001,
    print_flags=frozenset({"status", "bytes", "packets"}),
    forget_on_reboot=True,
)

HOST = Menu(
    "ip/hotspot/host",
    (
        ro("mac-address", "mac"),
        ro("address", "ip"),
        ro("to-address", "ip"),
        ro("server"),
        ro("bridge-port"),
        *_COUNTERS,
        ro("host-dead-time", "duration"),
        ro("found-by"),
        ro("authorized", "bool", default="false"),
        ro("bypassed", "bool", default="false"),
        ro("DHCP", "bool", default="false"),
        ro("static", "bool", default="false"),
        ro("dynamic", "bool", default="true"),
        ro("comment"),
    ),
    READ | {"remove", "make-binding"},
    name_column="",
    print_flags=frozenset({"status", "bytes", "packets"}),
    forget_on_reboot=True,
)

COOKIE = Menu(
    "ip/hotspot/cookie",
    (
        ro("user"),
        ro("domain"),
        ro("mac-address", "mac"),
        ro("expires-in", "duration"),
        ro("mac-cookie", "bool", default="false"),
    ),
    READ | {"remove"},
    name_column="",
)

IP_BINDING = Menu(
    "ip/hotspot/ip-binding",
    (
        Prop("mac-address", "mac"),
        Prop("address", "ip", omit="0.0.0.0"),  # noqa: S104 - means unset
        Prop("to-address", "ip", omit="0.0.0.0"),  # noqa: S104 - means unset
        Prop("server", "ref", omit="all", ref="ip/hotspot", extra=("all",)),
        Prop("type", "enum", omit="regular", enum=("regular", "bypassed", "blocked")),
        ro("bypassed", "bool", default="false"),
        ro("blocked", "bool", default="false"),
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"move"},
    is_ordered=True,
    name_column="",
)

WALLED_GARDEN = Menu(
    "ip/hotspot/walled-garden",
    (
        Prop("action", "enum", default="allow", enum=("allow", "deny")),
        Prop("server", "ref", ref="ip/hotspot"),
        Prop("src-address"),
        ro("dst-address"),
        Prop("method"),
        Prop("dst-host"),
        Prop("dst-port"),
        Prop("path"),
        ro("hits", "int", default="0"),
        DYNAMIC,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"move", "unset", "reset-counters", "reset-counters-all"},
    is_ordered=True,
    name_column="",
)

WALLED_GARDEN_IP = Menu(
    "ip/hotspot/walled-garden/ip",
    (
        Prop("action", "enum", default="accept", enum=("accept", "drop", "reject")),
        Prop("server", "ref", ref="ip/hotspot"),
        Prop("src-address"),
        Prop("src-address-list"),
        Prop("dst-address"),
        Prop("dst-address-list"),
        Prop("dst-host"),
        Prop("dst-port"),
        Prop("protocol"),
        INVALID,
        DYNAMIC,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"move", "unset"},
    is_ordered=True,
    name_column="",
)

SERVICE_PORT = Menu(
    "ip/hotspot/service-port",
    (ro("name"), Prop("ports"), DISABLED),
    READ | {"set", "enable", "disable"},
)

MENUS = (
    SERVER,
    PROFILE,
    USER,
    USER_PROFILE,
    ACTIVE,
    HOST,
    COOKIE,
    IP_BINDING,
    WALLED_GARDEN,
    WALLED_GARDEN_IP,
    SERVICE_PORT,
)
