"""The generic commands and the menus that have their own."""

from __future__ import annotations

import pytest

from locations.emulator import EmulatedRouter, Trap

from .api_client import PASSWORD, ApiClient

USER = "/ip/hotspot/user"


def test_items_by_id_list_name_and_position(api: ApiClient) -> None:
    for name in ("a", "b", "c"):
        api.add(f"{USER}/add", f"=name={name}")
    api.talk(f"{USER}/set", "=.id=*1,*2", "=comment=both")
    api.talk(f"{USER}/set", "=numbers=c", "=comment=named")
    api.talk(f"{USER}/set", "=numbers=0", "=comment=first")
    rows = api.rows(f"{USER}/print", "=.proplist=name,comment")
    assert [(row["name"], row["comment"]) for row in rows] == [
        ("default-trial", "first"),
        ("a", "both"),
        ("b", "both"),
        ("c", "named"),
    ]
    assert api.trap(f"{USER}/remove", "=.id=*1,*99") == "no such item (4)"
    assert api.talk(f"{USER}/remove", "=.id=*1,*2") == [["!done"]]
    assert api.talk(f"{USER}/print", "=count-only=") == [["!done", "=ret=2"]]


def test_values_are_stored_in_the_routers_spelling(api: ApiClient) -> None:
    new = api.add(
        f"{USER}/add",
        "=name=a",
        "=limit-uptime=90",
        "=limit-bytes-total=1M",
        "=mac-address=aa-bb-cc-00-11-22",
        "=disabled=yes",
        "=!email=",
    )
    (row,) = api.rows(f"{USER}/print", f"?.id={new}")
    assert row == {
        ".id": new,
        "name": "a",
        "mac-address": "AA:BB:CC:00:11:22",
        "profile": "default",
        "limit-uptime": "1m30s",
        "limit-bytes-total": "1048576",
        "uptime": "0s",
        "bytes-in": "0",
        "bytes-out": "0",
        "packets-in": "0",
        "packets-out": "0",
        "dynamic": "false",
        "disabled": "true",
    }
    api.talk(f"{USER}/set", f"=.id={new}", "=!limit-uptime=", "=limit-bytes-total=0", "=disabled=false")
    (row,) = api.rows(f"{USER}/print", f"?.id={new}")
    assert "limit-uptime" not in row
    assert "limit-bytes-total" not in row
    assert row["disabled"] == "false"


def test_proplist_orders_and_restricts(api: ApiClient) -> None:
    assert api.talk(f"{USER}/print", "=.proplist=profile,.id,nothing,name")[0] == [
        "!re",
        "=profile=default",
        "=.id=*0",
        "=name=default-trial",
    ]
    assert api.talk(f"{USER}/print", ".proplist=name")[0] == ["!re", "=name=default-trial"]
    assert api.talk(f"{USER}/print", "=.proplist=nothing")[0] == ["!re"]


def test_same_name_on_two_servers_is_allowed(api: ApiClient) -> None:
    api.add(f"{USER}/add", "=name=a")
    api.add(f"{USER}/add", "=name=a", "=server=hotspot1")
    assert api.trap(f"{USER}/add", "=name=a", "=server=hotspot1") == (
        "failure: already have user with this name for this server"
    )
    assert api.trap(f"{USER}/set", "=.id=*2", "=server=all") == (
        "failure: already have user with this name for this server"
    )


def test_a_renamed_profile_takes_its_users_along_and_a_removed_one_leaves_its_id(api: ApiClient) -> None:
    profile = api.add(f"{USER}/profile/add", "=name=gold", "=rate-limit=1M/2M")
    api.add(f"{USER}/add", "=name=a", "=profile=gold")
    api.talk(f"{USER}/profile/set", "=.id=gold", "=name=silver")
    assert api.rows(f"{USER}/print", "?name=a")[0]["profile"] == "silver"
    api.talk(f"{USER}/profile/unset", "=.id=silver", "=value-name=rate-limit")
    assert "rate-limit" not in api.rows(f"{USER}/profile/print", "?name=silver")[0]
    api.talk(f"{USER}/profile/remove", "=.id=silver")
    assert api.rows(f"{USER}/print", "?name=a")[0]["profile"] == profile
    assert api.trap(f"{USER}/profile/remove", "=.id=default") == "failure: can not remove default profile"


def test_queues_are_ordered_and_checked(api: ApiClient) -> None:
    add = "/queue/simple/add"
    first = api.add(add, "=target=10.0.0.7", "=max-limit=5M/20M")
    (row,) = api.rows("/queue/simple/print")
    assert (row["name"], row["target"], row["max-limit"]) == ("queue1", "10.0.0.7/32", "5000000/20000000")
    second = api.add(add, "=name=b", "=target=10.0.0.8", f"=place-before={first}")
    third = api.add(add, "=name=c", "=target=bridge")

    def order() -> list[str]:
        return [item[".id"] for item in api.rows("/queue/simple/print", "=.proplist=.id")]

    assert order() == [second, first, third]
    api.talk("/queue/simple/move", f"=numbers={third}", f"=destination={second}")
    assert order() == [third, second, first]
    assert [item[".id"] for item in api.rows("/queue/simple/print", "?name=b", "?name=c", "?#|")] == [third, second]
    wrong = api.trap(add, "=name=d", "=target=10.0.0.9", "=limit-at=2M/2M", "=max-limit=1M/3M")
    assert wrong == "failure: upload-max-limit less than upload-limit"


def test_get_find_and_single_menus(api: ApiClient) -> None:
    api.add(f"{USER}/add", "=name=a", "=comment=x")
    assert api.talk(f"{USER}/get", "=.id=a", "=value-name=comment") == [["!done", "=ret=x"]]
    assert api.talk(f"{USER}/find", "?name=a") == [["!done", "=ret=*1"]]
    api.talk("/system/identity/set", "=name=Kafé".encode().decode("latin-1"))
    assert api.talk("/system/identity/print")[0] == ["!re", "=name=Kaf\xc3\xa9"]
    api.talk("/ppp/aaa/set", "=use-radius=yes")
    assert api.rows("/ppp/aaa/print")[0]["use-radius"] == "true"


def test_ppp_secret_prints_what_is_unset(api: ApiClient) -> None:
    api.add("/ppp/secret/add", "=name=c7", "=password=x", "=service=pppoe")
    (row,) = api.rows("/ppp/secret/print")
    assert row == {
        ".id": "*1",
        "name": "c7",
        "service": "pppoe",
        "caller-id": "",
        "password": "x",
        "profile": "default",
        "routes": "",
        "ipv6-routes": "",
        "limit-bytes-in": "0",
        "limit-bytes-out": "0",
        "last-logged-out": "1970-01-01 00:00:00",
        "disabled": "false",
    }


@pytest.mark.parametrize(
    ("policies", "words", "message"),
    [
        (("read", "api"), (f"{USER}/add", "=name=a"), "not enough permissions (9)"),
        (("read", "api"), ("/ping", "=address=10.0.0.1", "=count=1"), "not enough permissions (9)"),
        (("write", "api"), (f"{USER}/print",), "not enough permissions (9)"),
        (("read", "write", "api"), ("/user/add", "=name=x", "=group=full"), "not enough permissions (9)"),
        (("read", "write", "api"), ("/system/script/add", "=name=x"), "not enough permissions (9)"),
        (("read", "write", "api"), ("/system/reboot",), "not enough permissions (9)"),
        (("read", "write", "api"), ("/import", "=file-name=x"), "not enough permissions (9)"),
        (("read", "write", "api"), ("/file/add", "=name=x"), "not enough permissions (9)"),
    ],
)
def test_policies(policies: tuple[str, ...], words: tuple[str, ...], message: str) -> None:
    with EmulatedRouter(password=PASSWORD, policies=policies) as router, ApiClient.logged_in(router) as api:
        assert api.trap(*words) == message
        assert router.write_count() == 0


def test_without_the_api_policy_nobody_logs_in_and_without_sensitive_nobody_sees_passwords() -> None:
    with EmulatedRouter(password=PASSWORD, policies=("read",)) as router, ApiClient(router.port) as client:
        wrong = "invalid user name or password (6)"
        assert client.trap("/login", "=name=billing", f"=password={PASSWORD}") == wrong
    with EmulatedRouter(password=PASSWORD, policies=("read", "write", "api")) as router:
        router.command(f"{USER}/add", {"name": "a", "password": "x"})
        with ApiClient.logged_in(router) as client:
            assert "password" not in client.rows(f"{USER}/print", "?name=a")[0]
            assert client.talk(f"{USER}/get", "=.id=a", "=value-name=password") == [["!done"]]
            assert all("password" not in row for row in client.rows("/user/print"))


def test_show_sensitive_from_7_21() -> None:
    with EmulatedRouter("7.21.3", password=PASSWORD) as router, ApiClient.logged_in(router) as api:
        api.add(f"{USER}/add", "=name=a", "=password=x")
        assert api.rows(f"{USER}/print", "?name=a")[0]["password"] == "x"
        assert "password" not in api.rows(f"{USER}/print", "?name=a", "=show-sensitive=no")[0]


@pytest.mark.parametrize(
    ("version", "date", "empty_category"),
    [("6.49.17", "jan/02/2024", False), ("7.9.2", "jan/02/2024", True), ("7.16.1", "2024-01-02", True)],
)
def test_dates_and_categories_by_version(version: str, date: str, empty_category: bool) -> None:
    device = EmulatedRouter(version, password=PASSWORD, clock="manual")
    with device as router, ApiClient.logged_in(router) as api:
        router.command("/system/clock/set", {"date": "2024-01-02", "time": "10:00:00"})
        clock = api.rows("/system/clock/print")[0]
        assert (clock["date"], clock["time"]) == (date, "10:00:00")
        router.set_clock(time_zone="Asia/Jakarta")
        clock = api.rows("/system/clock/print")[0]
        assert (clock["time"], clock["gmt-offset"]) == ("17:00:00", "+07:00")
        has_category = "=category=0" in api.talk(f"{USER}/remove", "=.id=*99")[0]
        assert has_category is empty_category


def test_files_have_a_size_limit_and_can_be_imported() -> None:
    policies = ("read", "write", "ftp", "api", "test", "policy", "sensitive")
    with EmulatedRouter(password=PASSWORD, policies=policies) as router, ApiClient.logged_in(router) as api:
        api.add("/file/add", "=name=a.rsc", "=type=file")
        assert api.talk("/file/set", "=.id=a.rsc", "=contents=" + "#" * 60_416) == [["!done"]]
        assert api.trap("/file/set", "=.id=a.rsc", "=contents=" + "#" * 61_440) == "failure: contents too long"
        script = (
            "# vouchers\n"
            "/ip hotspot user\n"
            'add name="a\\"b\\$c" password=x comment="two words"\n'
            ':do {/ip hotspot user add name="a\\"b\\$c"} on-error={}\n'
            "/ip hotspot user profile add name=gold shared-users=2\n"
            "/ip hotspot user add name=c profile=gold\n"
        )
        api.talk("/file/set", "=.id=a.rsc", f"=contents={script}")
        assert api.talk("/import", "=file-name=a.rsc") == [["!done"]]
        rows = api.rows(f"{USER}/print", "=.proplist=name,comment,profile")[1:]
        assert rows == [
            {"name": 'a"b$c', "comment": "two words", "profile": "default"},
            {"name": "c", "profile": "gold"},
        ]
        api.talk(
            "/file/set",
            "=.id=a.rsc",
            "=contents=/ip hotspot user\nadd name=kept\nadd name=c\nadd name=never\n",
        )
        assert api.trap("/import", "=file-name=a.rsc") == (
            "failure: already have user with this name for this server (/ip/hotspot/user/add; line 3)"
        )
        assert len(api.rows(f"{USER}/print", "?name=kept")) == 1
        assert api.rows(f"{USER}/print", "?name=never") == []
        api.talk("/file/set", "=.id=a.rsc", '=contents=/ip hotspot user add name=ok\n/ip hotspot user add name="x\n')
        assert api.trap("/import", "=file-name=a.rsc").startswith("expected name value (line 2 column ")
        assert api.rows(f"{USER}/print", "?name=ok") == []
        api.send("/file/set", "=.id=a.rsc", "=contents=" + "#" * 102_400)
        assert api.read() is None


def test_user_active_shows_and_ends_sessions(router: EmulatedRouter, api: ApiClient) -> None:
    (row,) = api.rows("/user/active/print")
    assert (row["name"], row["via"], row["group"]) == ("billing", "api", "billing")
    api.close()
    with ApiClient.logged_in(router) as other:
        rows = other.rows("/user/active/print")
        while len(rows) > 1:
            rows = other.rows("/user/active/print")
        assert rows[0][".id"] != row[".id"]
    assert any("logged in from 127.0.0.1 via api" in line["message"] for line in router.rows("/log"))


def test_console_commands_leave_no_trace_in_the_operation_log(router: EmulatedRouter, api: ApiClient) -> None:
    assert router.command(f"{USER}/add", {"name": "by-hand"})["ret"] == "*1"
    with pytest.raises(Trap, match="already have user"):
        router.command(f"{USER}/add", {"name": "by-hand"})
    rows = router.command(f"{USER}/print", queries=["?name=by-hand"])["rows"]
    assert [row["name"] for row in rows] == ["by-hand"]
    api.talk(f"{USER}/set", "=.id=by-hand", "=password=topsecret", "=comment=x")
    assert router.op_counts() == {"/login": 1, f"{USER}/set": 1}
    assert router.write_count() == 1
    (entry,) = router.op_log(USER)
    assert entry["words"] == {".id": "by-hand", "password": "*", "comment": "x"}
    assert entry["result"] == "ok"
    assert "topsecret" not in repr(router.op_log()) + repr(router.op_counts())
    assert PASSWORD not in repr(router.op_log())
