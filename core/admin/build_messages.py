"""Which texts need a translation, and `django.po` / `django.mo` kept in step with them.

    manage.py update_messages     (needs polib; adds new texts empty, drops gone ones, compiles)

Texts are found without GNU gettext: in Python by its syntax tree, in templates through Django's own `templatize`. The
theme's texts count too where Django's own Indonesian does not have them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils.translation.template import templatize

from core.admin.build_icons import ROOT, theme_folder

ROOMS = (
    "config", "core", "accounts", "locations", "customers", "billing", "payments", "vouchers", "imports", "dashboard", "portal",
)  # fmt: skip
LEFT_OUT = {"migrations", "emulator", "tests"}
PO = ROOT / "locale" / "id" / "LC_MESSAGES" / "django.po"
SINGULAR = {"_", "gettext", "gettext_lazy", "gettext_noop"}
PLURAL = {"ngettext", "ngettext_lazy"}
_CALL = re.compile(r"\b(n?gettext|_)\(((?:\s*u?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")\s*,?){1,2})")
_STRING = re.compile(r"u?('(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")")

Message = tuple[str, str]  # singular, plural ("" when there is none)


def python_messages(file: Path) -> Iterator[Message]:
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
        wanted = 1 if name in SINGULAR else 2 if name in PLURAL else 0
        texts = [
            part.value for part in node.args[:wanted] if isinstance(part, ast.Constant) and isinstance(part.value, str)
        ]
        if wanted and len(texts) == wanted and texts[0]:
            yield texts[0], texts[1] if wanted == 2 else ""


def template_messages(file: Path) -> Iterator[Message]:
    for match in _CALL.finditer(templatize(file.read_text(), origin=str(file))):
        texts = [ast.literal_eval(text) for text in _STRING.findall(match[2])]
        if match[1] == "ngettext" and len(texts) == 2:
            yield texts[0], texts[1]
        elif texts and texts[0]:
            yield texts[0], ""


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    for file in sorted(folder.rglob(pattern)):
        if not LEFT_OUT & set(file.relative_to(folder).parts):
            yield file


def our_messages() -> dict[Message, set[str]]:
    """Every text of ours with the files it occurs in."""
    found: dict[Message, set[str]] = {}
    for room in ROOMS:
        for pattern, read in (("*.py", python_messages), ("*.html", template_messages)):
            for file in _files(ROOT / room, pattern):
                for message in read(file):
                    found.setdefault(message, set()).add(str(file.relative_to(ROOT)))
    return found


@lru_cache(maxsize=1)
def theme_messages() -> frozenset[Message]:
    """Texts of the theme that Django's own Indonesian catalogues do not have."""
    known = _django_catalogue()
    found: set[Message] = set()
    for pattern, read in (("*.py", python_messages), ("*.html", template_messages)):
        for file in _files(theme_folder(), pattern):
            if "contrib" not in file.parts[file.parts.index("unfold") :] and "unfold_crispy" not in file.parts:
                found.update(message for message in read(file) if message[0] not in known)
    return frozenset(found)


def _django_catalogue() -> set[str]:
    import django
    import polib  # type: ignore[import-untyped]

    folder = Path(django.__file__).parent
    catalogues = [
        folder / "conf/locale/id/LC_MESSAGES/django.mo",
        *folder.glob("contrib/*/locale/id/LC_MESSAGES/django.mo"),
    ]
    return {entry.msgid for file in catalogues for entry in polib.mofile(str(file))}


def wanted_messages() -> dict[Message, set[str]]:
    """Ours and the theme's. A text with and without plural is one entry, the one with plural."""
    found = our_messages()
    for message in theme_messages():
        found.setdefault(message, set()).add("unfold")
    plurals = {singular for singular, plural in found if plural}
    return {message: files for message, files in found.items() if message[1] or message[0] not in plurals}


def main() -> None:
    """Keep what is translated, add what is new (empty: the tests then ask for it), drop what no code of ours uses."""
    import polib

    catalogue = polib.pofile(str(PO)) if PO.exists() else polib.POFile(wrapwidth=110)
    catalogue.metadata = {
        "Content-Type": "text/plain; charset=UTF-8", "Content-Transfer-Encoding": "8bit", "Language": "id",
        "Plural-Forms": "nplurals=1; plural=0;", "MIME-Version": "1.0",
    }  # fmt: skip
    known = {(entry.msgid, entry.msgid_plural or ""): entry for entry in catalogue}
    fresh = polib.POFile(wrapwidth=110)
    fresh.metadata = catalogue.metadata
    for message, files in sorted(wanted_messages().items()):
        entry: Any = known.get(message) or _entry(polib, message)
        entry.occurrences = [(file, "") for file in sorted(files)]
        fresh.append(entry)
    # sentences of libraries that are translated here too: this module does not look for them, so it leaves them alone
    wanted = {(entry.msgid, entry.msgid_plural or "") for entry in fresh}
    for key, entry in known.items():
        if key not in wanted and not any(file.split("/")[0] in {*ROOMS, "unfold"} for file, _line in entry.occurrences):
            fresh.append(entry)
    fresh.sort(key=lambda entry: (entry.msgid, entry.msgid_plural or ""))
    PO.parent.mkdir(parents=True, exist_ok=True)
    fresh.save(str(PO))
    fresh.save_as_mofile(str(PO.with_suffix(".mo")))


def _entry(polib: Any, message: Message) -> Any:
    flags = ["python-format"] if re.search(r"%\(\w+\)[sd]", message[0]) else []
    kind = polib.POEntry
    if message[1]:
        return kind(msgid=message[0], msgid_plural=message[1], msgstr_plural={0: ""}, flags=flags)
    return kind(msgid=message[0], msgstr="", flags=flags)
