"""Tunnels to routers behind NAT: what people paste works on the router, secrets stay where they belong, the check tells."""

from __future__ import annotations

import base64
import io
import json
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from accounts.choices import Role
from accounts.models import ActivityLog
from core.errors import DomainError
from core.settings_registry import setting_change
from locations import services
from locations.admin.tunnel import report_lines
from locations.choices import TlsMode, TunnelKind
from locations.models import Location, RouterState, RouterTunnel, TunnelServer
from locations.services.tunnels import key_clean, key_pair, wireguard_config
from locations.tunnel_settings import ENDPOINT, NETWORK
from locations.words_connection import encryption_words
from tests.integration.locations.test_access import paste
from tests.integration.locations.test_connect_pages import client_of, page_of
from tests.routers import emulated, location_of

pytestmark = pytest.mark.django_db(transaction=True)
OURS = "mb-vpn"


@pytest.fixture(autouse=True)
def endpoint() -> None:
    setting_change(ENDPOINT, "vpn.example.net")


def place(name: str = "Pos 1") -> Location:
    location = Location.objects.create(name=name, host="192.0.2.7", port=8729, username="b")
    RouterState.objects.create(location=location)
    return location


def issue(location: Location, kind: str = TunnelKind.WIREGUARD) -> services.Issued:
    version = "6" if kind == TunnelKind.SSTP else "7"
    return services.tunnel_issue(location, kind=kind, ros_version=version, actor=None)


def with_key(location: Location) -> services.Issued:
    issue(location)
    return services.tunnel_key_put(location, public_key=key_pair()[1], actor=None)


def test_wireguard_as_pasted() -> None:
    with emulated(version="7.16.1") as router:
        router.command("/ip/firewall/filter/add", {"chain": "input", "action": "drop", "comment": "the operator's"})
        issued = issue(place())
        for _time in range(2):
            paste(router, issued.script)
            (peer,) = router.rows("/interface/wireguard/peers")
            assert peer["public-key"] == TunnelServer.objects.get().public_key
            assert (peer["endpoint-address"], peer["endpoint-port"], peer["allowed-address"]) == (
                "vpn.example.net", "51820", "10.213.0.1/32",
            )  # fmt: skip
            assert peer["persistent-keepalive"] == "25s"
            assert len(base64.b64decode(peer["preshared-key"])) == 32
            (address,) = router.rows("/ip/address", interface=OURS)
            assert (address["address"], address["network"]) == ("10.213.0.2/32", "10.213.0.1")
            rules = [
                (row["chain"], row["action"], row.get("src-address", ""), row.get("dst-port", ""))
                for row in router.rows("/ip/firewall/filter")
            ]
            assert [rule for rule in rules if rule[0] == "input"] == [
                ("input", "accept", "10.213.0.1", "8729"), ("input", "accept", "10.213.0.1", ""),
                ("input", "drop", "", ""), ("input", "drop", "", ""),
            ]  # fmt: skip
            assert [rule[1] for rule in rules if rule[0] == "forward"] == ["drop", "drop"]
            assert router.rows("/ip/firewall/filter")[-1].get("comment") in {OURS, "the operator's"}


@pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])
def test_sstp_as_pasted(version: str) -> None:
    location = place()
    issued = services.tunnel_issue(location, kind=TunnelKind.SSTP, ros_version=version[0], actor=None)
    with emulated(version=version) as router:
        for _time in range(2):
            paste(router, issued.script)
            (client,) = router.rows("/interface/sstp-client")
            where = "vpn.example.net:4443" if version.startswith("6") else "vpn.example.net"
            assert (client["connect-to"], client["user"]) == (where, f"mb{location.pk}")
            assert (client["verify-server-certificate"], client["disabled"]) == ("true", "false")
            assert client["password"] == RouterTunnel.objects.get().secret
            assert router.count("/ip/firewall/filter") == 5
    assert issued.server == f'mb{location.pk}\t*\t"{RouterTunnel.objects.get().secret}"\t10.213.0.2\n'


def test_every_router_has_its_own_address_and_secrets() -> None:
    made = [with_key(place(f"Pos {n}")).tunnel for n in range(3)]
    assert [row.address for row in made] == ["10.213.0.2", "10.213.0.3", "10.213.0.4"]
    assert len({row.secret for row in made}) == 3
    services.tunnel_remove(made[1].location, actor=None)
    assert issue(place("Pos 9")).tunnel.address == "10.213.0.3"


def test_two_at_once_never_get_the_same_address() -> None:
    places = [place(f"Pos {n}") for n in range(6)]

    def reserve(location: Location) -> None:
        services.tunnel_reserve(location, kind=TunnelKind.WIREGUARD, actor=None)
        connection.close()

    threads = [threading.Thread(target=reserve, args=(location,)) for location in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(RouterTunnel.objects.values_list("address", flat=True)) == [f"10.213.0.{n}" for n in range(2, 8)]


def test_new_secrets_make_the_old_ones_worthless() -> None:
    location = place()
    first = with_key(location).tunnel
    again = issue(location)
    assert again.tunnel.secret != first.secret
    assert (again.tunnel.address, again.tunnel.public_key) == (first.address, "")
    assert again.script.startswith("/interface wireguard remove")
    assert first.public_key not in wireguard_config()


def test_the_servers_private_key_leaves_by_the_command_alone() -> None:
    location = place()
    client = client_of(Role.ADMIN)
    url = page_of(location, "tunnel")
    shown = client.post(url, {"do": "issue", "kind": "wireguard"})
    assert "no-store" in shown["Cache-Control"]
    server, tunnel = TunnelServer.objects.get(), RouterTunnel.objects.get()
    assert tunnel.secret in shown.content.decode()
    key = key_pair()[1]
    peer = client.post(url, {"do": "key", "public_key": key}).content.decode()
    assert f"wg set mb0 peer {key} preshared-key /dev/stdin allowed-ips {tunnel.address}/32" in peer
    later = client.get(url).content.decode()
    assert tunnel.secret not in later
    assert server.public_key not in later
    everything = shown.content.decode() + peer + later + json.dumps(list(ActivityLog.objects.values_list("details")))
    assert server.private_key not in everything
    assert tunnel.secret not in json.dumps(list(ActivityLog.objects.values_list("details")))
    with connection.cursor() as cursor:
        cursor.execute("SELECT private_key FROM locations_tunnelserver UNION SELECT secret FROM locations_routertunnel")
        assert all(value.startswith("v1:") for (value,) in cursor.fetchall())
    out = io.StringIO()
    call_command("tunnel_config", stdout=out)
    assert out.getvalue() == (
        f"[Interface]\nAddress = 10.213.0.1/16\nListenPort = 51820\nPrivateKey = {server.private_key}\n\n"
        f"[Peer]\n# Pos 1\nPublicKey = {key}\nPresharedKey = {tunnel.secret}\nAllowedIPs = {tunnel.address}/32\n"
    )
    private = X25519PrivateKey.from_private_bytes(base64.b64decode(server.private_key))
    assert base64.b64encode(private.public_key().public_bytes_raw()).decode() == server.public_key


def test_a_name_cannot_end_the_comment_in_the_configuration() -> None:
    with_key(place("Pos\n[Peer]\nAllowedIPs = 0.0.0.0/0"))
    assert wireguard_config().count("\n[Peer]") == 1
    assert "\nAllowedIPs = 0.0.0.0/0" not in wireguard_config()


@pytest.mark.parametrize("text", ["", "abc", "A" * 44, "=" * 44, "A" * 43 + "=", "é" * 44, "x" * 4000])
def test_what_is_no_key_is_refused(text: str) -> None:
    location = place()
    issue(location)
    with pytest.raises(DomainError):
        services.tunnel_key_put(location, public_key=text, actor=None)
    assert RouterTunnel.objects.get().public_key == ""
    good = key_pair()[1]
    assert key_clean(f'  "{good}" ') == good


def test_a_key_belongs_to_one_router() -> None:
    first, second = place("Pos 1"), place("Pos 2")
    key = with_key(first).tunnel.public_key
    issue(second)
    for taken in (key, TunnelServer.objects.get().public_key):
        with pytest.raises(DomainError):
            services.tunnel_key_put(second, public_key=taken, actor=None)


def test_without_an_address_of_this_server_nothing_is_made() -> None:
    setting_change(ENDPOINT, "")
    location = place()
    with pytest.raises(DomainError):
        issue(location)
    assert RouterTunnel.objects.count() == 0
    page = client_of(Role.ADMIN).get(page_of(location, "tunnel")).content.decode()
    assert "A Super Admin enters it in the system settings." in page


@pytest.mark.parametrize(
    "text", ["8.8.8.0/24", "10.0.0.0/30", "10.0.0.1/16", "127.0.0.0/8", "169.254.0.0/16", "x", "fd00::/8"]
)
def test_networks_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(DomainError):
        setting_change(NETWORK, text)


def test_the_network_stays_once_routers_have_addresses_of_it() -> None:
    setting_change(NETWORK, "10.99.0.0/29")
    with_key(place())
    with pytest.raises(DomainError):
        setting_change(NETWORK, "10.98.0.0/24")
    assert setting_change(NETWORK, "10.99.0.0/29") == "10.99.0.0/29"
    for number in range(4):
        issue(place(f"Pos {number + 2}"))
    with pytest.raises(DomainError) as full:
        issue(place("Pos 7"))
    assert full.value.code == "tunnel.full"


def tunnelled(location: Location, kind: str = TunnelKind.WIREGUARD) -> None:
    """As if the tunnel ended on loopback."""
    issue(location, kind)
    RouterTunnel.objects.update(address="127.0.0.1")


@pytest.mark.parametrize(("version", "kind"), [("7.16.1", TunnelKind.WIREGUARD), ("6.49.17", TunnelKind.SSTP)])
def test_the_check_says_how_far_it_came(version: str, kind: str) -> None:
    with emulated(version=version) as router:
        location = location_of(router)
        tunnelled(location, kind)
        paste(router, services.tunnel_issue(location, kind=kind, ros_version=version[0], actor=None).script)
        if kind == TunnelKind.WIREGUARD:
            (row,) = router._core.device.tables["interface/wireguard/peers"].rows.values()
            row.values.update({"last-handshake": "1m2s", "rx": "2048"})
        report = services.tunnel_check(location)
        assert (report.is_ok, report.version) == (True, version)
        assert report.connect_ms is not None
        assert report.ask_ms is not None
        said = [words.text for words in report_lines(report)]
        if kind == TunnelKind.WIREGUARD:
            assert "Last handshake of WireGuard, says the router: 1m2s ago, 2 KB received" in said[-1]
        assert router.write_count() == 0
        location.password = "wrong"
        refused = services.tunnel_check(location)
        assert (refused.is_ok, refused.connect_ms is None, "refused user name or password" in refused.problem) == (
            False, False, True,
        )  # fmt: skip
        router.set_fault("down")
        silent = services.tunnel_check(location)
        assert (silent.is_ok, silent.connect_ms) == (False, None)


def test_a_new_location_behind_nat_through_the_pages() -> None:
    client = client_of(Role.ADMIN)
    answer = client.post(reverse("admin:router_connect"), {"name": "Pos NAT", "way": "wireguard"})
    location = Location.objects.get()
    assert answer["Location"] == page_of(location, "tunnel")
    assert (location.host, location.is_active, location.tls_mode) == ("10.213.0.2", False, TlsMode.PINNED)
    assert services.is_tunnelled(location)
    assert encryption_words(TlsMode.NONE, has_fingerprint=False, is_tunnelled=True).tone.value == "good"
    assert "10.213.0.1" in client.get(page_of(location, "access")).content.decode()
    assert client.post(reverse("admin:router_connect"), {"name": "Pos 2"}).status_code == 422
    assert client.post(reverse("admin:router_connect"), {"name": "Pos 2", "way": "pigeon"}).status_code == 422
    services.location_change(location, actor=None, is_active=True)
    page = client.post(page_of(location, "tunnel"), {"do": "remove"})
    assert "The router is reached through it." in page.content.decode()
    assert RouterTunnel.objects.count() == 1


def test_an_existing_location_moves_into_its_tunnel() -> None:
    location = place()
    with_key(location)
    client = client_of(Role.ADMIN)
    client.post(page_of(location, "tunnel"), {"do": "use"})
    location.refresh_from_db()
    assert location.host == RouterTunnel.objects.get().address
    secret = RouterTunnel.objects.get().secret
    refused = client.post(page_of(location, "tunnel"), {"do": "issue", "kind": "wireguard"})
    assert (refused.status_code, RouterTunnel.objects.get().secret) == (422, secret)
    assert (
        client.post(page_of(location, "tunnel"), {"do": "issue", "kind": "wireguard", "sure": "1"}).status_code == 200
    )
    assert RouterTunnel.objects.get().secret != secret
    assert "Waiting for the public key" in client.get(page_of(location, "tunnel")).content.decode()
    services.tunnel_key_put(location, public_key=key_pair()[1], actor=None)
    assert "reached through it" in client.get(page_of(location, "tunnel")).content.decode()
    assert client_of(Role.OPERATOR).get(page_of(location, "tunnel")).status_code in {403, 404}
