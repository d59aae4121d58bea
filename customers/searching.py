"""How a customer is found among a million: every way is an index, and upper rooms add theirs (a user name is billing's).

Small answers (numbers, phones, addresses, user names) are looked up first as ids; words of names are a condition of
the final query, because there may be very many of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

from django.contrib.postgres.search import SearchQuery
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from customers.models import CUTS, Contact, Customer
from customers.phones import phone_beginnings

FOUND_BY_ID = 200  # more rows than that of one number's beginning are no answer but noise
LONGEST = 120
MOST_WORDS = 8
Lookup = Callable[[str, int], Iterable[int]]

_CUT = str.maketrans(CUTS, " " * len(CUTS))
_lookups: dict[str, Lookup] = {}


def add_lookup(name: str, lookup: Lookup) -> None:
    """Let a room above find customers by what is its own: `lookup(text, limit)` gives ids, from an index."""
    _lookups[name] = lookup


def text_found(text: str, among: QuerySet[Customer]) -> Q | None:
    """The condition for customers that answer to `text`; None for a text without any sign. Merged ones lead to their root."""
    plain = _plain(text)
    if not plain:
        return None
    words = None if "@" in plain else words_query(plain)
    found = set(_ids(plain, among))
    if words is not None:
        losers = Customer.objects.filter(merged_into__isnull=False, search=words)
        found.update(losers.order_by("-pk").values_list("merged_into_id", flat=True)[:FOUND_BY_ID])
    by_id = Q(pk__in=sorted(found))
    if words is None:
        return by_id
    return Q(search=words) | by_id if found else Q(search=words)


def words_query(text: str) -> SearchQuery | None:
    """Names with a word that begins with each of these; None when nothing is left of the text."""
    words = text.translate(_CUT).split()[:MOST_WORDS]
    if not words:
        return None
    return SearchQuery(" & ".join(f"'{word}':*" for word in words), config="simple", search_type="raw")


def _plain(text: str) -> str:
    """One line of visible characters, not endless."""
    normal = unicodedata.normalize("NFC", text)
    return " ".join("".join(c for c in normal if unicodedata.category(c)[0] != "C" or c in "\t\n").split())[:LONGEST]


def _ids(text: str, among: QuerySet[Customer]) -> Iterable[int]:
    """Roots of the rows with this number, phone, e-mail address or what upper rooms know."""
    conditions = [Q(number__startswith=text.upper())]
    if text.isascii() and text.isdigit() and len(text) <= 6:
        conditions.append(Q(number=f"C{int(text):06d}"))
    conditions += [Q(phone__startswith=beginning) for beginning in phone_beginnings(text)]
    if "@" in text:
        conditions.append(Q(email__startswith=text.lower()))
    for condition in conditions:
        yield from _roots(among.filter(condition))
    for beginning in phone_beginnings(text):
        contacts = Contact.objects.filter(phone__startswith=beginning).order_by("-pk")
        yield from _roots(_with_ids(list(contacts.values_list("customer_id", flat=True)[:FOUND_BY_ID])))
    for lookup in _lookups.values():
        yield from _roots(_with_ids(list(lookup(text, FOUND_BY_ID))))


def _with_ids(ids: list[int]) -> QuerySet[Customer]:
    return Customer.objects.filter(pk__in=ids)


def _roots(rows: QuerySet[Customer]) -> list[int]:
    roots = rows.order_by("-pk").annotate(root=Coalesce(F("merged_into_id"), F("pk")))
    return list(roots.values_list("root", flat=True)[:FOUND_BY_ID])
