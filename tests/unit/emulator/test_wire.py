from __future__ import annotations

import pytest

from locations.emulator.wire import (
    FramingError,
    SentenceReader,
    encode_length,
    encode_sentence,
    text_in,
    text_out,
)


@pytest.mark.parametrize(
    ("size", "prefix"),
    [
        (0, b"\x00"),
        (0x7F, b"\x7f"),
        (0x80, b"\x80\x80"),
        (0x3FFF, b"\xbf\xff"),
        (0x4000, b"\xc0\x40\x00"),
        (0x1FFFFF, b"\xdf\xff\xff"),
        (0x200000, b"\xe0\x20\x00\x00"),
        (0xFFFFFFF, b"\xef\xff\xff\xff"),
        (0x10000000, b"\xf0\x10\x00\x00\x00"),
    ],
)
def test_length_forms(size: int, prefix: bytes) -> None:
    assert encode_length(size) == prefix


@pytest.mark.parametrize("size", [1, 0x7F, 0x80, 0x3FFF, 0x4000, 0x1FFFFF, 0x200000])
def test_words_of_every_length_form_come_back(size: int) -> None:
    reader = SentenceReader(1 << 30)
    word = b"x" * size
    reader.feed(encode_sentence([b"/a", word]))
    assert reader.next_sentence() == [b"/a", word]
    assert reader.next_sentence() is None
    assert reader.pending == 0


def test_five_byte_form_is_read_too() -> None:
    reader = SentenceReader(1 << 30)
    reader.feed(b"\xf0\x00\x00\x00\x03abc\x00")
    assert reader.next_sentence() == [b"abc"]


def test_sentences_arrive_byte_by_byte() -> None:
    reader = SentenceReader()
    found = []
    for byte in encode_sentence([b"/ip/x", b"=a=" + b"y" * 300]) + b"\0\0" + encode_sentence([b"/q"]):
        reader.feed(bytes([byte]))
        while (sentence := reader.next_sentence()) is not None:
            found.append(sentence)
    assert found == [[b"/ip/x", b"=a=" + b"y" * 300], [b"/q"]]


@pytest.mark.parametrize("first", [0xF8, 0xF1, 0xFF])
def test_reserved_control_bytes_end_the_stream(first: int) -> None:
    reader = SentenceReader()
    reader.feed(bytes([first]) + b"\0" * 8)
    with pytest.raises(FramingError):
        reader.next_sentence()


def test_a_sentence_beyond_the_limit_is_refused_before_it_arrived() -> None:
    reader = SentenceReader(1000)
    reader.feed(encode_length(1001))
    with pytest.raises(FramingError):
        reader.next_sentence()


def test_text_keeps_every_byte() -> None:
    every = bytes(range(256)).decode("latin-1")
    assert every.encode("latin-1") == bytes(range(256))
    assert text_out(text_in("Café ☕")) == "Café ☕"
    assert text_out("\xe9") == "\xe9"
