"""The RouterOS commands that people paste into a router. Pure text: nothing here is sent anywhere by us.

Every line can be pasted twice. What goes between quotes is escaped; what cannot be quoted is checked by the callers.
"""

from __future__ import annotations

from dataclasses import dataclass

from locations.access_rights import policy_words

CERTIFICATE = "mb-api"
V6, V7 = "6", "7"


@dataclass(frozen=True)
class LoginScript:
    """`allowed_from`: this server's addresses as the router sees them, with commas; empty allows every address."""

    version: str
    name: str
    password: str
    policies: tuple[str, ...]
    allowed_from: str
    port: int
    is_plain: bool = False
    closes_plain: bool = False
    common_name: str = "router"

    def text(self) -> str:
        return "\n".join([*self._group_and_user(), *(self._plain() if self.is_plain else self._tls())])

    def _group_and_user(self) -> list[str]:
        name, password = quoted(self.name), quoted(self.password)
        policy = policy_words(self.policies, is_v7=self.version == V7)
        address = f" address={self.allowed_from}" if self.allowed_from else ""
        return [
            f":do {{/user group add name={name}}} on-error={{}}",
            f"/user group set [find name={name}] policy={policy}",
            f":do {{/user add name={name} group={name} password={password}{address}}} on-error={{}}",
            f'/user set [find name={name}] group={name} password={password} address="{self.allowed_from}"',
        ]

    def _tls(self) -> list[str]:
        address = f'address="{self.allowed_from}"'
        lines = [
            f":do {{/certificate add name={CERTIFICATE} common-name={quoted(self.common_name)} key-size=2048 "
            "days-valid=3650} on-error={}",
            f":do {{/certificate sign {CERTIFICATE}}} on-error={{}}",
            f"/ip service set api-ssl certificate={CERTIFICATE} port={self.port} {address} tls-version=only-1.2 "
            "disabled=no",
        ]
        lines += ["/ip service set api disabled=yes"] if self.closes_plain else []
        return [*lines, f":put [/certificate get [find name={CERTIFICATE}] fingerprint]"]

    def _plain(self) -> list[str]:
        return [f'/ip service set api port={self.port} address="{self.allowed_from}" disabled=no']


def quoted(text: str) -> str:
    """A RouterOS string: `"`, `\\`, `$` and control characters cannot end or change it."""
    out = []
    for symbol in text:
        if symbol in '"\\$':
            out.append("\\" + symbol)
        elif symbol == "?":  # asks for help in the terminal, also inside quotes
            out.append("\\3F")
        elif ord(symbol) < 32 or ord(symbol) == 127:
            out.append(f"\\{ord(symbol):02X}")
        else:
            out.append(symbol)
    return '"' + "".join(out) + '"'
