"""Runs a scanner and fails on every finding that `.ci/exceptions.toml` does not excuse, or excuses no longer.

    findings.py bandit      our Python code, medium and high severity
    findings.py secrets     every file git tracks
    findings.py packages    known vulnerabilities of requirements.txt (pip-audit)

The advisory service behind pip-audit gives no severity, so each of its findings counts. When it cannot be reached, or
does not know our packages, this prints "not audited" and passes: a build must not depend on another's server, but it
must not claim more than it knows either.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLONE = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
ROOMS = tomllib.loads((CLONE / "pyproject.toml").read_text())["tool"]["mypy"][
    "files"
]  # a new room is read without a line here
CODE = (*ROOMS, "bin", "deploy", "manage.py", ".ci")
# Hashes of packages, and files of others that ship with the product unchanged.
NOT_SCANNED = r"^(requirements.*\.txt|.*\.(woff2|mo|svg|png|ico))$|(^|/)static/.*/vendor/"
# Tests have fixed accounts, URLs and checksums by their nature; only kinds of real keys count there.
COMMON_IN_TESTS = {"Secret Keyword", "Basic Auth Credentials", "Hex High Entropy String"}
UNREACHABLE = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "Max retries exceeded", "NameResolutionError",
               "ServiceError", "503", "502")  # fmt: skip


@dataclass(frozen=True)
class Finding:
    id: str
    path: str
    text: str


@dataclass(frozen=True)
class Excuse:
    id: str
    path: str
    reason: str
    until: datetime.date
    count: int


class ScanError(Exception):
    """The scanner itself did not work; nothing is known about the code."""


def say(line: object) -> None:
    sys.stdout.write(f"{line}\n")


def excuses_of(tool: str, text: str) -> list[Excuse]:
    """Raises ScanError for an entry without reason or date: such an exception could never end."""
    found = []
    for entry in tomllib.loads(text).get("exception", []):
        if not entry.get("reason") or not isinstance(entry.get("until"), datetime.date):
            raise ScanError(f"exceptions.toml: {entry.get('id')} {entry.get('path')} lacks a reason or an end date")
        if entry["tool"] == tool:
            excuse = Excuse(entry["id"], entry["path"], entry["reason"], entry["until"], int(entry.get("count", 1)))
            found.append(excuse)
    return found


def judge(findings: Iterable[Finding], excuses: Iterable[Excuse], today: datetime.date) -> tuple[list[str], list[str]]:
    """Lines that fail, and lines only to be told."""
    left = {(excuse.id, excuse.path): excuse for excuse in excuses}
    seen: Counter[tuple[str, str]] = Counter()
    bad, told = [], []
    for finding in findings:
        key = (finding.id, finding.path)
        seen[key] += 1
        excuse = left.get(key)
        if excuse is None or seen[key] > excuse.count:
            bad.append(f"{finding.id} {finding.text}")
        elif excuse.until <= today:
            bad.append(f"{finding.id} {finding.text} (its exception ended on {excuse.until}: {excuse.reason})")
    told += [f"exception without a finding, remove it: {key[0]} {key[1]}" for key in left if not seen[key]]
    return bad, told


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(TOOLS / command[0]), *command[1:]], cwd=CLONE, capture_output=True, text=True, check=False
    )


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise ScanError(f"{done.args[0]} gave no answer:\n{done.stderr.strip()[-2000:]}") from None


def bandit() -> tuple[list[Finding], str]:
    there = [name for name in CODE if (CLONE / name).exists()]
    report = answer(run("bandit", "-q", "-ll", "-r", *there, "-f", "json"))
    if report["errors"]:
        raise ScanError(f"bandit could not read everything: {report['errors']}")
    found = [
        Finding(item["test_id"], item["filename"].removeprefix("./"),
                f"{item['filename']}:{item['line_number']} {item['issue_text']}")
        for item in report["results"]
    ]  # fmt: skip
    return found, f"{report['metrics']['_totals']['loc']} lines read"


def secrets() -> tuple[list[Finding], str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CLONE, capture_output=True, text=True, check=False)
    files = [name for name in listed.stdout.split("\0") if name and (CLONE / name).is_file()]
    if listed.returncode != 0 or not files:
        raise ScanError(f"git does not list the files: {listed.stderr.strip()}")
    report = answer(run("detect-secrets", "scan", "--exclude-files", NOT_SCANNED, *files))
    found = [
        Finding(item["type"], path, f"{path}:{item['line_number']}")
        for path, items in report["results"].items()
        for item in items
        if not (path.startswith("tests/") and item["type"] in COMMON_IN_TESTS)
    ]
    return found, f"{len(files)} tracked files"


def packages() -> tuple[list[Finding], str]:
    done = run("pip-audit", "--disable-pip", "--require-hashes", "-r", "requirements.txt", "-f", "json",
               "--progress-spinner", "off")  # fmt: skip
    if not done.stdout.strip() and any(word in done.stderr for word in UNREACHABLE):
        return [], "NOT AUDITED: the advisory service cannot be reached"
    listed = answer(done)["dependencies"]
    found = [
        Finding(item["id"], package["name"],
                f"{package['name']} {package['version']}, fixed in {', '.join(item['fix_versions']) or 'no release'}")
        for package in listed
        for item in package.get("vulns", [])
    ]  # fmt: skip
    unknown = [package["name"] for package in listed if "skip_reason" in package]
    if len(unknown) == len(listed):
        return found, f"NOT AUDITED: the advisory service knows none of the {len(listed)} packages"
    told = f"{len(listed) - len(unknown)} packages audited"
    return found, told + (f", NOT AUDITED: {', '.join(unknown)}" if unknown else "")


def main(tool: str) -> int:
    try:
        excuses = excuses_of(tool, (CLONE / ".ci" / "exceptions.toml").read_text(encoding="utf-8"))
        findings, told = {"bandit": bandit, "secrets": secrets, "packages": packages}[tool]()
    except ScanError as error:
        say(error)
        return 1
    bad, hints = judge(findings, excuses, datetime.datetime.now(datetime.UTC).date())
    for line in [*hints, *bad]:
        say(line)
    say(f"{tool}: {told}; {len(bad)} findings, {len(findings) - len(bad)} excused in .ci/exceptions.toml")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
