from __future__ import annotations

import contextlib
import random

from locations.emulator.commands import execute
from locations.emulator.convert import _CONVERTERS
from locations.emulator.core import RouterCore
from locations.emulator.device import menus_of
from locations.emulator.errors import SilentClose, Trap
from locations.emulator.schema import all_menus
from locations.emulator.sentence import LOCAL, Rows, Sentence


def test_every_kind_has_a_converter_and_every_reference_a_menu() -> None:
    menus = all_menus()
    for menu in menus.values():
        for prop in menu.props:
            assert prop.kind in _CONVERTERS, (menu.path, prop.name)
            assert not prop.ref or prop.ref in menus, (menu.path, prop.name)
            assert len({p.name for p in menu.props}) == len(menu.props), menu.path


def test_defaults_are_accepted_values() -> None:
    menus = all_menus()
    for menu in menus.values():
        for prop in menu.props:
            if prop.default is None or prop.ro or prop.ref or prop.kind == "queue-pair":
                continue
            if prop.default in prop.extra:
                continue
            assert _CONVERTERS[prop.kind](prop, prop.default, lambda path, name: name) is not None


def test_versions_know_different_things() -> None:
    assert "otp-secret" not in menus_of((7, 16, 1))["ip/hotspot/user"].by_name
    assert "totp-secret" in menus_of((7, 21, 0))["ip/hotspot/user"].by_name
    assert "otp-secret" in menus_of((7, 21, 3))["ip/hotspot/user"].by_name
    assert "totp-secret" not in menus_of((7, 21, 3))["ip/hotspot/user"].by_name
    assert "max-sessions" not in menus_of((7, 15, 3))["ip/service"].by_name
    assert "max-sessions" in menus_of((7, 16, 0))["ip/service"].by_name
    assert "remove" not in menus_of((7, 19, 6))["user/active"].commands
    assert "remove" in menus_of((7, 20, 0))["user/active"].commands
    assert menus_of((6, 49, 17))["system/health"].is_single
    assert not menus_of((7, 16, 1))["system/health"].is_single


def test_random_commands_end_in_an_answer_or_a_trap() -> None:
    """Whatever a client sends, the device answers in the protocol's own terms."""
    texts = ["", "x", "1", "*0", "*1,*2", "default", "yes", "10.0.0.1", "5M/5M", "1h", "none", "\xe9", "*zz"]
    texts += ["²", "99999999999999999999", "2024-13-45", "10:00:00", "startup", "ether1", "hotspot1"]
    chance = random.Random(7)
    for version in ("6.49.17", "7.21.3"):
        core = RouterCore(version=version, model="hEX", user="u", password="p", manual_clock=True)
        tables = [table for path, table in core.device.tables.items() if path not in ("system", "user/active")]
        for _ in range(4000):
            menu = chance.choice(tables).menu
            verb = chance.choice(sorted(menu.commands))
            names = [prop.name for prop in menu.props if not prop.ro] + [".id", "value-name", ".proplist"]
            words = {name: chance.choice(texts) for name in chance.sample(names, min(4, len(names)))}
            words |= {".id": chance.choice(["*0", "*1", "*2"])} if not menu.is_single else {}
            unset = [chance.choice(names)] if chance.random() < 0.1 else []
            sentence = Sentence(f"/{menu.path}/{verb}", words, unset)
            with contextlib.suppress(Trap, SilentClose):
                outcome = execute(core.device, LOCAL, sentence)
                if isinstance(outcome, Rows):
                    assert all(outcome.encode(row) is not None for row in outcome.candidates)
            core.advance(1)
