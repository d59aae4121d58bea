"""The text of an export: joined, judged, masked, compared."""

from __future__ import annotations

import pytest

from locations.routeros.exports import MASK, Change, Incomplete, changes, export_lines, masked, named, without_secrets

HEAD = "# 2026-11-22 01:00:00 by RouterOS 7.16.1\r\n# software id = ABCD-EFGH\r\n#\r\n"


def test_lines_are_joined_and_carry_their_menu_and_remarks_are_left_out() -> None:
    text = (
        f"{HEAD}/interface bridge\r\nadd name=bridge\r\n# ether1 not ready\r\n/ip firewall nat\r\n"
        'add action=masquerade chain=srcnat comment="a long \\\r\n    one" out-interface=\\\r\n    ether1\r\n'
        "/ip dns\r\nset servers=1.1.1.1\r\n"
    )
    assert export_lines(text, "7.16.1") == [
        "/interface bridge add name=bridge",
        '/ip firewall nat add action=masquerade chain=srcnat comment="a long one" out-interface=ether1',
        "/ip dns set servers=1.1.1.1",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "heading"),
        ("/ip dns\r\nset servers=1.1.1.1\r\n", "heading"),
        (HEAD.replace("7.16.1", "7.9") + "/ip dns\r\nset servers=1.1.1.1\r\n", "version"),
        (HEAD, "cut"),
        (HEAD + "/ip dns\r\nset servers=1.1", "cut"),
        (HEAD + "/ip dns\r\nset servers=1.1.1.1 \\\r\n", "cut"),
        (HEAD + '/system note\r\nset note="half\r\n', "cut"),
        (HEAD + "/interface ethernet\r\nset [ find default-name=ether1\r\n", "cut"),
    ],
)
def test_what_is_not_whole_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Incomplete) as refused:
        export_lines(text, "7.16.1")
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/ppp secret add name=budi password=abc profile=p", f"/ppp secret add name=budi password={MASK} profile=p"),
        ('/ppp secret add password="a \\" b" name=x', f"/ppp secret add password={MASK} name=x"),
        ("/snmp community add name=hush addresses=::/0", f"/snmp community add name={MASK} addresses=::/0"),
        ("/snmp community set [ find default=yes ] name=hush", f"/snmp community set [ find default=yes ] name={MASK}"),
        ("/snmp set trap-community=hush", f"/snmp set trap-community={MASK}"),
        ("/radius add secret=abc address=10.0.0.1", f"/radius add secret={MASK} address=10.0.0.1"),
        ("/ip hotspot user add name=ABCD2345 profile=p", f"/ip hotspot user add name={MASK} profile=p"),
        ("/ip hotspot user add name=adi password=x", f"/ip hotspot user add name=adi password={MASK}"),
        ('/interface wireguard add private-key="abc="', f"/interface wireguard add private-key={MASK}"),
        (
            "/interface wifi security add name=s passphrase=abcdefgh",
            f"/interface wifi security add name=s passphrase={MASK}",
        ),
        (
            "/interface wireless security-profiles add wpa2-pre-shared-key=abcdefgh name=s",
            f"/interface wireless security-profiles add wpa2-pre-shared-key={MASK} name=s",
        ),
        (
            '/system script add name=s source=":local password \\"abc\\"; :put 1"',
            f'/system script add name=s source=":local password {MASK}; :put 1"',
        ),
        (
            '/system script add name=s source="/tool fetch url=\\"https://u:p@host/\\""',
            f'/system script add name=s source="/tool fetch url=\\"https://{MASK}@host/\\""',
        ),
        (
            "/tool netwatch add host=1.1.1.1 down-script=bot123456789:AAbbccddeeffgghhiijjkkllmmnnooppqq",
            f"/tool netwatch add host=1.1.1.1 down-script=bot{MASK}",
        ),
        ("/ip hotspot profile set keepalive-timeout=2m name=x", "/ip hotspot profile set keepalive-timeout=2m name=x"),
    ],
)
def test_secrets_are_masked(line: str, shown: str) -> None:
    assert masked(line) == shown


def test_changes_are_told_by_menu_and_a_changed_secret_is_told_without_showing_it() -> None:
    old = ["/ip dns set servers=1.1.1.1", "/ppp secret add name=a password=one", "/ip pool add name=p ranges=10.0.0.2"]
    new = ["/ip dns set servers=8.8.8.8", "/ppp secret add name=a password=two", "/ip pool add name=p ranges=10.0.0.2"]
    assert changes(old, new) == [
        Change("/ip dns", "-", "set servers=1.1.1.1"),
        Change("/ip dns", "+", "set servers=8.8.8.8"),
        Change("/ppp secret", "*", f"add name=a password={MASK}"),
    ]
    assert changes(old, old) == []


def test_a_rule_that_moved_is_a_change() -> None:
    rules = [f"/ip firewall filter add chain=forward dst-port={port}" for port in (1, 2, 3)]
    assert changes(rules, [rules[1], rules[0], rules[2]]) != []


def test_names_are_read_as_the_router_has_them() -> None:
    assert named('/ppp secret add comment="mb:x:a" name="a \\"b\\" \\24 c"') == {
        "comment": "mb:x:a",
        "name": 'a "b" $ c',
    }
    assert without_secrets("/ppp secret add name=a password=one profile=p") == "/ppp secret add name=a profile=p"
