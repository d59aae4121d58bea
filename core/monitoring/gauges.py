"""Numbers read from the database when Prometheus asks, beside the counters each web process keeps.

    gauges.register("mb_routers_up", "Routers that answered the last poll.", routers_up)
    gauges.register("mb_waiting_rows", "Changes a router does not have yet.", waiting, labels=("location",))

Without labels the function returns a number, with labels a mapping from label values to number. It runs in the
exporter's thread with its own database connection; it must be cheap.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core.models import ErrorRecord
from core.monitoring import jobs, queues

logger = logging.getLogger(__name__)

Reading = float | Mapping[tuple[str, ...], float]


@dataclass(frozen=True)
class Gauge:
    name: str
    description: str
    function: Callable[[], Reading]
    labels: tuple[str, ...]


_gauges: dict[str, Gauge] = {}


def register(name: str, description: str, function: Callable[[], Reading], *, labels: Sequence[str] = ()) -> None:
    """Make a gauge known. Registering a name again replaces it."""
    _gauges[name] = Gauge(name, description, function, tuple(labels))


def registered() -> list[Gauge]:
    return [_gauges[name] for name in sorted(_gauges)]


class GaugeCollector(Collector):
    """Asks every gauge; one that fails is left out of this answer and counted in `mb_gauge_failures`."""

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # nothing to ask while registering: the database may not be there yet

    def collect(self) -> Iterator[GaugeMetricFamily]:
        failures, began = 0, time.perf_counter()
        for gauge in registered():
            try:
                reading = gauge.function()
            except (DatabaseError, InterfaceError, OSError) as error:
                failures += 1
                logger.warning("gauge %s could not be read: %s", gauge.name, type(error).__name__)
                continue
            yield _family(gauge, reading)
        yield GaugeMetricFamily("mb_gauge_failures", "Gauges that could not be read just now.", value=failures)
        yield GaugeMetricFamily(
            "mb_gauge_seconds", "Time it took to read all gauges.", value=time.perf_counter() - began
        )


def _family(gauge: Gauge, reading: Reading) -> GaugeMetricFamily:
    if isinstance(reading, Mapping):
        family = GaugeMetricFamily(gauge.name, gauge.description, labels=gauge.labels)
        for values, value in sorted(reading.items()):
            family.add_metric([str(part) for part in values], value)
        return family
    return GaugeMetricFamily(gauge.name, gauge.description, value=reading)


def register_all() -> None:
    """The gauges of the kernel."""
    register("mb_queue_messages", "Messages that wait in a queue.", _depths, labels=("queue",))
    register("mb_queue_age_seconds", "Age of the oldest message in a queue.", _ages, labels=("queue",))
    register("mb_job_age_seconds", "Seconds since a periodic job last ended.", _job_ages, labels=("job",))
    register("mb_heartbeat_age_seconds", "Seconds since beat, broker and worker last worked together.", _heartbeat)
    register("mb_error_records", "Kinds of errors recorded.", lambda: float(ErrorRecord.objects.count()))


def _depths() -> Reading:
    return {(state.name,): float(state.depth) for state in queues.queue_states()}


def _ages() -> Reading:
    return {(state.name,): state.age_seconds for state in queues.queue_states()}


def _job_ages() -> Reading:
    return {(task,): age for task, age in jobs.job_ages().items()}


def _heartbeat() -> Reading:
    age = jobs.heartbeat_age()
    return float("nan") if age is None else age.total_seconds()
