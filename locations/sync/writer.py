"""The one writer of a location: takes the lease, works in bounded batches with no transaction open during I/O.

Order: paid activations and removals (by row priority), the due poll, other work, reconcile. A hundred thousand
new users never delay one paying customer by more than one batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from core.clock import now as clock_now
from core.installation import installation
from locations.choices import Priority, Reach
from locations.models import AccessAccount, Location, Observation, RouterEntry, RouterProfile, RouterState
from locations.routeros.client import RouterClient
from locations.routeros.errors import LeaseLost, RouterError, RouterTimeout
from locations.routeros.pace import BULK_SECONDS
from locations.sync import connections
from locations.sync.anew import anew_record
from locations.sync.batch import Batch
from locations.sync.config_backup import backup_due, backup_take
from locations.sync.extras import extras_due, extras_remove
from locations.sync.failure import failure_record
from locations.sync.identity import Identity, check_same_router, has_restarted, is_unread, read_identity
from locations.sync.kicks import KickWork, kicks_due, kicks_record, kicks_send
from locations.sync.kinds import place_of
from locations.sync.last_use import last_use_record
from locations.sync.lease import (
    BATCH_SECONDS,
    LEASE_SECONDS,
    Lease,
    lease_confirm,
    lease_release,
    lease_renew,
    lease_take,
)
from locations.sync.observe import observations_take
from locations.sync.outcome import Model, outcomes_record, sessions_ended_record
from locations.sync.pacing import Pacer
from locations.sync.poll import is_poll_due, poll
from locations.sync.queue import accounts_due, entries_due, has_work, profiles_due, sibling_use
from locations.sync.reboots import reboot_due, reboot_send
from locations.sync.reconcile import EVERY, late_writes_expect, reconcile
from locations.sync.repairs import is_daily_repair_due, is_repairing
from locations.sync.replacement import replacement_step
from locations.sync.rollout import rollouts_step
from locations.sync.scope import compare_done, scope_of
from locations.sync.server_plan import plan_due, plan_work

RUN_SECONDS = 30.0  # then the next run gets its turn, so that a busy location cannot hold a thread for ever
RECONCILE_SECONDS = LEASE_SECONDS * 0.8


@dataclass
class RunResult:
    """What one run did; `more` says that work is left and the location should be woken again."""

    was_free: bool = True
    applied: int = 0
    more: bool = False
    problem: str = ""


def location_run(location_id: int, *, is_forced: bool = False, now: Callable[[], datetime] = clock_now) -> RunResult:
    """Work for one location until nothing is due, its time is up, or the router stops answering.

    `is_forced` ignores the back-off once: a person pressed retry, or somebody paid.
    """
    location = Location.objects.select_related("state").get(pk=location_id)
    connections.close_idle()
    if not location.is_active or installation().is_quarantined:
        connections.drop(location_id)
        return RunResult(was_free=False)
    state = location.state
    if state.other_fingerprint or (state.reach == Reach.WRONG_ROUTER and not is_forced):
        return RunResult(was_free=False)
    if not is_forced and state.retry_at is not None and state.retry_at > now():
        return RunResult(was_free=False)
    lease = lease_take(location_id)
    if lease is None:
        return RunResult(was_free=False)
    run = _Run(location, lease, now, is_poll_wanted=is_forced)
    try:
        observations_take(location_id)  # of a worker that died: a removal must not overtake what it had read
        run.work()
        run.is_clean = True
        lease_release(lease)
    except LeaseLost as lost:
        run.result.problem = lost.problem  # somebody else writes now; nothing of ours may be recorded as a failure
    except RouterError as error:
        run.result.problem = error.problem
        if Location.objects.filter(pk=location_id, is_active=True).exists():  # else we left it, not it us
            failure_record(location_id, error, now())
        if run.is_sending and isinstance(error, RouterTimeout):
            late_writes_expect(location_id, now())
        lease_release(lease)
    finally:
        run.end()
    observations_take(location_id)
    # A kick that came while we held the lease found it taken; whatever it was about is seen here.
    run.result.more = run.result.more or (not run.result.problem and not run.is_stalled and has_work(location_id))
    run.result.more = run.result.more or (not run.result.problem and bool(kicks_due(location_id, run.tried_kicks)))
    return run.result


class _Run:
    def __init__(self, location: Location, lease: Lease, now: Callable[[], datetime], *, is_poll_wanted: bool):
        self.location = location
        self.is_poll_wanted = is_poll_wanted  # a person pressed a button: he wants to see what is true now
        self.lease = lease
        self.now = now
        self.result = RunResult()
        self.tag = installation().tag
        self.client: RouterClient | None = None
        self.ends_at = time.monotonic() + RUN_SECONDS
        self.compare_again: timedelta | None = None
        self.tried_kicks: set[int] = set()
        self.has_looked_for_bulk = False  # once per run; a wish of somebody is obeyed whenever it comes
        self.has_stepped = False  # speed changes go on once per run: their pace is counted in seconds
        self.is_sending = False  # the router has sentences of ours that it did not answer
        self.is_stalled = False  # the last batch moved nothing: waking again at once would spin
        self.is_clean = False  # nothing is in flight any more: the connection may serve the next run
        self.pacer: Pacer | None = None

    def work(self) -> None:
        client, is_fresh = connections.take(self.location)
        self.client = client
        client.may_send = self.lease.check
        self.pacer = Pacer(self.location, client)
        seen: Identity | None = None
        if is_fresh or self.lease.is_takeover:
            seen = self._arrive(client)
        while time.monotonic() < self.ends_at:
            did = self._urgent(client) or self._reboot(client)
            if not client.is_open or self._state().other_fingerprint:  # a person asking it met another certificate
                return
            if not did and (self.is_poll_wanted or is_poll_due(self.location.state, self.now())):
                self._poll(client, seen or read_identity(client))
                seen = None
                did = True
            did = did or self._config_backup(client) or self._server_plan(client)
            did = did or self._compare(client) or self._rollouts(client) or self._batch(client)
            did = did or self._extras(client) or self._reconcile(client, is_forced=False)
            did = did or replacement_step(self.location.pk, self.now())
            if not did:
                return
        self.result.more = True

    def end(self) -> None:
        if self.client is not None:
            self.client.may_send = lambda: None
            self.client.deadline = None
            if self.pacer is not None:
                self.pacer.show(self.now())
            if not self.is_clean:
                self.client.close()
            connections.keep(self.location, self.client)

    def _state(self) -> RouterState:
        self.location.state.refresh_from_db()
        return self.location.state

    def _arrive(self, client: RouterClient) -> Identity:
        """First words on a connection: same router, and do its entries still have the ids we know?"""
        self._renew(client, {}, BATCH_SECONDS)
        seen = read_identity(client)
        state = self._state()
        check_same_router(state, seen)
        if self.lease.is_takeover:
            self._resend_inherited()
        if has_restarted(state, seen, self.now()) or is_unread(state):
            # Never seen, replaced or restarted: ids may be others now, profiles may be missing, and counters lost
            # with a power cut must be noticed before limits are sent.
            self._poll(client, seen)
            self._reconcile(client, is_forced=True)
        return seen

    def _resend_inherited(self) -> None:
        """A writer died or stalled: what it may have sent is unknown.

        Those rows are sent again and read back in this run; all is compared once more when a sentence of the old
        writer, still held up somewhere, can no longer arrive.
        """
        ids = self.lease.inherited
        AccessAccount.objects.filter(pk__in=ids.get("account", []), location=self.location).update(applied_revision=0)
        RouterProfile.objects.filter(pk__in=ids.get("profile", []), location=self.location).update(applied_revision=0)
        RouterEntry.objects.filter(pk__in=ids.get("entry", []), location=self.location).update(applied_revision=0)
        RouterState.objects.filter(pk=self.location.pk).update(reconcile_due_at=self.now(), is_repair_due=True)
        self.compare_again = timedelta(seconds=LEASE_SECONDS)

    def _renew(self, client: RouterClient, sent: dict[str, list[int]], seconds: float) -> None:
        lease_renew(self.lease, sent)
        client.deadline = time.monotonic() + seconds

    def _poll(self, client: RouterClient, seen: Identity) -> Observation:
        self._renew(client, {}, BATCH_SECONDS)
        check_same_router(self._state(), seen)
        client.pace.cpu_seen(seen.cpu_load)
        self.is_poll_wanted = False
        observation = poll(
            self.location, client, seen, self.now(), confirm=lambda: self._renew(client, {}, BATCH_SECONDS)
        )
        observations_take(self.location.pk)
        RouterState.objects.filter(pk=self.location.pk).update(polled_at=observation.observed_at)
        return observation

    def _urgent(self, client: RouterClient) -> bool:
        """Paid activations and removals come before the poll, and sessions that a person wants ended.

        Entries first: the address of a static subscriber who leaves is shut before his queue is gone.
        """
        entries = entries_due(self.location.pk, client.pace.rows, least_urgent=Priority.REMOVAL)
        if self._send(client, entries=entries):
            return True
        accounts = accounts_due(self.location.pk, client.pace.rows, least_urgent=Priority.REMOVAL)
        return self._send(client, accounts=accounts) or self._kicks(client)

    def _kicks(self, client: RouterClient) -> bool:
        """Each once per run: one that the router keeps is tried again by the next."""
        due = kicks_due(self.location.pk, self.tried_kicks)
        if not due:
            return False
        self.tried_kicks |= {kick.pk for kick in due}
        self._renew(client, {}, BATCH_SECONDS)
        work = KickWork()
        try:
            kicks_send(client, due, work)
        finally:
            with transaction.atomic():
                lease_confirm(self.lease)
                kicks_record(self.location.pk, work, self.now())
        return True

    def _batch(self, client: RouterClient) -> bool:
        """Profiles first: the router refuses accounts of a profile it does not have. Rules stand before the isolated."""
        rows = client.pace.rows
        return (
            self._send(client, profiles=profiles_due(self.location.pk, rows))
            or self._send(client, entries=entries_due(self.location.pk, rows))
            or self._send(client, accounts=accounts_due(self.location.pk, rows))
        )

    def _reboot(self, client: RouterClient) -> bool:
        """Asked last before: what customers used up to now is not lost with the router's counters."""
        row = reboot_due(self.location.pk, self.now())
        if row is None:
            return False
        self._poll(client, read_identity(client))
        self._renew(client, {}, BATCH_SECONDS)
        reboot_send(self.lease, row, client, self.now())
        return True

    def _rollouts(self, client: RouterClient) -> bool:
        if self.has_stepped:
            return False
        self.has_stepped = True
        self._renew(client, {}, BATCH_SECONDS)
        return rollouts_step(self.location.pk, client, self.now())

    def _send(
        self,
        client: RouterClient,
        *,
        profiles: Sequence[RouterProfile] = (),
        entries: Sequence[RouterEntry] = (),
        accounts: Sequence[AccessAccount] = (),
    ) -> bool:
        """Send one batch of one model and record what came of it, also when the link breaks. True when rows moved on."""
        if not (profiles or entries or accounts):
            return False
        if self.pacer is not None:
            self.pacer.look(lambda: self._renew(client, {}, BATCH_SECONDS), self.now())
        place = place_of(self.location.pk, self.tag)  # after the rows: never older than they are
        batch = Batch(
            client, place, self.now(), BULK_SECONDS, siblings=sibling_use(accounts),
            unread_seconds=self._unread_seconds(),
        )  # fmt: skip
        sent = {"profile": profiles, "entry": entries, "account": accounts}
        self._renew(client, {name: [row.pk for row in rows] for name, rows in sent.items()}, BATCH_SECONDS)
        self.is_sending = True
        try:
            batch.send_profiles(profiles)
            batch.send_entries(entries)
            batch.send_accounts(accounts)
        finally:
            self._record(RouterProfile if profiles else RouterEntry if entries else AccessAccount, batch)
        self.is_sending = False
        self.result.applied += len(batch.outcomes)
        if self.pacer is not None:
            self.pacer.sent(len(batch.outcomes))
        has_moved = bool(batch.outcomes or batch.lost_profiles)
        self.is_stalled = not has_moved
        return has_moved

    def _unread_seconds(self) -> int:
        """How long ago the counters were last read."""
        polled_at = self._state().polled_at
        return 0 if polled_at is None else max(0, int((self.now() - polled_at).total_seconds()))

    @transaction.atomic
    def _record(self, model: Model, batch: Batch) -> None:
        """A writer that lost its lease records nothing: its successor sends those rows again and reads them back."""
        lease_confirm(self.lease)
        RouterProfile.objects.filter(pk__in=batch.lost_profiles).update(applied_revision=0)
        last_use_record(self.location.pk, batch.last_use, self.now())
        if batch.outcomes:
            outcomes_record(model, batch.outcomes, self.now())
        anew_record(batch.anew)
        sessions_ended_record(self.location.pk, batch.ended, self.now())

    def _config_backup(self, client: RouterClient) -> bool:
        """The configuration as it was, before many changes of ours or because a wish for it waits."""
        due = backup_due(self.location.pk, self.now(), is_bulk_looked_for=not self.has_looked_for_bulk)
        self.has_looked_for_bulk = True
        if due is None:
            return False
        self._renew(client, {}, RECONCILE_SECONDS)
        seen = read_identity(client)
        check_same_router(self._state(), seen)
        backup_take(due, self.location, client, seen, self.tag, self.now(), confirm=lambda: lease_confirm(self.lease))
        return True

    def _server_plan(self, client: RouterClient) -> bool:
        """The commands of a server that a person confirmed."""
        due = plan_due(self.location.pk)
        if due is None:
            return False
        self._renew(client, {}, RECONCILE_SECONDS)
        check_same_router(self._state(), read_identity(client))
        plan_work(due, client, self.now(), lambda: lease_confirm(self.lease))
        return True

    def _compare(self, client: RouterClient) -> bool:
        """What a person asked to look at now."""
        wanted = [(str(subject), int(pk)) for subject, pk in self._state().compare_wanted or []]
        if not wanted:
            return False
        self._renew(client, {}, RECONCILE_SECONDS)
        scope = scope_of(self.location.pk, wanted)
        repairs = is_repairing(self.location, self._state(), self.now())
        reconcile(self.location.pk, client, self.tag, self.now(), repairs=repairs, scope=scope)
        compare_done(self.location.pk, wanted)
        return True

    def _extras(self, client: RouterClient) -> bool:
        due = extras_due(self.location.pk)
        if due:
            self._renew(client, {}, BATCH_SECONDS)
            extras_remove(due, client, self.tag, self.now())
        return bool(due)

    def _reconcile(self, client: RouterClient, *, is_forced: bool) -> bool:
        state, now = self._state(), self.now()
        due = state.reconcile_due_at is not None and state.reconcile_due_at <= now
        old = state.reconciled_at is None or now - state.reconciled_at >= EVERY
        if not (is_forced or due or old or is_daily_repair_due(self.location, state, now)):
            return False
        self._renew(client, {}, RECONCILE_SECONDS)
        repairs = is_forced or is_repairing(self.location, state, now)
        reconcile(self.location.pk, client, self.tag, now, repairs=repairs)
        if self.compare_again is not None:
            due_at = now + self.compare_again
            RouterState.objects.filter(pk=self.location.pk).update(reconcile_due_at=due_at, is_repair_due=True)
            self.compare_again = None
        return True
