"""A router as Mikhmon v3 left it, as data: profiles with its on-login script, codes, ends of validity, sales, a watchdog.

The forms are those of `research/routeros.md` 2.17 (read in Mikhmon's source); names and prices are made up. What differs
by version is only the style of dates: `jan/02/2024` before RouterOS 7.10, `2024-01-02` since.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from locations.emulator.router import EmulatedRouter

ZONE = ZoneInfo("Asia/Jakarta")
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
WATCHDOG = (
    ':foreach i in [/ip hotspot user find where profile="1Hari"] do={ '
    ":local comment [/ip hotspot user get $i comment]; /ip hotspot user remove $i; "
    "/ip hotspot active remove [find where user=$i] }"
)


def on_login(mode: str, price: int, validity: str, selling: int, lock: str = "Disable", *, name: str = "1Hari") -> str:
    """The script of a profile as Mikhmon writes it, shortened after the part that is read back."""
    return (
        f':put (",{mode},{price},{validity},{selling},,{lock},"); '
        '{:local comment [/ip hotspot user get [/ip hotspot user find where name="$user"] comment]; '
        ':local ucode [:pic $comment 0 2]; :if ($ucode = "vc" or $ucode = "up" or $comment = "") do={ '
        f'/sys sch add name="$user" disable=no interval="{validity}"; :local n "{name}" }}}}'
    )


def day_text(moment: datetime, version: str) -> str:
    local = moment.astimezone(ZONE)
    is_iso = tuple(int(part) for part in version.split(".")[:2]) >= (7, 10)
    return f"{local:%Y-%m-%d}" if is_iso else f"{MONTHS[local.month - 1]}/{local:%d/%Y}"


def end_text(moment: datetime, version: str) -> str:
    """The end of a validity as the script leaves it in the comment."""
    return f"{day_text(moment, version)} {moment.astimezone(ZONE):%H:%M:%S}"


def sale_name(moment: datetime, version: str, user: str, price: int, profile: str, comment: str) -> str:
    parts = (
        day_text(moment, version), f"{moment.astimezone(ZONE):%H:%M:%S}", user, str(price), "10.5.50.7",
        "AA:BB:CC:00:11:22", "1d", profile, comment,
    )  # fmt: skip
    return "-|-".join(parts)


def put(router: EmulatedRouter, menu: str, **words: str) -> None:
    """As somebody at the router's own console."""
    router.command(f"{menu}/add", {name.replace("_", "-"): value for name, value in words.items()})


def seed(router: EmulatedRouter, version: str, now: datetime, **moments: Any) -> None:
    """`running` is the end of a code in use, `over` of one that ended, `sold` when the two old sales were made."""
    put(router, "/ip/pool", name="hs-mikhmon", ranges="10.6.50.2-10.6.50.254")
    put(
        router, "/ip/hotspot/user/profile", name="1Hari", rate_limit="1M/2M", shared_users="1", address_pool="hs-mikhmon",
        on_login=on_login("rem", 4000, "1d", 5000),
    )  # fmt: skip
    put(
        router, "/ip/hotspot/user/profile", name="7Hari", rate_limit="2M/5M", shared_users="2",
        on_login=on_login("ntfc", 20000, "7d", 0, "Enable", name="7Hari"),
    )  # fmt: skip
    put(router, "/ip/hotspot/user/profile", name="staf", rate_limit="5M/5M", shared_users="1")
    user = "/ip/hotspot/user"
    put(router, user, name="abc12", password="abc12", profile="1Hari", comment="vc-123-01.02.24-warung")
    put(router, user, name="abc13", password="abc13", profile="1Hari", comment="vc-123-01.02.24-warung")
    put(router, user, name="budi", password="rahasia", profile="7Hari", comment="up-456-02.02.24-")
    put(router, user, name="run01", password="run01", profile="1Hari", comment=end_text(moments["running"], version))
    put(router, user, name="old01", password="old01", profile="1Hari", comment=end_text(moments["over"], version))
    put(router, user, name="satpam", password="pos1", profile="staf", comment="pos depan")
    put(router, user, name="ABC12", password="x", profile="1Hari", comment="vc-123-01.02.24-warung")
    put(router, user, name="x" * 65, password="x", profile="1Hari", comment="vc-123-01.02.24-warung")
    put(router, "/ppp/profile", name="10M", rate_limit="10M/10M", local_address="10.0.0.1", remote_address="hs-mikhmon")
    secret = "/ppp/secret"
    put(router, secret, name="sri", password="s3cret", service="pppoe", profile="10M", comment="Bu Sri 0812-3456-7890")
    put(
        router, secret, name="joko", password="j0ko", service="any", profile="10M", remote_address="10.0.0.77",
        caller_id="AA:BB:CC:DD:EE:01", comment="Pak Joko", disabled="yes",
    )  # fmt: skip
    put(router, secret, name="kantor", password="vpn", service="l2tp", profile="10M", comment="VPN")
    script = "/system/script"
    for number, user_name in enumerate(("lama1", "lama2")):
        put(
            router, script, comment="mikhmon", owner="jan2024", source="x",
            name=sale_name(moments["sold"], version, user_name, 5000 + number, "1Hari", "vc-99-01.01.24-"),
        )  # fmt: skip
    put(router, script, comment="mikhmon", owner="jan2024", source="x", name="broken-|-row")
    put(router, script, name="backup", source="/export")
    put(router, "/system/scheduler", name="1Hari", interval="2m23s", on_event=WATCHDOG)


def pictures(router: EmulatedRouter) -> dict[str, list[dict[str, str]]]:
    """Everything of these menus with every value, passwords and comments too: to be compared before and after."""
    menus = (
        "/ip/hotspot/user", "/ip/hotspot/user/profile", "/ppp/secret", "/ppp/profile", "/ip/pool", "/system/script",
        "/system/scheduler",
    )  # fmt: skip
    return {menu: router.rows(menu) for menu in menus}
