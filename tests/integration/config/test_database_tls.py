"""PostgreSQL behind TLS, and what our URL parser makes of addresses to it.

The embedded server is built without TLS; `tls_front` speaks it for it, libpq on our side is the real one.
127.0.0.2 is this machine, but not one of the names the parser takes for local: a remote host without a network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from config.embedded import names
from config.embedded.postgres import EmbeddedPostgres
from config.env import EnvError, database_url
from tests.integration.config.certificates import HOST, OTHER_HOST, authority, certificate
from tests.integration.config.tls_front import TlsFront

pytestmark = pytest.mark.tls


@dataclass(frozen=True)
class TlsServer:
    port: int
    password: str
    authority: Path
    other_authority: Path

    def url(self, host: str = HOST, **options: str) -> str:
        query = "&".join(f"{key}={value}" for key, value in options.items())
        return f"postgresql://{names.APP_ROLE}:{self.password}@{host}:{self.port}/{names.DATABASE}?{query}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    folder, root = tmp_path_factory.mktemp("tls"), tmp_path_factory.mktemp("pg")
    good, other = authority(folder, "good"), authority(folder, "other")
    certificate(folder, "good")
    postgres, front = EmbeddedPostgres(root=root, name="tls", fast=True), None
    try:
        postgres.start()
        behind = psycopg.conninfo.conninfo_to_dict(postgres.app_url)
        socket_file = Path(str(behind["host"])) / ".s.PGSQL.5432"
        front = TlsFront([HOST, OTHER_HOST], folder / "server.crt", folder / "server.key", socket_file)
        yield TlsServer(front.port, str(behind["password"]), good, other)
    finally:
        if front is not None:
            front.stop()
        postgres.destroy()


def connect(url: str) -> tuple[bool, str]:
    """Whether the link is encrypted, and who we are, over exactly the options the parser gave."""
    database = database_url(url)
    with psycopg.connect(
        dbname=database.name, user=database.user, password=database.password, host=database.host,
        port=database.port, connect_timeout=10, **database.options,
    ) as connection:  # fmt: skip
        row = connection.execute("SELECT current_user::text").fetchone()
        assert row is not None
        # asked of libpq: the server behind the front only sees its unix socket
        return bool(connection.pgconn.ssl_in_use), str(row[0])


def test_verify_full_with_our_authority_is_accepted(server: TlsServer) -> None:
    url = server.url(sslmode="verify-full", sslrootcert=str(server.authority))
    assert connect(url) == (True, names.APP_ROLE)


def test_a_plain_remote_address_is_upgraded(server: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing about TLS in the URL: verified all the same, against the machine's list of authorities."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
    assert connect(server.url()) == (True, names.APP_ROLE)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.other_authority))
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connect(server.url())


def test_an_authority_the_machine_does_not_know_is_refused(server: TlsServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connect(server.url())


def test_another_authority_is_refused(server: TlsServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connect(server.url(sslrootcert=str(server.other_authority)))


def test_a_certificate_for_another_host_is_refused(server: TlsServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        connect(server.url(host=OTHER_HOST, sslrootcert=str(server.authority)))


def test_lower_only_when_asked_for(server: TlsServer) -> None:
    assert connect(server.url(host=OTHER_HOST, sslmode="require"))[0] is True
    ca = connect(server.url(host=OTHER_HOST, sslmode="verify-ca", sslrootcert=str(server.authority)))
    assert ca[0] is True


def test_nothing_is_sent_unencrypted(server: TlsServer) -> None:
    with pytest.raises(EnvError, match="unencrypted"):
        connect(server.url(sslmode="disable"))
