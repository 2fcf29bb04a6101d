"""The metrics in Prometheus's text format, through prometheus-client (the extra `metrics`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate

from .errors import BackendMissingError
from .metrics import BUCKETS, DURATION, FAMILIES, PROCESS, Durations, Metrics

try:
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
        Metric,
        UntypedMetricFamily,
    )
except ImportError as fault:
    raise BackendMissingError("metrics", f"pip install 'pianissimo[metrics]' ({fault})") from fault

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
KINDS = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "untyped": UntypedMetricFamily}


class Collector:
    """Metrics as prometheus-client collects them: `REGISTRY.register(Collector())` puts them beside your own."""

    def __init__(self, metrics: Metrics = PROCESS) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Every family, those without a value too, so that a dashboard finds its names."""
        values: defaultdict[str, list[tuple[tuple[str, ...], float]]] = defaultdict(list)
        for (name, labels), value in sorted(self._metrics.values().items()):
            values[name].append((labels, value))
        for name, family in FAMILIES.items():
            if name == DURATION:
                yield _histogram(name, self._metrics.durations())
                continue
            metric = KINDS[family.kind](name, family.words, labels=family.labels)
            for labels, value in values[name]:
                metric.add_metric(labels, value)
            yield metric


def exposition(metrics: Metrics = PROCESS) -> bytes:
    """What `/metrics` answers, of the type CONTENT_TYPE."""
    registry = CollectorRegistry()
    registry.register(Collector(metrics))
    return generate_latest(registry)


def _histogram(name: str, durations: dict[tuple[str, ...], Durations]) -> Metric:
    metric = HistogramMetricFamily(name, FAMILIES[name].words, labels=FAMILIES[name].labels)
    bounds = [*map(str, BUCKETS), "+Inf"]
    for labels, series in sorted(durations.items()):
        metric.add_metric(labels, list(zip(bounds, accumulate(series.counts), strict=True)), sum_value=series.total)
    return metric
