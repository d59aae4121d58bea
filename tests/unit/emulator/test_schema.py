from __future__ import annotations

from locations.emulator.convert import _CONVERTERS
from locations.emulator.device import menus_of
from locations.emulator.schema import all_menus


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
