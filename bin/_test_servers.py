"""The real servers of `bin/test --all`: Redis, a PostgreSQL with TLS, Chromium. A missing one is an error."""

from __future__ import annotations

import contextlib
import datetime
import glob
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.embedded.child import start_child
from config.embedded.files import write_private
from config.embedded.ports import free_port
from config.embedded.postgres import EmbeddedPostgres
from config.embedded.server_settings import TlsListener

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
WAIT_SECONDS = 30


def find_chromium() -> str | None:
    given = os.environ.get("TEST_CHROMIUM")
    return given or next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def find_redis() -> str | None:
    return shutil.which("redis-server") or shutil.which("valkey-server")


def find_postgres() -> Path | None:
    """Debian's newest PostgreSQL programs: the wheel's server is built without TLS."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))  # noqa: PTH207
    return next((Path(folder) for folder in reversed(folders) if Path(folder, "postgres").exists()), None)


NEEDS = {"chromium": find_chromium, "redis-server": find_redis, "postgresql": find_postgres}


def provide() -> None:
    """Install missing Debian packages as root; otherwise say exactly what is missing and fail."""
    missing = [package for package, find in NEEDS.items() if find() is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {', '.join(missing)} with apt-get", flush=True)
        env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", *missing]):
            if subprocess.run(["apt-get", *command], env=env, check=False).returncode != 0:
                break
        missing = [package for package, find in NEEDS.items() if find() is None]
    if missing:
        sys.exit(
            f"bin/test --all needs {', '.join(missing)}. As root on Debian or Ubuntu:\n"
            f"  apt-get install --no-install-recommends {' '.join(missing)}\n"
            "Nothing was run: --all never leaves tests out."
        )


def start(stack: contextlib.ExitStack) -> tuple[dict[str, str], list[str]]:
    """Start everything; environment for the tests, and lines that say what ran. Stops when the stack unwinds."""
    provide()
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mb-servers-")))
    folder.chmod(0o755)  # the database server's account must reach its certificate
    env, lines = start_redis(stack, folder)
    tls_env, tls_line = start_tls_postgres(stack, folder)
    chromium = str(find_chromium())
    version = subprocess.run([chromium, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return env | tls_env | {"TEST_CHROMIUM": chromium}, [*lines, tls_line, version or chromium]


def start_redis(stack: contextlib.ExitStack, folder: Path) -> tuple[dict[str, str], list[str]]:
    """A Redis of our own on the loopback interface, with a password, without files."""
    port, password = free_port(set(), near=str(folder)), secrets.token_urlsafe(24)
    config = folder / "redis.conf"
    write_private(
        config,
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndir {folder}\n',
    )
    log = os.open(folder / "redis.log", os.O_WRONLY | os.O_CREAT, 0o600)
    process = start_child([str(find_redis()), str(config)], env=dict(os.environ), cwd=folder, output=log)
    os.close(log)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    with redis.Redis.from_url(url) as client:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                version = client.info("server")["redis_version"]
                break
            except redis.ConnectionError:
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"redis-server did not start:\n{(folder / 'redis.log').read_text()[-1500:]}")
                time.sleep(0.05)
    return {"TEST_REDIS_URL": url}, [f"Redis {version} on 127.0.0.1:{port}"]


def start_tls_postgres(stack: contextlib.ExitStack, folder: Path) -> tuple[dict[str, str], str]:
    """Debian's PostgreSQL on the loopback interface with a certificate of a private authority, TLS only."""
    port = free_port(set(), near=f"{folder} tls")
    authority = make_certificates(folder)
    listener = TlsListener(port, folder / "server.crt", folder / "server.key")
    server = EmbeddedPostgres(folder / "tls", "test-tls", fast=True, programs=find_postgres(), tls=listener)
    stack.callback(server.destroy)
    server.start()
    url = server.tls_url
    with psycopg.connect(f"{url}?sslmode=verify-full&sslrootcert={authority}") as connection:
        row = connection.execute(
            "SELECT current_setting('server_version'), version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        ).fetchone()
    line = f"PostgreSQL {row[0]} with {row[1]} on localhost:{port}" if row else "PostgreSQL with TLS"
    return {"TEST_TLS_DATABASE_URL": url, "TEST_TLS_ROOT_CERT": str(authority)}, line


def make_certificates(folder: Path) -> Path:
    """An authority, and a certificate for `localhost` and `db.test` but not 127.0.0.1 (a wrong name is tested)."""
    now = datetime.datetime.now(datetime.UTC)

    def build(name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name | None) -> x509.CertificateBuilder:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or subject)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(
            now + datetime.timedelta(days=2)
        )

    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = (
        build("Test authority", root_key, None)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        build("localhost", key, root.subject)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in ("localhost", "db.test")]), critical=False
        )
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.crt").write_bytes(root.public_bytes(pem))
    (folder / "server.crt").write_bytes(leaf.public_bytes(pem))
    write_private(folder / "server.key", private.decode("ascii"))
    return folder / "ca.crt"
