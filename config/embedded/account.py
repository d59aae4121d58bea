"""Which operating-system account runs PostgreSQL, which refuses to run as root."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An existing account to switch to, or the caller's own (`switch` is False)."""

    uid: int
    gid: int
    switch: bool


def server_account() -> Account:
    """The caller's account, or as root an existing unprivileged one. Never creates an account.

    Raises LookupError when root has neither `postgres` nor `nobody` to switch to.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switch=False)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid, switch=True)
    raise LookupError("PostgreSQL cannot run as root and there is no account 'postgres' or 'nobody' to run it as.")
