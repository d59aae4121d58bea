"""The command line of the emulator refuses what no router knows, and passes on the rest."""

from __future__ import annotations

import argparse

import pytest

from locations.emulator.cli import add_arguments, router_from


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(["--port", "0", "--password", "a long enough one", *words])


def test_the_users_policies_are_those_of_the_command_line() -> None:
    router = router_from(parsed("--policies", "read, api,ftp"))
    [group] = [row for row in router.rows("/user/group") if row["name"] == "billing"]
    granted = {name for name in group["policy"].split(",") if not name.startswith("!")}
    assert granted == {"read", "api", "ftp"}


def test_a_policy_that_routeros_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no such policy: root, admin; known: local, telnet"):
        router_from(parsed("--policies", "read,root,admin"))
