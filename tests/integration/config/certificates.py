"""Throw-away authorities and certificates for servers behind TLS.

127.0.0.2 is this machine, but not one of the names our parsers take for local: a remote host without a network.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

HOST, OTHER_HOST = "127.0.0.2", "127.0.0.3"


def openssl(*arguments: str, folder: Path) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


def authority(folder: Path, name: str) -> Path:
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", f"/CN={name}",
        "-addext", "basicConstraints=critical,CA:TRUE", folder=folder,
    )  # fmt: skip
    return folder / f"{name}.crt"


def certificate(folder: Path, authority: str) -> None:
    """A server certificate for HOST only: 127.0.0.3 answers too, but is not in it."""
    (folder / "server.ext").write_text(f"subjectAltName=IP:{HOST}\n")
    openssl(
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "server.key",
        "-out", "server.csr", "-subj", "/CN=database", folder=folder,
    )  # fmt: skip
    openssl(
        "x509", "-req", "-in", "server.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
        "-CAcreateserial", "-days", "2", "-extfile", "server.ext", "-out", "server.crt", folder=folder,
    )  # fmt: skip
