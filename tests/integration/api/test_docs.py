"""The curl examples of docs/api.md, sent as written, in their order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from django.test import Client

from tests.integration.api.conftest import House

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "api.md"


def _commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return [block.replace("\\\n", " ") for block in blocks if block.startswith("curl")]


def _send(command: str, variables: dict[str, str]) -> Any:
    """Understands the few curl options the document uses; any other fails the test."""
    for name, value in variables.items():
        command = command.replace(f"${name}", value)
    words = shlex.split(command)[1:]
    method, body, url, headers = "get", None, "", {}
    while words:
        word = words.pop(0)
        if word == "-H":
            name, value = words.pop(0).split(": ", 1)
            headers[name] = value
        elif word == "-d":
            body, method = words.pop(0), "post"
        elif word == "-X":
            method = words.pop(0).lower()
        elif word != "-s":
            assert not word.startswith("-"), word
            url = word
    extra = {"data": body, "content_type": headers.pop("Content-Type")} if body is not None else {}
    return getattr(Client(), method)(url, headers=headers, **extra)


def test_the_examples_work(house: House) -> None:
    variables = {"API": "/api/v1", "ACCESS": "", "REFRESH": ""}
    # the document says 1 where a reader puts his own number
    numbers = {
        "batches/1/": house.batch.pk, "vouchers/1/": house.voucher.pk, "customers/1/": house.customer.pk,
        "subscriptions/1/": house.subscription.pk,
    }  # fmt: skip
    statuses = []
    for command in _commands():
        for path, number in numbers.items():
            command = command.replace(path, path.replace("1", str(number)))
        command = command.replace("batch=1", f"batch={house.batch.pk}")
        command = command.replace('"customer": 1', f'"customer": {house.customer.pk}')
        command = command.replace('"plan": 1', f'"plan": {house.plan.pk}')
        command = command.replace('"locations": [1]', f'"locations": [{house.here.pk}]')
        answer = _send(command, variables)
        statuses.append(answer.status_code)
        if answer.headers["Content-Type"] == "application/json" and "access" in answer.json():
            variables |= {"ACCESS": answer.json()["access"], "REFRESH": answer.json()["refresh"]}
    assert statuses == [200, 200, 200, 201, 200, 201, 200, 200, 200, 200, 201, 200]
