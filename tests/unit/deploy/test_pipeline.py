"""The pipeline: one script decides, exceptions end, and pre-commit runs the same commands."""

from __future__ import annotations

import datetime

import pytest
import yaml

from tests.unit.deploy.files import script, text

findings = script(".ci/findings.py")
TODAY = datetime.date(2026, 6, 1)


def excuse(until: str, count: int = 1) -> str:
    return (
        f'[[exception]]\ntool = "bandit"\nid = "B608"\npath = "core/cache.py"\ncount = {count}\n'
        f'reason = "constant"\nuntil = {until}\n'
    )


def judged(found: int, toml: str) -> tuple[list[str], list[str]]:
    finding = findings.Finding("B608", "core/cache.py", "core/cache.py:30 sql")
    bad, told = findings.judge([finding] * found, findings.excuses_of("bandit", toml), TODAY)
    return bad, told


def test_a_finding_fails() -> None:
    assert judged(1, "") == (["B608 core/cache.py:30 sql"], [])


def test_an_exception_excuses_as_many_as_it_says() -> None:
    assert judged(1, excuse("2026-12-31")) == ([], [])
    assert judged(2, excuse("2026-12-31")) == (["B608 core/cache.py:30 sql"], [])
    assert judged(2, excuse("2026-12-31", count=2)) == ([], [])


def test_an_exception_ends_on_its_date() -> None:
    bad, _ = judged(1, excuse("2026-06-01"))
    assert bad == ["B608 core/cache.py:30 sql (its exception ended on 2026-06-01: constant)"]


def test_an_exception_for_another_file_or_tool_does_not_count() -> None:
    other = excuse("2026-12-31").replace("core/cache.py", "core/other.py")
    assert judged(1, other)[0] == ["B608 core/cache.py:30 sql"]
    assert judged(1, excuse("2026-12-31").replace('"bandit"', '"secrets"'))[0] == ["B608 core/cache.py:30 sql"]


def test_an_exception_without_a_finding_is_told() -> None:
    assert judged(0, excuse("2026-12-31")) == ([], ["exception without a finding, remove it: B608 core/cache.py"])


@pytest.mark.parametrize("line", ["reason", "until"])
def test_an_exception_needs_a_reason_and_an_end(line: str) -> None:
    without = "\n".join(text for text in excuse("2026-12-31").splitlines() if not text.startswith(line))
    with pytest.raises(findings.ScanError, match="lacks a reason or an end date"):
        findings.excuses_of("bandit", without)


def test_every_exception_of_ours_is_complete() -> None:
    for tool in ("bandit", "secrets", "packages"):
        for entry in findings.excuses_of(tool, text(".ci/exceptions.toml")):
            assert len(entry.reason) > 20


def test_workflow_calls_the_script_and_builds_both_images() -> None:
    workflow = yaml.safe_load(text(".github/workflows/ci.yml"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = [step["run"] for step in steps if "run" in step]
    assert ".ci/run" in commands
    assert any("docker build --target app" in command for command in commands)
    assert any("docker build --target nginx" in command for command in commands)
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in text(".github/workflows/ci.yml")


def test_workflow_also_starts_as_a_person_who_is_not_root() -> None:
    """`check` runs as root; PostgreSQL, folders and packages are another matter for somebody who is not."""
    job = yaml.safe_load(text(".github/workflows/ci.yml"))["jobs"]["person"]
    image = job["env"]["IMAGE"].splitlines()
    assert (image[0], image[2]) == ("FROM python:3.11-slim", "USER person")
    ran = [step["run"].split() for step in job["steps"] if step.get("run", "").startswith("docker run")]
    common = ["--volume", "/tmp/clone:/clone"]  # noqa: S108 - a copy in the runner's own
    assert ran == [
        ["docker", "run", "--rm", "--init", *common, "person", "bin/demo", "--check"],
        ["docker", "run", "--rm", "--init", "--network", "none", *common, "person", "bin/demo", "--check"],
        ["docker", "run", "--rm", "--init", *common, "person-git", "bin/test"],
    ]


def test_pre_commit_runs_commands_of_the_pipeline() -> None:
    said = text(".ci/run")
    for hook in yaml.safe_load(text(".pre-commit-config.yaml"))["repos"][0]["hooks"]:
        assert f" {hook['entry']}" in said, hook["entry"]
