"""Indonesian is complete, compiled, and says the same placeholders. New texts: `manage.py update_messages`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import polib
import pytest
from django.utils import translation

from core.admin import build_messages

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
# the same word in both languages
SAME = {
    "%(n)s login",
    "API port", "Admin", "Bank %(of)s", "Batch", "CSV", "Database", "Debit", "Hotspot", "Indonesia", "Login", "Menu", "Model",
    "Online", "Operator", "PPPoE", "Ping", "Router", "RouterOS", "Status", "Super Admin", "Telegram", "Total", "Voucher",
    "Walled garden, host", "WhatsApp", "address pool", "batch", "debit", "deposit", "file", "login", "model", "offline",
    "online", "operator", "posting", "router", "status", "subtotal", "total", "voucher",
    "SSTP (RouterOS 6)", "Tunnel", "interface", "WireGuard (RouterOS 7)", "tunnel",
    # nothing but what is put in
    "Deposit %(amount)s",
    "%(age)s: %(amount)s", "%(amount)s debit", "%(plan)s, %(days)s", "%(text)s. %(reason)s", "%(time)s online",
}  # fmt: skip


def catalogue() -> polib.POFile:
    return polib.pofile(str(build_messages.PO))


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_every_text_in_code_and_templates_is_in_the_catalogue() -> None:
    known = {(entry.msgid, entry.msgid_plural or "") for entry in catalogue()}
    missing = {message: files for message, files in build_messages.wanted_messages().items() if message not in known}
    assert missing == {}


def test_nothing_is_empty_or_fuzzy() -> None:
    assert [entry.msgid for entry in catalogue() if entry.fuzzy or not all(texts(entry))] == []


def test_placeholders_are_the_same_in_both_languages() -> None:
    def parts(text: str) -> set[str]:
        return {re.sub(r"[sd]$", "", part) for part in PLACEHOLDER.findall(text)}

    wrong = [
        entry.msgid
        for entry in catalogue()
        for text in texts(entry)
        if parts(text) != parts(entry.msgid_plural or entry.msgid)
    ]
    assert wrong == []


def test_nothing_was_left_in_english() -> None:
    same = {entry.msgid for entry in catalogue() if texts(entry) == [entry.msgid] and len(entry.msgid) > 3}
    assert same - SAME == set()


def test_the_compiled_catalogue_is_the_written_one() -> None:
    compiled = polib.mofile(str(build_messages.PO.with_suffix(".mo")))
    assert {(e.msgid, e.msgid_plural or ""): texts(e) for e in compiled} == {
        (e.msgid, e.msgid_plural or ""): texts(e) for e in catalogue()
    }


def test_screens_get_these_words() -> None:
    with translation.override("id"):
        assert translation.gettext("Sell vouchers") == "Jual voucher"
        assert translation.ngettext("%(n)d day", "%(n)d days", 3) % {"n": 3} == "3 hari"
        assert translation.gettext("Type to search") == "Ketik untuk mencari"  # the theme's own text
        assert translation.gettext("Save") == "Simpan"  # Django's own text


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ('{% load i18n %}{% translate "One" %}', [("One", "")]),
        ("{% load i18n %}{% blocktranslate count n=x %}{{ n }} a{% plural %}{{ n }} b{% endblocktranslate %}",
         [("%(n)s a", "%(n)s b")]),
        ('{% load i18n %}{% include "x.html" with a=_("Two") %}', [("Two", "")]),
        ("{% load i18n %}{% blocktranslate with a=b|c %}It's {{ a }}{% endblocktranslate %}", [("It's %(a)s", "")]),
    ],
)  # fmt: skip
def test_texts_of_templates_are_found(template: str, found: list[tuple[str, str]], tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(template)
    assert list(build_messages.template_messages(file)) == found


def test_texts_of_code_are_found(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text('a = _("One" " two")\nb = ngettext("x", "y", n)\nc = other("no")\nd = t.gettext_lazy("Three")\n')
    ast.parse(file.read_text())
    assert list(build_messages.python_messages(file)) == [("One two", ""), ("x", "y"), ("Three", "")]
