"""The host's page on a local port: `/healthz` says how the bot's parts fare, `/metrics` counts for Prometheus.

It has no password, so it listens on loopback unless the host opens it. Nothing on it names a person.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import structlog
from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from bot.health.checks import Health
from bot.health.heartbeat import Component
from bot.settings.settings import StartupError
from storage.jobs.job import JobState

_log = structlog.get_logger(__name__)


class PortTaken(StartupError):
    """The page's port can't be listened on."""


@asynccontextmanager
async def open_page(health: Health, *, host: str, port: int) -> AsyncIterator[str]:
    """Serve the page until the block ends; gives its address. `port` 0 takes any free one. Raises PortTaken."""
    page = _Page(health)
    health.metrics.registry.register(page)
    app = web.Application()
    app.add_routes([web.get("/healthz", page.healthz), web.get("/metrics", page.metrics)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        address = await _listen(runner, host, port)
        _log.info("the health page is open", address=address)
        yield address
    finally:
        await runner.cleanup()
        health.metrics.registry.unregister(page)


async def _listen(runner: web.AppRunner, host: str, port: int) -> str:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise PortTaken(
            f"EASEL_METRICS_PORT is {port}, and {host} can't be listened on there: {error.strerror}."
        ) from error
    name, number = runner.addresses[0][:2]
    return f"http://[{name}]:{number}" if ":" in name else f"http://{name}:{number}"


class _Page:
    """The two answers. Prometheus' library collects without waiting, so that each answer looks first."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._found: list[Component] = []

    async def healthz(self, _: web.Request) -> web.Response:
        self._found = await self._health.look()
        well = all(each.well for each in self._found)
        body: dict[str, Any] = {"well": well, "components": [asdict(each) for each in self._found]}
        return web.json_response(body, status=200 if well else 503)

    async def metrics(self, _: web.Request) -> web.Response:
        self._found = await self._health.look()
        text = generate_latest(self._health.metrics.registry)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    def collect(self) -> Iterator[Metric]:
        """What is read when it is asked for, beside the counters."""
        well = GaugeMetricFamily("easel_well", "Whether a part of the bot is well.", labels=["part"])
        for each in self._found:
            well.add_metric([each.name], float(each.well))
        yield well
        starts = self._health.generator.condition().starts
        restarts = CounterMetricFamily("easel_worker_restarts", "Starts of the worker after its first.")
        restarts.add_metric([], max(starts - 1, 0))
        yield restarts
        if (numbers := self._health.numbers) is None:
            return
        jobs = GaugeMetricFamily("easel_jobs", "Jobs that are kept, by state.", labels=["state"])
        for state in JobState:
            jobs.add_metric([state.value], numbers.jobs.get(state, 0))
        yield jobs
        waiting = numbers.jobs.get(JobState.QUEUED, 0)
        yield GaugeMetricFamily("easel_queue_length", "Jobs that wait to be drawn.", value=waiting)
        yield GaugeMetricFamily("easel_database_bytes", "Size of the database's files.", value=numbers.size)
