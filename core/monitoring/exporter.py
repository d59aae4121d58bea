"""`/metrics` for Prometheus on METRICS_HOST:METRICS_PORT, apart from the public port.

Every web process tries to take the port and one gets it; when that process ends, another takes over within seconds.
Under gunicorn the counters of all processes lie in files (`PROMETHEUS_MULTIPROC_DIR`, set by `config/gunicorn.py`), so
whoever answers, answers for all.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Iterable
from typing import Any

from django.db import connections
from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from core.monitoring.gauges import GaugeCollector

logger = logging.getLogger(__name__)

RETRY_SECONDS = 3.0


class _OwnConnection(Collector):
    """Gives the connection back after each answer: the server's threads are not Django's."""

    def __init__(self, inner: GaugeCollector):
        self._inner = inner

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        try:
            return list(self._inner.collect())
        finally:
            connections.close_all()


class _Everything(Collector):
    """The process's own registry, for a single process."""

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        return REGISTRY.collect()


def metrics_registry() -> CollectorRegistry:
    """What one answer consists of: request counters and histograms of all web processes, then the gauges."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_Everything())
    registry.register(_OwnConnection(GaugeCollector()))
    return registry


class Exporter:
    """Holds the port, or waits for it, in a thread that ends with the process."""

    def __init__(self, port: int, host: str = "127.0.0.1"):
        self.port = port
        self.host = host
        self.is_serving = threading.Event()
        self._stop = threading.Event()
        self._server: Any = None
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> Exporter:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        is_told = False
        while not self._stop.is_set():
            try:
                self._server, server_thread = start_http_server(self.port, addr=self.host, registry=metrics_registry())
            except OSError as error:  # also a name that cannot be resolved yet
                if error.errno != errno.EADDRINUSE and not is_told:
                    is_told = True
                    logger.error("metrics: %s:%d cannot be opened: %s", self.host, self.port, error.strerror)
                self._stop.wait(RETRY_SECONDS)
                continue
            self.is_serving.set()
            self._stop.wait()
            self._server.shutdown()
            self._server.server_close()
            server_thread.join()


def exporter_start(port: int, host: str) -> Exporter | None:
    """Start the exporter of this process; None with port 0 (off)."""
    return Exporter(port, host).start() if port else None
