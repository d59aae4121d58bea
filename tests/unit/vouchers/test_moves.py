"""The tables of legal moves, every pair: a move added by accident fails here."""

from __future__ import annotations

import itertools

import pytest

from vouchers.choices import BATCH_MOVES, VOUCHER_MOVES, BatchStatus, VoucherStatus

LEGAL_VOUCHER = {
    ("new", "sold"), ("new", "active"), ("new", "void"),
    ("sold", "new"), ("sold", "active"), ("sold", "expired"), ("sold", "void"),
    ("active", "expired"), ("active", "void"),
    ("expired", "active"), ("expired", "sold"),
}  # fmt: skip
LEGAL_BATCH = {
    ("queued", "generating"), ("queued", "cancelled"), ("queued", "failed"),
    ("generating", "queued"), ("generating", "ready"), ("generating", "cancelled"), ("generating", "failed"),
    ("failed", "queued"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "target"), list(itertools.product(VoucherStatus.values, VoucherStatus.values)))
def test_voucher_moves(source: str, target: str) -> None:
    assert (target in VOUCHER_MOVES[source]) == ((source, target) in LEGAL_VOUCHER)


@pytest.mark.parametrize(("source", "target"), list(itertools.product(BatchStatus.values, BatchStatus.values)))
def test_batch_moves(source: str, target: str) -> None:
    assert (target in BATCH_MOVES[source]) == ((source, target) in LEGAL_BATCH)
