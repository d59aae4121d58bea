"""Who listens to what. A change here is a change of behaviour: say why in the commit."""

from __future__ import annotations

import pytest
from django.core.management import call_command

WIRING = """\
AccountsRemoved       100 ! billing.hooks.logins_let_go
CustomersErasing      100 ! billing.hooks.erasing_check
CustomersErasing      100 ! payments.hooks.erasing
CustomersMerged       100 ! billing.hooks.merges_take_over
FirstLogin            100 ! vouchers.hooks.first_logins_take_in
MergesUndone          100 ! billing.hooks.merges_give_back
PlanWithdrawing       100 ! vouchers.hooks.plan_withdrawal_refuse
StaffActed             10 ! accounts.services.activity.activity_write
"""


def test_the_wiring_is_pinned(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("show_wiring")
    assert capsys.readouterr().out == WIRING
