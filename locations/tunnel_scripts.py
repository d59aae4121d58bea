"""The texts of a tunnel: commands for the router, and what the server's own WireGuard or SSTP needs. Pure text.

The router dials; so it works behind any NAT that lets UDP (WireGuard) or TCP (SSTP) out. Over the tunnel the router's
input takes the API from this server and nothing else, and nothing is forwarded through it in either direction.
"""

from __future__ import annotations

from dataclasses import dataclass

from locations.access_scripts import V6, quoted

NAME = "mb-vpn"
SERVER_INTERFACE = "mb0"
KEEPALIVE_SECONDS = 25  # below the 30 s after which the shortest UDP mappings of NATs end


@dataclass(frozen=True)
class TunnelScript:
    """`server` and `address` are inside the tunnel, `endpoint` is where the router dials."""

    endpoint: str
    port: int
    server: str
    address: str
    api_port: int
    secret: str

    def wireguard(self, server_key: str, *, renews_key: bool) -> str:
        """For RouterOS 7. The router makes its own private key, which never leaves it; its public key is printed last."""
        return "\n".join(
            [
                *([f"/interface wireguard remove [find name={NAME}]"] if renews_key else []),
                f':do {{/interface wireguard add name={NAME} mtu=1420 comment="{NAME}"}} on-error={{}}',
                f"/interface wireguard peers remove [find interface={NAME}]",
                f"/interface wireguard peers add interface={NAME} public-key={quoted(server_key)} "
                f"preshared-key={quoted(self.secret)} endpoint-address={quoted(self.endpoint)} "
                f"endpoint-port={self.port} allowed-address={self.server}/32 "
                f'persistent-keepalive={KEEPALIVE_SECONDS}s comment="{NAME}"',
                f"/ip address remove [find interface={NAME}]",
                f"/ip address add address={self.address}/32 network={self.server} interface={NAME}",
                *self._firewall(),
                f":put [/interface wireguard get [find name={NAME}] public-key]",
            ]
        )

    def sstp(self, version: str, username: str) -> str:
        """For RouterOS 6, which has no WireGuard. The server's certificate must be one the router can check."""
        where = (
            f"connect-to={quoted(f'{self.endpoint}:{self.port}')}" if version == V6
            else f"connect-to={quoted(self.endpoint)} port={self.port}"
        )  # fmt: skip
        return "\n".join(
            [
                f"/interface sstp-client remove [find name={NAME}]",
                f":do {{/ppp profile add name={NAME} use-encryption=yes}} on-error={{}}",
                f"/interface sstp-client add name={NAME} {where} user={quoted(username)} "
                f"password={quoted(self.secret)} profile={NAME} authentication=mschap2 "
                "verify-server-certificate=yes verify-server-address-from-certificate=yes tls-version=only-1.2 "
                f'add-default-route=no keepalive-timeout=30 disabled=no comment="{NAME}"',
                *self._firewall(),
            ]
        )

    def _firewall(self) -> list[str]:
        """Last written stands first: accept this server's API and ping, then drop the rest of what the tunnel brings."""
        rules = [
            ("forward", f"out-interface={NAME} action=drop"),
            ("forward", f"in-interface={NAME} action=drop"),
            ("input", f"in-interface={NAME} action=drop"),
            ("input", f"in-interface={NAME} src-address={self.server} protocol=icmp action=accept"),
            (
                "input",
                f"in-interface={NAME} src-address={self.server} protocol=tcp dst-port={self.api_port} action=accept",
            ),
        ]
        lines = [f'/ip firewall filter remove [find comment="{NAME}"]']
        for chain, rule in rules:
            add = f'/ip firewall filter add chain={chain} {rule} comment="{NAME}"'
            first = f"place-before=[:pick [find where chain={chain} and dynamic=no] 0]"
            lines.append(f":do {{{add} {first}}} on-error={{{add}}}")
        return lines


@dataclass(frozen=True)
class Peer:
    """One router as the server's WireGuard sees it."""

    name: str
    public_key: str
    secret: str
    address: str

    def block(self) -> str:
        """A part of a WireGuard configuration file."""
        name = "".join(c if c.isprintable() else " " for c in self.name)  # a comment must stay one line
        return (
            f"[Peer]\n# {name}\nPublicKey = {self.public_key}\nPresharedKey = {self.secret}\n"
            f"AllowedIPs = {self.address}/32\n"
        )

    def command(self) -> str:
        """The same for a running interface."""
        return (
            f"echo '{self.secret}' | wg set {SERVER_INTERFACE} peer {self.public_key} preshared-key /dev/stdin "
            f"allowed-ips {self.address}/32"
        )


def wireguard_file(private_key: str, server: str, prefix: int, port: int, peers: list[Peer]) -> str:
    """The whole configuration of the server's interface, for `wg-quick`."""
    head = f"[Interface]\nAddress = {server}/{prefix}\nListenPort = {port}\nPrivateKey = {private_key}\n"
    return "\n".join([head, *(peer.block() for peer in peers)])


def sstp_secrets(rows: list[tuple[str, str, str]]) -> str:
    """Lines of a `chap-secrets` file: (user, password, address)."""
    return "".join(f'{user}\t*\t"{secret}"\t{address}\n' for user, secret, address in rows)
