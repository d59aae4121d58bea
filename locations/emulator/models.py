"""Hardware the emulator can be. Figures follow the public product pages; unknown names become a generic
board."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Model:
    """One board. Sizes in bytes, frequency in MHz, ``license_level`` 0 = CHR (no caps on users)."""

    board_name: str
    product_code: str
    architecture: str
    cpu: str
    cpu_count: int
    frequency: int
    memory: int
    disk: int
    license_level: int
    ethernet_ports: int = 5


_MIB = 1024 * 1024
_MODELS = (
    Model("hAP ax^2", "C52iG-5HaxD2HaxD", "arm64", "ARM64", 4, 864, 1024 * _MIB, 128 * _MIB, 4),
    Model("hAP lite", "RB941-2nD", "smips", "MIPS 24Kc V7.4", 1, 650, 32 * _MIB, 16 * _MIB, 4, 4),
    Model("hEX", "RB750Gr3", "mmips", "MIPS 1004Kc V2.15", 4, 880, 256 * _MIB, 16 * _MIB, 4),
    Model("RB951Ui-2HnD", "RB951Ui-2HnD", "mipsbe", "MIPS 74Kc V4.12", 1, 600, 128 * _MIB, 128 * _MIB, 4),
    Model("RB4011iGS+", "RB4011iGS+", "arm", "ARM", 4, 1400, 1024 * _MIB, 512 * _MIB, 5, 10),
    Model("RB5009UG+S+", "RB5009UG+S+", "arm64", "ARM64", 4, 1400, 1024 * _MIB, 1024 * _MIB, 5, 8),
    Model("CCR2116-12G-4S+", "CCR2116-12G-4S+", "arm64", "ARM64", 16, 2000, 16384 * _MIB, 128 * _MIB, 6, 13),
    Model("CHR", "CHR", "x86_64", "Intel(R)", 2, 2400, 1024 * _MIB, 128 * _MIB, 0),
)
_BY_NAME = {key.lower(): model for model in _MODELS for key in (model.board_name, model.product_code)}

HOTSPOT_CAPS = {0: None, 1: 1, 3: 1, 4: 200, 5: 500, 6: None}
"""Active hotspot users by licence level; None is unlimited (documentation)."""

PPP_CAPS = {0: None, 1: 1, 3: 200, 4: 200, 5: 500, 6: None}
"""PPPoE sessions by licence level; None is unlimited (documentation)."""


def model_named(name: str) -> Model:
    """The board of that name or product code; a generic level 4 board carries any other name."""
    known = _BY_NAME.get(name.lower())
    return known or replace(_MODELS[0], board_name=name, product_code=name)
