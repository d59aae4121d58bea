"""Framing of the RouterOS API: words, sentences, all five length forms.

Text inside the emulator is ``str`` decoded as latin-1, one character per byte, so that every byte a
client stores is the byte it gets back, whatever its character set was.
"""

from __future__ import annotations

PRE_LOGIN_LIMIT = 64 * 1024
"""Largest unfinished sentence accepted before login, in bytes."""

AFTER_LOGIN_LIMIT = 16 * 1024 * 1024
"""Largest unfinished sentence accepted after login, in bytes (invented; a router gives up earlier)."""

_WORD_COST = 32
"""What a word counts beside its bytes, so that a million words of one byte are not a small sentence."""


class FramingError(Exception):
    """The byte stream is not the RouterOS API (reserved control byte or a sentence beyond the limit)."""


def encode_length(size: int) -> bytes:
    """Length prefix of a word of ``size`` bytes."""
    if size < 0x80:
        return bytes((size,))
    if size < 0x4000:
        return (size | 0x8000).to_bytes(2, "big")
    if size < 0x200000:
        return (size | 0xC00000).to_bytes(3, "big")
    if size < 0x10000000:
        return (size | 0xE0000000).to_bytes(4, "big")
    return b"\xf0" + size.to_bytes(4, "big")


def encode_word(word: bytes) -> bytes:
    """One word with its length prefix."""
    size = len(word)
    if size < 0x80:
        return bytes((size,)) + word
    return encode_length(size) + word


def encode_text(text: str) -> bytes:
    """One word from the emulator's internal text."""
    return encode_word(text.encode("latin-1"))


def encode_sentence(words: list[bytes]) -> bytes:
    """A whole sentence including its closing zero-length word."""
    return b"".join([encode_word(word) for word in words]) + b"\0"


def text_in(value: str) -> str:
    """Python text (unicode) as the internal one-character-per-byte text; bytes are UTF-8."""
    return value.encode("utf-8", "surrogateescape").decode("latin-1")


def text_out(value: str) -> str:
    """Internal text as Python text: UTF-8 where the bytes are valid UTF-8, latin-1 otherwise."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return value


class SentenceReader:
    """Incremental decoder: feed bytes, take sentences. Empty sentences are ignored, as a router does."""

    def __init__(self, limit: int = PRE_LOGIN_LIMIT) -> None:
        self.limit = limit
        self._buffer = bytearray()
        self._position = 0
        self._words: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Append received bytes."""
        if self._position:
            del self._buffer[: self._position]
            self._position = 0
        self._buffer += data

    @property
    def pending(self) -> int:
        """Bytes received and not yet taken as sentences."""
        return len(self._buffer) - self._position

    def next_sentence(self) -> list[bytes] | None:
        """The next complete sentence, or None. Raises FramingError when the stream cannot be followed."""
        buffer, position, end = self._buffer, self._position, len(self._buffer)
        words = self._words
        while position < end:
            first = buffer[position]
            if first < 0x80:
                head, size = 1, first
            else:
                head = _head_size(first)
                if end - position < head:
                    break
                size = _long_size(buffer, position, head)
            if size == 0:
                position += head
                if words:
                    self._words, self._position, self._size = [], position, 0
                    return words
                continue
            if self._size + size + _WORD_COST > self.limit:
                raise FramingError("sentence too long")
            stop = position + head + size
            if stop > end:
                break
            words.append(bytes(buffer[position + head : stop]))
            self._size += size + _WORD_COST
            position = stop
        self._position = position
        return None


def _head_size(first: int) -> int:
    if first < 0xC0:
        return 2
    if first < 0xE0:
        return 3
    if first < 0xF0:
        return 4
    if first == 0xF0:
        return 5
    raise FramingError("reserved control byte")


def _long_size(buffer: bytearray, position: int, head: int) -> int:
    raw = int.from_bytes(buffer[position : position + head], "big")
    masks = {2: 0x3FFF, 3: 0x1FFFFF, 4: 0x0FFFFFFF, 5: 0xFFFFFFFF}
    return raw & masks[head]
