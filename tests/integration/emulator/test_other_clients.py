"""What clients in other languages put on the wire and expect back, as raw sentences (from their own test suites)."""

from __future__ import annotations

import hashlib

import pytest

from locations.emulator import EmulatedRouter

from .api_client import PASSWORD, ApiClient, as_row

USER = "/ip/hotspot/user"


@pytest.fixture
def seeded(router: EmulatedRouter) -> EmulatedRouter:
    router.seed(3000)
    return router


def test_two_long_lists_interleave_and_each_keeps_its_order(seeded: EmulatedRouter, api: ApiClient) -> None:
    """Go and node clients run several commands at once over one connection and sort the answers by tag."""
    api.send(f"{USER}/print", "=.proplist=name", ".tag=r1")
    api.send(f"{USER}/print", "=.proplist=.id", ".tag=r2")
    api.send("/system/identity/print", ".tag=r3")
    seen: list[list[str]] = []
    while sum(1 for sentence in seen if sentence[0] == "!done") < 3:
        sentence = api.read()
        assert sentence is not None
        seen.append(sentence)
    tags = [sentence[1] for sentence in seen]
    assert tags.index(".tag=r2") < len(tags) - 1 - tags[::-1].index(".tag=r1")
    assert tags.index(".tag=r3") < 2500
    names = [s[2] for s in seen if s[:2] == ["!re", ".tag=r1"]]
    ids = [s[2] for s in seen if s[:2] == ["!re", ".tag=r2"]]
    assert names == ["=name=default-trial", *[f"=name=seed{n:06d}" for n in range(1, 3001)]]
    assert ids == [f"=.id=*{n:X}" for n in range(3001)]


def test_go_listens_and_cancels_by_tag(router: EmulatedRouter, api: ApiClient) -> None:
    api.send("/ip/firewall/address-list/listen", ".tag=l1")
    api.send("/ip/hotspot/active/listen", ".tag=l2")
    api.talk("/system/identity/print", ".tag=r1")
    router.command("/ip/firewall/address-list/add", {"list": "isolated", "address": "10.0.0.9"})
    heard = api.read()
    assert heard is not None
    assert heard[:2] == ["!re", ".tag=l1"]
    assert as_row(heard)["address"] == "10.0.0.9"
    api.send("/cancel", "=tag=l1", ".tag=r2")
    assert [api.read() for _ in range(3)] == [
        ["!trap", ".tag=l1", "=category=2", "=message=interrupted"],
        ["!done", ".tag=r2"],
        ["!done", ".tag=l1"],
    ]
    assert api.talk("/cancel", "=tag=nobody", ".tag=r3") == [["!done", ".tag=r3"]]
    api.send("/cancel")
    assert [api.read() for _ in range(3)] == [
        ["!trap", ".tag=l2", "=category=2", "=message=interrupted"],
        ["!done"],
        ["!done", ".tag=l2"],
    ]


def test_a_cancel_whose_tag_is_misspelt_ends_everything_of_that_connection(api: ApiClient) -> None:
    """A C# client once sent ``=.tag=5``; routers took it as a cancel without a tag."""
    for tag in ("5", "6"):
        api.send("/ping", "=address=192.0.2.1", "=interval=0.5", f".tag={tag}")
        assert api.read() is not None
    api.send("/cancel", "=.tag=5")
    traps = []
    while (sentence := api.read()) != ["!done"]:
        assert sentence is not None
        traps += [sentence[1]] if sentence[0] == "!trap" else []
    assert sorted(traps) == [".tag=5", ".tag=6"]


def test_php_counts_words(api: ApiClient) -> None:
    assert api.talk("/quit", ".tag=x") == [["!fatal", "session terminated on request"]]


def test_php_queries(api: ApiClient) -> None:
    package = api.rows("/system/package/print", "?name")
    assert [row[".id"] for row in package] == ["*1"]
    for query in ("?.id=*1", "?=.id=*1"):
        assert api.rows("/system/package/print", query) == package
    assert api.rows("/interface/print", "?type=ether", "?type=vlan", "?#|")[0][".id"] == "*1"
    replies = api.talk("/system/package/print", ".tag=zzzz")
    assert [reply[1] for reply in replies] == [".tag=zzzz", ".tag=zzzz"]


def test_a_menu_is_no_command() -> None:
    with EmulatedRouter("6.49.17", password=PASSWORD) as router, ApiClient.logged_in(router) as api:
        assert api.talk("/interface") == [["!trap", "=message=no such command"], ["!done"]]
        assert api.trap("/queue/getall") == "no such command"
        assert [row["name"] for row in api.rows(f"{USER}/getall")] == ["default-trial"]


def test_php_get_says_nothing_of_what_is_not_set(api: ApiClient) -> None:
    new = api.add("/queue/simple/add", "=name=q", "=target=0.0.0.0/0")
    get = "/queue/simple/get"
    assert api.talk(get, "=number=q", "=value-name=target") == [["!done", "=ret=0.0.0.0/0"]]
    assert api.talk(get, f"=number={new}", "=value-name=total-max-limit") == [["!done"]]
    assert api.talk(get, "=number=q", "=value-name=packet-marks") == [["!done", "=ret="]]
    assert api.trap(get, "=number=q", "=value-name=nonsense") == "input does not match any value of value-name"
    assert api.trap(get, "=number=17", "=value-name=name") == "no such item (4)"
    assert api.talk("/queue/simple/remove", "=numbers=q") == [["!done"]]


def test_php_unsets_a_matcher_of_old_versions() -> None:
    with EmulatedRouter("6.49.17", password=PASSWORD) as router, ApiClient.logged_in(router) as api:
        rule = api.add("/ip/firewall/filter/add", "=chain=forward", "=p2p=all-p2p", "=action=passthrough")
        get = ("/ip/firewall/filter/get", f"=.id={rule}", "=value-name=p2p")
        assert api.talk(*get) == [["!done", "=ret=all-p2p"]]
        api.talk("/ip/firewall/filter/unset", f"=numbers={rule}", "=value-name=p2p")
        assert api.talk(*get) == [["!done"]]
    with EmulatedRouter("7.16.1", password=PASSWORD) as router, ApiClient.logged_in(router) as api:
        assert api.trap("/ip/firewall/filter/add", "=chain=forward", "=p2p=all-p2p") == "unknown parameter p2p"


@pytest.mark.parametrize("version", ["6.42.12", "6.44.6", "7.16.1"])
def test_a_password_in_another_code_page(version: str) -> None:
    """Stored by WinBox in cp1251, sent by a client that says cp1251."""
    with EmulatedRouter(version, password=PASSWORD, group="full") as router:
        with ApiClient.logged_in(router) if version != "6.42.12" else ApiClient(router.port) as first:
            secret = "аПи".encode("cp1251").decode("latin-1")
            router.command("/user/add", {"name": "ansi", "group": "full"})
            (row,) = router.rows("/user", name="ansi")
            if version != "6.42.12":
                assert first.talk("/user/set", f"=.id={row['.id']}", f"=password={secret}") == [["!done"]]
            else:
                legacy_login(first, "billing", PASSWORD.encode())
                assert first.talk("/user/set", "=.id=ansi", f"=password={secret}") == [["!done"]]
        with ApiClient(router.port) as client:
            if version == "7.16.1":
                assert client.talk("/login", "=name=ansi", f"=password={secret}") == [["!done"]]
            else:
                legacy_login(client, "ansi", secret.encode("latin-1"))
            assert client.rows("/system/identity/print") == [{"name": "MikroTik"}]


def legacy_login(client: ApiClient, name: str, password: bytes) -> None:
    """The challenge that node, Perl and PHP clients still try first."""
    (done,) = client.talk("/login")
    challenge = bytes.fromhex(done[1].removeprefix("=ret="))
    digest = hashlib.md5(b"\0" + password + challenge, usedforsecurity=False).hexdigest()
    assert client.talk("/login", f"=name={name}", f"=response=00{digest}") == [["!done"]]


def test_the_arp_table_is_not_empty_and_ports_can_be_monitored(api: ApiClient) -> None:
    assert "address" in api.rows("/ip/arp/print")[0]
    (port,) = api.rows("/interface/ethernet/monitor", "=numbers=0", "=once=")
    assert (port["name"], port["status"], port["rate"]) == ("ether1", "link-ok", "1Gbps")
    api.send("/interface/ethernet/monitor", "=.id=ether3", ".tag=m")
    assert api.read() == ["!re", ".tag=m", "=name=ether3", "=status=no-link", "=auto-negotiation=done"]


def test_attributes_tag_and_query_in_any_order(api: ApiClient) -> None:
    api.add(f"{USER}/add", "=name=a", "=comment=x")
    for words in (
        ("?name=a", ".tag=1", "=.proplist=name"),
        (".tag=1", "=.proplist=name", "?name=a"),
        ("=.proplist=name", "?name=a", ".tag=1"),
    ):
        assert api.talk(f"{USER}/print", *words) == [["!re", ".tag=1", "=name=a"], ["!done", ".tag=1"]]
    assert [row["name"] for row in api.rows(f"{USER}/print", "?>comment=")] == ["default-trial", "a"]
    assert [row["name"] for row in api.rows(f"{USER}/print", "?-default")] == ["a"]


def test_interfaces_have_one_numbering_and_follow_each_other(api: ApiClient) -> None:
    new = api.add("/interface/vlan/add", "=name=v20", "=vlan-id=20", "=interface=bridge", "=comment=c")
    (row,) = api.rows("/interface/print", "?name=v20")
    assert (row[".id"], row["type"], row["comment"]) == (new, "vlan", "c")
    api.talk("/interface/set", "=.id=v20", "=name=guests", "=disabled=yes")
    (vlan,) = api.rows("/interface/vlan/print")
    assert (vlan[".id"], vlan["name"], vlan["disabled"]) == (new, "guests", "true")
    message = "failure: already have interface with such name"
    assert api.trap("/interface/vlan/add", "=name=ether1", "=vlan-id=3", "=interface=bridge") == message
    api.talk("/interface/vlan/remove", "=.id=guests")
    assert api.rows("/interface/print", "?name=guests") == []
    api.talk("/interface/ethernet/set", "=numbers=ether2", "=name=lan")
    assert [row["name"] for row in api.rows("/interface/print", "=.proplist=name")][:3] == ["ether1", "lan", "ether3"]


def test_what_is_printed_depends_on_other_values(api: ApiClient) -> None:
    menu = "/ip/hotspot/profile"
    plain = api.rows(f"{menu}/print", "?name=hsprof1")[0]
    assert not {"radius-accounting", "trial-uptime-limit", "mac-auth-mode"} & plain.keys()
    api.talk(f"{menu}/set", "=.id=hsprof1", "=use-radius=yes", "=login-by=mac,trial")
    more = api.rows(f"{menu}/print", "?name=hsprof1")[0]
    assert (more["radius-accounting"], more["trial-uptime-limit"], more["mac-auth-mode"]) == (
        "true",
        "30m",
        "mac-as-username",
    )
    assert "pcq-rate" not in api.rows("/queue/type/print", "?name=default")[0]
    assert api.rows("/queue/type/print", "?name=pcq-upload-default")[0]["pcq-limit"] == "50"
