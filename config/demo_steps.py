"""How the trial's checks ask: our side through the REST API, the far side through the emulated routers' own consoles."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any, Self

import httpx

from locations.emulator.control import ControlClient


class CheckFailed(Exception):
    """A step that did not become true in time, in words."""


class Steps:
    """Steps of a check, in order. What is on a router is asked from the router, never from our tables."""

    def __init__(self, client: httpx.Client, consoles: list[ControlClient], say: Callable[[str], object]):
        self.client = client
        self.consoles = consoles
        self.say = say

    def log_in(self, username: str, password: str) -> Self:
        answer = self.send("POST", "auth/token/", {"username": username, "password": password})
        self.client.headers["Authorization"] = f"Bearer {answer['access']}"
        return self

    def locations_online(self) -> list[int]:
        rows = [row for row in self.get("locations/")["results"] if row["is_active"]]
        online = [row["id"] for row in rows if row["reach"] == "online"]
        return sorted(online) if len(online) >= len(self.consoles) else []

    def step(self, words: str, is_true: Callable[[], Any], seconds: float) -> Any:
        """Ask until true; print how long it took. Raises CheckFailed when it never was."""
        started = time.monotonic()
        while not (result := is_true()):
            if time.monotonic() - started > seconds:
                raise CheckFailed(f"not within {seconds:.0f} s: {words}")
            time.sleep(0.25)
        self.say(f"{time.monotonic() - started:7.2f} s  {words}")
        return result

    def get(self, path: str) -> Any:
        return self.answer(self.client.get(path))

    def send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        return self.answer(
            self.client.request(method, path, json=body, headers={"Idempotency-Key": secrets.token_hex(16)})
        )

    def answer(self, response: httpx.Response) -> Any:
        if response.status_code >= 400:
            raise CheckFailed(f"{response.request.method} {response.request.url.path}: {response.text[:300]}")
        return response.json()
