"""The icon font, cut down from 285 KB to the icons in use.

    manage.py update_icons        (needs fonttools and brotli; run it after using a new icon)

Icons are found by scanning templates (`material-symbols-outlined">name<`) and code (`icon="name"`, `nav_icon = "name"`,
`POSITIONS`). The font and the list of what is in it are committed; a test compares the list with the scan.
An icon that is missing in the font would show as its name.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "core/static_overrides/unfold/fonts/material-symbols"
FONT, NAMES = FOLDER / "Material-Symbols-Outlined.woff2", FOLDER / "icons.txt"
ROOMS = (
    "core", "accounts", "locations", "customers", "billing", "payments", "vouchers", "imports", "dashboard", "config",
)  # fmt: skip
_IN_TEMPLATE = re.compile(r"material-symbols-outlined[^>]*>\s*([a-z][a-z0-9_]+)\s*<")
_DEFAULT_IN_TEMPLATE = re.compile(r"icon\|default:[\"']([a-z0-9_]+)[\"']|icon=[\"']([a-z0-9_]+)[\"']")
# calls that take an icon's name by position
POSITIONS = {"Words": 1, "_nav_item": 2, "Tile": 4, "Link": 2}
_IN_STYLES = re.compile(r"content:\"([a-z][a-z_]+)\"")
# written by the theme's scripts, or by its Python code
NOT_IN_THEME = {"file_upload"}  # named in a template of the theme, missing in its own font
FROM_SCRIPTS = {"dark_mode", "light_mode", "computer", "expand_more", "check", "close", "remove"}


def theme_folder() -> Path:
    spec = find_spec("unfold")
    if spec is None or spec.origin is None:
        raise RuntimeError("unfold is not installed")
    return Path(spec.origin).parent


def icons_in_templates() -> set[str]:
    folders = [theme_folder() / "templates", *(ROOT / room / "templates" for room in ROOMS)]
    names: set[str] = set()
    for folder in folders:
        for file in folder.rglob("*.html"):
            text = file.read_text()
            names.update(_IN_TEMPLATE.findall(text))
            names.update(name for pair in _DEFAULT_IN_TEMPLATE.findall(text) for name in pair if name)
    return names


def icons_in_styles() -> set[str]:
    """Icons the theme's style sheet draws with `content: "name"` (the tick of a checkbox, arrows of calendars)."""
    css = (theme_folder() / "static/unfold/css/styles.css").read_text()
    return set(_IN_STYLES.findall(css))


def icons_in_code() -> set[str]:
    names: set[str] = set()
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            if "migrations" not in file.parts and "emulator" not in file.parts:
                names.update(_icons_of(ast.parse(file.read_text())))
    return names


def _icons_of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if (isinstance(node, ast.keyword) and node.arg in {"icon", "nav_icon"}) or (
            isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and "icon" in node.target.id
        ):
            yield from _strings(node.value)
        elif isinstance(node, ast.Assign):
            yield from _assigned(node)
        elif isinstance(node, ast.Call):
            place = POSITIONS.get(getattr(node.func, "id", "") or getattr(node.func, "attr", ""))
            if place is not None and len(node.args) > place:
                yield from _strings(node.args[place])


def _assigned(node: ast.Assign) -> Iterator[str]:
    for target in node.targets:
        if isinstance(target, ast.Name) and target.id.lower().endswith(("icon", "icons")):
            yield from _strings(node.value)
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            for name, value in zip(target.elts, node.value.elts, strict=False):
                if isinstance(name, ast.Name) and name.id.endswith("icon"):
                    yield from _strings(value)


def _strings(node: ast.AST | None) -> Iterator[str]:
    if node is None:
        return
    if isinstance(node, ast.Dict):
        for value in node.values:
            yield from _strings(value)
        return
    for part in ast.walk(node):
        if (
            isinstance(part, ast.Constant)
            and isinstance(part.value, str)
            and re.fullmatch(r"[a-z][a-z0-9_]+", part.value)
        ):
            yield part.value


def icons_used() -> set[str]:
    """Every icon a page can show."""
    return (icons_in_templates() | icons_in_styles() | icons_in_code() | FROM_SCRIPTS) - NOT_IN_THEME


def font_digest() -> str:
    return hashlib.sha256(FONT.read_bytes()).hexdigest()


def _glyphs_by_name(font: Any) -> dict[str, str]:
    """What the font draws for a written name: its ligatures. Some names are second names of one glyph."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    found: dict[str, str] = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            for first, ligatures in getattr(getattr(table, "ExtSubTable", table), "ligatures", {}).items():
                for ligature in ligatures:
                    found["".join(letters.get(part, "?") for part in [first, *ligature.Component])] = ligature.LigGlyph
    return found


def main() -> None:
    from fontTools import subset
    from fontTools.ttLib import TTFont

    source = theme_folder() / "static/unfold/fonts/material-symbols/Material-Symbols-Outlined.woff2"
    glyph_of = _glyphs_by_name(TTFont(source))
    used = sorted(icons_used())
    missing = [name for name in used if name not in glyph_of]
    if missing:
        raise SystemExit(f"not in the theme's icon font: {', '.join(missing)}")
    options = subset.Options()
    options.flavor, options.layout_closure, options.layout_features = "woff2", False, ["*"]
    options.glyph_names = False
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    characters = "abcdefghijklmnopqrstuvwxyz_0123456789 "
    subsetter.populate(glyphs=[glyph_of[name] for name in used], unicodes=[ord(character) for character in characters])
    subsetter.subset(font)
    FOLDER.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(FONT), options)
    NAMES.write_text("\n".join([f"# sha256 of the font: {font_digest()}", *used]) + "\n")
