"""Guests and customers: what a session uses, when it ends, how it comes back."""

from __future__ import annotations

import pytest

from locations.emulator import EmulatedRouter, HotspotRefused, PppRefused

from .api_client import PASSWORD, ApiClient

MAC = "AA:BB:CC:00:11:22"
OTHER = "AA:BB:CC:00:11:33"


def user_row(router: EmulatedRouter, name: str) -> dict[str, str]:
    (row,) = router.rows("/ip/hotspot/user", name=name)
    return row


def hotspot_users(router: EmulatedRouter) -> list[str]:
    return [session["user"] for session in router.sessions()["hotspot"]]


def test_a_session_counts_and_the_user_row_learns_it_at_logout(router: EmulatedRouter, api: ApiClient) -> None:
    api.add("/ip/hotspot/user/add", "=name=a", "=password=b")
    router.hotspot_login("a", "b", MAC, up_rate=1000, down_rate=10000)
    router.advance(600)
    (active,) = api.rows("/ip/hotspot/active/print", "?user=a")
    assert active["uptime"] == "10m"
    assert (active["bytes-in"], active["bytes-out"]) == ("600000", "6000000")
    assert active[".id"] == "*80000001"
    assert user_row(router, "a")["uptime"] == "0s"
    router.hotspot_logout(MAC)
    row = user_row(router, "a")
    assert (row["uptime"], row["bytes-in"], row["bytes-out"]) == ("10m", "600000", "6000000")
    router.hotspot_login("a", "b", MAC, up_rate=1000, down_rate=10000)
    router.hotspot_use(MAC, up_bytes=5, down_bytes=7)
    router.advance(60)
    router.hotspot_logout(MAC)
    row = user_row(router, "a")
    assert (row["uptime"], row["bytes-in"], row["bytes-out"]) == ("11m", "660005", "6600007")
    api.talk("/ip/hotspot/user/reset-counters", "=.id=a")
    assert user_row(router, "a")["uptime"] == "0s"


def test_limit_uptime_is_a_total_over_sessions(router: EmulatedRouter, api: ApiClient) -> None:
    api.add("/ip/hotspot/user/add", "=name=a", "=password=b", "=limit-uptime=1h")
    router.hotspot_login("a", "b", MAC, returns=False)
    router.advance(2400)
    router.hotspot_logout(MAC)
    router.hotspot_login("a", "b", MAC, returns=False)
    router.advance(1199)
    (active,) = api.rows("/ip/hotspot/active/print")
    assert active["session-time-left"] == "1s"
    router.advance(10_000)
    assert hotspot_users(router) == []
    assert user_row(router, "a")["uptime"] == "1h"
    with pytest.raises(HotspotRefused, match="user a has reached uptime limit"):
        router.hotspot_login("a", "b", MAC)


def test_byte_limits_end_a_session(router: EmulatedRouter, api: ApiClient) -> None:
    api.add("/ip/hotspot/user/add", "=name=a", "=password=b", "=limit-bytes-total=1000000")
    router.hotspot_login("a", "b", MAC, up_rate=1000, down_rate=9000, returns=False)
    router.advance(99)
    assert api.rows("/ip/hotspot/active/print")[0]["limit-bytes-total"] == "10000"
    router.advance(2)
    assert hotspot_users(router) == []
    assert user_row(router, "a")["uptime"] == "1m40s"
    with pytest.raises(HotspotRefused, match="user a has reached traffic limit"):
        router.hotspot_login("a", "b", MAC)


def test_session_timeout_lets_the_guest_in_again(router: EmulatedRouter, api: ApiClient) -> None:
    api.add("/ip/hotspot/user/profile/add", "=name=p", "=session-timeout=10m")
    api.add("/ip/hotspot/user/add", "=name=a", "=password=b", "=profile=p")
    router.hotspot_login("a", "b", MAC, returns=False)
    router.advance(601)
    assert hotspot_users(router) == []
    router.hotspot_login("a", "b", MAC)
    assert hotspot_users(router) == ["a"]


def test_a_guest_who_walks_away_is_logged_out_by_keepalive(router: EmulatedRouter, api: ApiClient) -> None:
    api.add("/ip/hotspot/user/add", "=name=a", "=password=b")
    router.hotspot_login("a", "b", MAC)
    router.advance(60)
    router.hotspot_leave(MAC)
    router.advance(119)
    assert hotspot_users(router) == ["a"]
    router.advance(2)
    assert hotspot_users(router) == []
    assert user_row(router, "a")["uptime"] == "3m"


@pytest.mark.parametrize(
    ("words", "password", "message"),
    [
        ((), "wrong", "invalid username or password"),
        (("=disabled=yes",), "b", "invalid username or password"),
        (("=mac-address=" + OTHER,), "b", "user a is not allowed to log in from this MAC address"),
        (("=server=hotspot1",), "b", None),
    ],
)
def test_who_is_let_in(
    router: EmulatedRouter, api: ApiClient, words: tuple[str, ...], password: str, message: str | None
) -> None:
    api.add("/ip/hotspot/user/add", "=name=a", "=password=b", *words)
    if message is None:
        assert router.hotspot_login("a", password, MAC)["server"] == "hotspot1"
        return
    with pytest.raises(HotspotRefused, match=message):
        router.hotspot_login("a", password, MAC)
    assert router.rows("/ip/hotspot/active") == []


def test_shared_users_and_the_licence_cap() -> None:
    with EmulatedRouter(password=PASSWORD, clock="manual") as router, ApiClient.logged_in(router) as api:
        api.add("/ip/hotspot/user/profile/add", "=name=many", "=shared-users=unlimited")
        api.add("/ip/hotspot/user/add", "=name=one", "=password=x")
        api.add("/ip/hotspot/user/add", "=name=many", "=password=x", "=profile=many")
        router.hotspot_login("one", "x", MAC)
        with pytest.raises(HotspotRefused, match="no more sessions are allowed for user one"):
            router.hotspot_login("one", "x", OTHER)
        for number in range(199):
            router.hotspot_login("many", "x", f"AA:BB:CC:00:{number:02X}:FF")
        with pytest.raises(HotspotRefused, match="session limit reached"):
            router.hotspot_login("many", "x", OTHER)
        assert len(router.sessions()["hotspot"]) == 200


def test_a_kicked_guest_returns_with_the_cookie_and_not_without(router: EmulatedRouter, api: ApiClient) -> None:
    api.add("/ip/hotspot/user/add", "=name=a", "=password=b")
    router.hotspot_login("a", "b", MAC)
    (active,) = api.rows("/ip/hotspot/active/print")
    api.talk("/ip/hotspot/active/remove", f"=.id={active['.id']}")
    assert hotspot_users(router) == []
    router.advance(60)
    assert hotspot_users(router) == ["a"]
    (active,) = api.rows("/ip/hotspot/active/print")
    assert active["login-by"] == "cookie"
    (cookie,) = api.rows("/ip/hotspot/cookie/print")
    assert cookie["expires-in"] == "2d23h59m"
    api.talk("/ip/hotspot/cookie/remove", f"=.id={cookie['.id']}")
    api.talk("/ip/hotspot/active/remove", f"=.id={active['.id']}")
    router.advance(3600)
    assert hotspot_users(router) == []


def test_disable_and_remove_leave_the_running_session_alone(router: EmulatedRouter, api: ApiClient) -> None:
    api.add("/ip/hotspot/user/add", "=name=a", "=password=b")
    router.hotspot_login("a", "b", MAC)
    api.talk("/ip/hotspot/user/disable", "=.id=a")
    assert hotspot_users(router) == ["a"]
    api.talk("/ip/hotspot/user/remove", "=.id=a")
    assert hotspot_users(router) == ["a"]
    router.hotspot_logout(MAC)
    with pytest.raises(HotspotRefused, match="invalid username or password"):
        router.hotspot_return(MAC)


@pytest.mark.parametrize(("live_limits", "still_there"), [(False, True), (True, False)])
def test_limits_hold_from_login_on_unless_told_otherwise(live_limits: bool, still_there: bool) -> None:
    device = EmulatedRouter(password=PASSWORD, clock="manual", live_limits=live_limits)
    with device as router, ApiClient.logged_in(router) as api:
        api.add("/ip/hotspot/user/add", "=name=a", "=password=b")
        router.hotspot_login("a", "b", MAC, returns=False)
        api.talk("/ip/hotspot/user/set", "=.id=a", "=limit-uptime=10m")
        router.advance(900)
        assert (hotspot_users(router) == ["a"]) is still_there


def test_login_command_needs_a_known_host(router: EmulatedRouter, api: ApiClient) -> None:
    api.add("/ip/hotspot/user/add", "=name=a", "=password=b")
    words = ("/ip/hotspot/active/login", "=user=a", "=password=b")
    assert api.trap(*words, "=ip=10.5.50.99") == "unknown host IP 10.5.50.99"
    host = router.hotspot_host(MAC)
    assert api.trap(*words, f"=ip={host['address']}", f"=mac-address={OTHER}") == "wrong MAC provided"
    assert api.talk(*words, f"=ip={host['address']}") == [["!done"]]
    assert hotspot_users(router) == ["a"]


def test_profile_rate_makes_a_dynamic_queue_and_address_list(router: EmulatedRouter, api: ApiClient) -> None:
    api.add("/ip/hotspot/user/profile/add", "=name=p", "=rate-limit=5M/20M 10M/40M", "=address-list=paid")
    api.add("/ip/hotspot/user/add", "=name=a", "=password=b", "=profile=p")
    address = router.hotspot_login("a", "b", MAC)["address"]
    (queue,) = api.rows("/queue/simple/print")
    assert (queue["name"], queue["target"]) == ("<hotspot-a>", f"{address}/32")
    assert (queue["max-limit"], queue["dynamic"]) == ("5000000/20000000", "true")
    assert api.trap("/queue/simple/set", f"=.id={queue['.id']}", "=max-limit=1M/1M") == (
        "failure: can not change dynamic"
    )
    assert [row["address"] for row in api.rows("/ip/firewall/address-list/print", "?list=paid")] == [address]
    router.hotspot_logout(MAC)
    assert api.rows("/queue/simple/print") == []
    assert api.rows("/ip/firewall/address-list/print") == []


def test_reboot_keeps_counters_up_to_the_last_checkpoint(router: EmulatedRouter, api: ApiClient) -> None:
    api.add("/ip/hotspot/user/add", "=name=a", "=password=b")
    router.hotspot_login("a", "b", MAC, up_rate=1, down_rate=0, returns=False)
    router.advance(700)
    assert router.reboot()["uptime"] == 0.0
    assert api.read() is None
    row = user_row(router, "a")
    assert (row["uptime"], row["bytes-in"]) == ("10m", "600")
    assert router.sessions() == {"hotspot": [], "ppp": []}
    with ApiClient.logged_in(router) as again:
        assert again.rows("/system/resource/print")[0]["uptime"] == "0s"
        assert again.rows("/ip/hotspot/user/print", "?name=a")[0][".id"] == row[".id"]


def test_ppp_dial_in_counts_on_its_interface_and_hangs_up(router: EmulatedRouter, api: ApiClient) -> None:
    api.add("/ip/pool/add", "=name=ppp", "=ranges=10.0.0.2-10.0.0.3")
    api.add("/ppp/profile/add", "=name=home", "=remote-address=ppp", "=rate-limit=5M/20M", "=only-one=yes")
    api.add("/ppp/secret/add", "=name=c7", "=password=x", "=profile=home", "=service=pppoe")
    session = router.ppp_connect("c7", "x", MAC, up_rate=100, down_rate=1000)
    assert session["address"] == "10.0.0.2"
    router.advance(60)
    (active,) = api.rows("/ppp/active/print")
    assert (active["name"], active["uptime"], active["caller-id"]) == ("c7", "1m", MAC)
    (interface,) = api.rows("/interface/print", "?name=<pppoe-c7>")
    assert (interface["rx-byte"], interface["tx-byte"]) == ("6000", "60000")
    assert api.rows("/queue/simple/print", "?name=<pppoe-c7>")[0]["bytes"] == "6000/60000"
    with pytest.raises(PppRefused, match="is already active"):
        router.ppp_connect("c7", "x", OTHER)
    api.talk("/ppp/active/remove", f"=.id={active['.id']}")
    assert api.rows("/ppp/active/print") == []
    assert api.rows("/interface/print", "?name=<pppoe-c7>") == []
    (secret,) = router.rows("/ppp/secret", name="c7")
    assert secret["last-caller-id"] == MAC
    assert secret["last-disconnect-reason"] == "admin-reset"
    assert not secret["last-logged-out"].startswith("1970")


def test_a_router_that_redials_sees_the_new_state(router: EmulatedRouter, api: ApiClient) -> None:
    api.add("/ppp/secret/add", "=name=c7", "=password=x")
    router.ppp_connect("c7", "x", MAC, redial=True)
    api.talk("/ppp/secret/disable", "=.id=c7")
    assert [session["name"] for session in router.sessions()["ppp"]] == ["c7"]
    api.talk("/ppp/active/remove", "=.id=c7")
    router.advance(30)
    assert router.sessions()["ppp"] == []
    api.talk("/ppp/secret/enable", "=.id=c7")
    router.advance(120)
    assert [session["name"] for session in router.sessions()["ppp"]] == ["c7"]


@pytest.mark.parametrize(
    ("words", "password", "caller"),
    [((), "wrong", MAC), (("=caller-id=" + OTHER,), "x", MAC), (("=service=l2tp",), "x", MAC)],
)
def test_who_may_not_dial_in(
    router: EmulatedRouter, api: ApiClient, words: tuple[str, ...], password: str, caller: str
) -> None:
    api.add("/ppp/secret/add", "=name=c7", "=password=x", *words)
    with pytest.raises(PppRefused, match="authentication failed"):
        router.ppp_connect("c7", password, caller)


def test_address_list_timeouts_run_out(router: EmulatedRouter, api: ApiClient) -> None:
    api.add("/ip/firewall/address-list/add", "=list=isolir", "=address=10.0.0.9", "=timeout=1h")
    router.advance(600)
    (row,) = api.rows("/ip/firewall/address-list/print")
    assert (row["timeout"], row["dynamic"]) == ("50m", "true")
    router.advance(3001)
    assert api.rows("/ip/firewall/address-list/print") == []
