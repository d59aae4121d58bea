"""How a customer is found among a million: every way is an index, and upper rooms add theirs (a user name is billing's).

Small answers are looked up first, as ids. The planner cannot know how rare a word of a name is (it guesses one in two
hundred and walks along the primary key, a second and a half for a name that one in a million has), so the rows behind
words are fetched from their index first, too; only words that very many have become a condition of the final query,
where the first rows of any walk have them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from core.numbers import whole_number
from customers.models import CUTS, Contact, Customer
from customers.phones import phone_beginnings

FOUND_BY_ID = 200  # more rows than that of one number's beginning are no answer but noise
FOUND_BY_WORDS = 2000  # more rows than that are found at once by walking along the list
LONGEST = 120
MOST_WORDS = 8
Lookup = Callable[[str, int], Iterable[int]]

# MATERIALIZED: planned as if every row were wanted, so always by the index of words unless nearly everybody has them
_BY_WORDS = """
WITH found AS MATERIALIZED (
  SELECT coalesce(merged_into_id, id) AS id FROM customers_customer WHERE search @@ to_tsquery('simple', %s)
) SELECT id FROM found LIMIT %s
"""
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
    found = set(_ids(plain, among))
    words = "" if "@" in plain else words_raw(plain)
    by_words = _ids_by_words(words) if words else []
    if len(by_words) <= FOUND_BY_WORDS:
        return Q(pk__in=sorted(found | set(by_words)))
    query = SearchQuery(words, config="simple", search_type="raw")
    losers = Customer.objects.filter(merged_into__isnull=False, search=query).order_by("-pk")
    found.update(losers.values_list("merged_into_id", flat=True)[:FOUND_BY_ID])
    return Q(search=query) | Q(pk__in=sorted(found))


def words_raw(text: str) -> str:
    """As PostgreSQL is asked: names with a word that begins with each of these; "" when nothing is left of the text."""
    return " & ".join(f"'{word}':*" for word in text.translate(_CUT).split()[:MOST_WORDS])


def _ids_by_words(words: str) -> list[int]:
    """Roots of the customers with these words, at most one more than FOUND_BY_WORDS."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_WORDS, [words, FOUND_BY_WORDS + 1])
        return [row[0] for row in cursor.fetchall()]


def _plain(text: str) -> str:
    """One line of visible characters, not endless."""
    normal = unicodedata.normalize("NFC", text)
    return " ".join("".join(c for c in normal if unicodedata.category(c)[0] != "C" or c in "\t\n").split())[:LONGEST]


def _ids(text: str, among: QuerySet[Customer]) -> Iterable[int]:
    """Roots of the rows with this number, phone, e-mail address or what upper rooms know."""
    conditions = [Q(number__startswith=text.upper())]
    if (number := whole_number(text, digits=6)) is not None:
        conditions.append(Q(number=f"C{number:06d}"))
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
