"""The Indonesian catalogue against the code itself: found here on their own, without `core.admin.build_messages`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib  # type: ignore[import-untyped]
import pytest
import rest_framework
from django.utils import translation
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[3]
PO = ROOT / "locale" / "id" / "LC_MESSAGES" / "django.po"
ROOMS = (
    "config", "core", "accounts", "locations", "customers", "billing", "payments", "vouchers", "imports", "dashboard", "portal",
)  # fmt: skip
# how many leading arguments are texts, and whether the first of them is a context
CALLS = {
    "_": (1, False), "gettext": (1, False), "gettext_lazy": (1, False), "gettext_noop": (1, False),
    "ngettext": (2, False), "ngettext_lazy": (2, False),
    "pgettext": (2, True), "pgettext_lazy": (2, True), "npgettext": (3, True), "npgettext_lazy": (3, True),
}  # fmt: skip
CALL_START = re.compile(rf"\b(?:{'|'.join(CALLS)})\(")
PLACEHOLDER = re.compile(r"%\(\w+\)|\{[^{}]*\}|%[sd]")
# the parts of Django REST framework whose sentences reach callers of the API; its own Indonesian knows few of them
API_SENTENCES = ("fields.py", "relations.py", "serializers.py", "validators.py")
NEVER_SENT = {
    "More than {count} items...", "Incorrect type. Expected URL string, received {data_type}.",
    "Invalid hyperlink - No URL match.", "Invalid hyperlink - Incorrect URL match.",
    "Invalid hyperlink - Object does not exist.",
}  # fmt: skip

Key = tuple[str, str, str]  # context, singular, plural


def key_of(call: ast.Call) -> Key | None:
    """The text a translation call asks for; None for calls of other functions and for texts known only at run time."""
    name = getattr(call.func, "id", "") or getattr(call.func, "attr", "")
    count, has_context = CALLS.get(name, (0, False))
    texts = [arg.value for arg in call.args[:count] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if not count or len(texts) < count or not texts[-1]:
        return None
    context = texts.pop(0) if has_context else ""
    return context, texts[0], texts[1] if len(texts) == 2 else ""


def keys_of_code(source: str) -> Iterator[Key]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and (key := key_of(node)):
            yield key


def keys_of_template(source: str) -> Iterator[Key]:
    """`templatize` leaves calls between crossed-out letters: each is read up to the bracket that completes it."""
    text = templatize(source)
    for start in CALL_START.finditer(text):
        for end in re.finditer(r"\)", text[start.end() :]):
            try:
                call = ast.parse(text[start.start() : start.end() + end.end()], mode="eval").body
            except SyntaxError:
                continue
            if isinstance(call, ast.Call) and (key := key_of(call)):
                yield key
            break


def files(pattern: str) -> Iterator[Path]:
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob(pattern)):
            if not {"migrations", "emulator"} & set(file.relative_to(ROOT).parts):
                yield file


def wanted() -> dict[Key, str]:
    """Every text of the rooms with one file that holds it."""
    found: dict[Key, str] = {}
    for pattern, read in (("*.py", keys_of_code), ("*.html", keys_of_template), ("*.txt", keys_of_template)):
        for file in files(pattern):
            found.update(dict.fromkeys(read(file.read_text()), str(file.relative_to(ROOT))))
    return found


def entries(catalogue: polib.POFile | polib.MOFile) -> dict[Key, list[str]]:
    return {
        (entry.msgctxt or "", entry.msgid, entry.msgid_plural or ""): (
            list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        )
        for entry in catalogue
    }


@pytest.fixture(scope="module")
def written() -> dict[Key, list[str]]:
    return entries(polib.pofile(str(PO)))


def test_every_text_has_indonesian(written: dict[Key, list[str]]) -> None:
    texts = wanted()
    assert len(texts) > 500  # a finder that finds nothing would agree with any catalogue
    assert {key: file for key, file in texts.items() if key not in written} == {}
    assert [key[1] for key, translations in written.items() if not all(translations)] == []


def test_compiled_is_what_is_written(written: dict[Key, list[str]]) -> None:
    assert entries(polib.mofile(str(PO.with_suffix(".mo")))) == written


def test_nothing_is_fuzzy_or_left_over() -> None:
    catalogue = polib.pofile(str(PO))
    assert [entry.msgid for entry in catalogue if entry.fuzzy or entry.obsolete] == []
    assert catalogue.metadata["Plural-Forms"] == "nplurals=1; plural=0;"


def test_placeholders_agree(written: dict[Key, list[str]]) -> None:
    wrong = [
        (key[1], text)
        for key, translations in written.items()
        for text in translations
        if sorted(set(PLACEHOLDER.findall(text))) != sorted(set(PLACEHOLDER.findall(key[2] or key[1])))
    ]
    assert wrong == []


def test_indonesian_has_one_plural_form(written: dict[Key, list[str]]) -> None:
    assert {len(translations) for translations in written.values()} == {1}


@pytest.mark.parametrize("name", API_SENTENCES)
def test_sentences_of_the_api_library_are_indonesian(name: str) -> None:
    source = (Path(rest_framework.__file__).parent / name).read_text()
    with translation.override("id"):
        english = {text for _context, text, _plural in keys_of_code(source) if translation.gettext(text) == text}
    assert english - NEVER_SENT == set()


@pytest.mark.parametrize(
    ("english", "values", "indonesian"),
    [  # the table of "the words for truth" and the names of buttons in docs/operator-guide.id.md
        ("On router, checked %(ago)s", {"ago": "12 dtk lalu"}, "Di router, dicek 12 dtk lalu"),
        ("%(n)d s ago", {"n": 12}, "12 dtk lalu"),
        ("Waiting for router “%(name)s”", {"name": "Pos 2"}, "Menunggu router “Pos 2”"),
        ("Router offline since %(since)s", {"since": "14.05"}, "Router offline sejak 14.05"),
        (
            "Router says: “%(words)s” — %(advice)s",
            {"words": "busy", "advice": "tunggu"},
            "Kata router: “busy” — tunggu",
        ),
        ("Undo sale", {}, "Batalkan penjualan"),
        ("Test connection", {}, "Tes koneksi"),
        ("Accept new router", {}, "Terima router baru"),
        ("Needs a decision", {}, "Perlu keputusan"),
        ("Expired", {}, "Kedaluwarsa"),
        ("Health", {}, "Kesehatan sistem"),
        ("voucher batch", {}, "batch voucher"),
    ],
)
def test_words_of_the_screens(english: str, values: dict[str, object], indonesian: str) -> None:
    with translation.override("id"):
        assert translation.gettext(english) % values == indonesian


def test_changes_that_wait_are_counted() -> None:
    with translation.override("id"):
        for count in (1, 12):
            text = translation.ngettext("; %(n)d change waits", "; %(n)d changes wait", count) % {"n": count}
            assert text == f"; {count} perubahan menunggu"


def test_the_finder_sees_every_kind_of_call() -> None:
    code = 'a = _("One" " two")\nb = ngettext("x", "y", n)\nc = other("no")\nd = pgettext_lazy("when", "Three")\ne = _(f)\n'
    assert list(keys_of_code(code)) == [("", "One two", ""), ("", "x", "y"), ("when", "Three", "")]
    template = (
        '{% load i18n %}{% translate "A (b)" %}{% translate "May" context "month" %}{% include "x" with a=_("Two") %}'
        "{% blocktranslate count n=x %}{{ n }} a{% plural %}{{ n }} b's{% endblocktranslate %}"
    )
    assert set(keys_of_template(template)) == {
        ("", "A (b)", ""), ("month", "May", ""), ("", "Two", ""), ("", "%(n)s a", "%(n)s b's"),
    }  # fmt: skip
