"""Counters, gauges and histograms, and the registry that has them all.

    REQUESTS = Counter("requests_total", "Requests answered.", ("code",))
    registry.register(REQUESTS)
    REQUESTS.labels("200").inc()

A family is all series of one name, told apart by the values of its labels. A series is there from when it is first
asked for. What only has a value when somebody looks is a `Collector`: a function that gives families of its own.

No dependency is needed for any of this; `exposition` writes it as text. Contract: MSV-06, MTR-07, THR-13.
"""

from __future__ import annotations

import bisect
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from k8srt.errors import K8srtError

log = logging.getLogger(__name__)

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The buckets that Prometheus' clients have where none are given."""


class Sample(NamedTuple):
    """One number, as it is scraped. `suffix` goes after the name of the family."""

    suffix: str
    labels: tuple[tuple[str, str], ...]
    value: float


class Snapshot(NamedTuple):
    """A family at one moment. `kind` is `counter`, `gauge` or `histogram`."""

    name: str
    help: str
    kind: str
    samples: Sequence[Sample]


Collector = Callable[[], Iterable[Snapshot]]


class DuplicateMetric(K8srtError, ValueError):
    """There is a family of that name already."""


class _Series:
    """One series. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the value
        self._value = 0.0

    @property
    def value(self) -> float:
        """The number."""
        with self._lock:
            return self._value


class CounterSeries(_Series):
    """A number that only goes up."""

    def inc(self, amount: float = 1.0) -> None:
        """Raises ValueError for less than nothing."""
        if amount < 0.0:
            raise ValueError(f"a counter does not go down: {amount!r}")
        with self._lock:
            self._value += amount


class GaugeSeries(_Series):
    """A number that goes up and down."""

    def inc(self, amount: float = 1.0) -> None:
        with self._lock:
            self._value += amount

    def dec(self, amount: float = 1.0) -> None:
        with self._lock:
            self._value -= amount

    def set(self, value: float) -> None:
        with self._lock:
            self._value = float(value)


class HistogramSeries:
    """How often values fell into which bucket. Thread-safe."""

    def __init__(self, buckets: Sequence[float]) -> None:
        self._buckets = buckets
        self._lock = threading.Lock()  # guards both below
        self._counts = [0] * (len(buckets) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value in the first bucket whose bound it does not exceed."""
        place = bisect.bisect_left(self._buckets, value)
        with self._lock:
            self._counts[place] += 1
            self._sum += value

    @property
    def count(self) -> int:
        """How many values there were."""
        with self._lock:
            return sum(self._counts)

    def read(self) -> tuple[list[tuple[float, int]], float]:
        """The bounds with how many values were at most that, the last one infinite; and the sum of all."""
        with self._lock:
            counts, total = list(self._counts), self._sum
        read, so_far = [], 0
        for bound, count in zip((*self._buckets, float("inf")), counts, strict=True):
            so_far += count
            read.append((bound, so_far))
        return read, total


S = TypeVar("S", CounterSeries, GaugeSeries, HistogramSeries)


class Family(Generic[S]):
    """All series of one name. Thread-safe."""

    kind = ""

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        self.name = name
        self.help = help
        self.label_names = tuple(labels)
        self._lock = threading.Lock()  # guards _series
        self._series: dict[tuple[str, ...], S] = {}

    def labels(self, *values: str) -> S:
        """The series of these label values, which is there from now on. Raises ValueError for the wrong number."""
        with self._lock:
            series = self._series.get(values)
            if series is None:
                if len(values) != len(self.label_names):
                    raise ValueError(f"{self.name} has the labels {self.label_names}, not {values!r}")
                series = self._series[values] = self._new()
            return series

    def _new(self) -> S:
        raise TypeError("a Family is a Counter, a Gauge or a Histogram")

    def forget(self, label: str, value: str) -> None:
        """Drop every series that has this value of a label. Nothing if there is no such label."""
        if label in self.label_names:
            place = self.label_names.index(label)
            with self._lock:
                self._series = {key: each for key, each in self._series.items() if key[place] != value}

    def clear(self) -> None:
        """Drop every series."""
        with self._lock:
            self._series = {}

    def snapshot(self) -> Snapshot:
        """What the series are now, sorted by their labels."""
        with self._lock:
            series = sorted(self._series.items())
        samples = [
            sample
            for values, each in series
            for sample in self._samples(tuple(zip(self.label_names, values, strict=True)), each)
        ]
        return Snapshot(self.name, self.help, self.kind, samples)

    def _samples(self, labels: tuple[tuple[str, str], ...], series: S) -> Iterator[Sample]:
        raise TypeError("a Family is a Counter, a Gauge or a Histogram")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}{{{','.join(self.label_names)}}}>"


class Counter(Family[CounterSeries]):
    """Numbers that only go up; the name ends in `_total`."""

    kind = "counter"

    def _new(self) -> CounterSeries:
        return CounterSeries()

    def _samples(self, labels: tuple[tuple[str, str], ...], series: CounterSeries) -> Iterator[Sample]:
        yield Sample("", labels, series.value)


class Gauge(Family[GaugeSeries]):
    """Numbers that go up and down."""

    kind = "gauge"

    def _new(self) -> GaugeSeries:
        return GaugeSeries()

    def _samples(self, labels: tuple[tuple[str, str], ...], series: GaugeSeries) -> Iterator[Sample]:
        yield Sample("", labels, series.value)


class Histogram(Family[HistogramSeries]):
    """Distributions over `buckets`, which are upper bounds in ascending order; one without bound is added."""

    kind = "histogram"

    def __init__(self, name: str, help: str, labels: Sequence[str] = (), *, buckets: Sequence[float] = SECONDS) -> None:
        super().__init__(name, help, labels)
        self.buckets = tuple(buckets)
        if list(self.buckets) != sorted(set(self.buckets)):
            raise ValueError(f"{name}: the buckets must go up: {self.buckets!r}")

    def _new(self) -> HistogramSeries:
        return HistogramSeries(self.buckets)

    def _samples(self, labels: tuple[tuple[str, str], ...], series: HistogramSeries) -> Iterator[Sample]:
        read, total = series.read()
        for bound, count in read:
            yield Sample("_bucket", (*labels, ("le", number(bound))), count)
        yield Sample("_sum", labels, total)
        yield Sample("_count", labels, read[-1][1])


def number(value: float) -> str:
    """A number as the text format has it: `0.005`, `1`, `1e-08`, `+Inf`."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


class Registry:
    """Families and collectors. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards both below
        self._families: dict[str, Family[CounterSeries] | Family[GaugeSeries] | Family[HistogramSeries]] = {}
        self._collectors: list[Collector] = []

    def register(self, *families: Family[CounterSeries] | Family[GaugeSeries] | Family[HistogramSeries]) -> None:
        """Have families scraped. Raises DuplicateMetric for a name that is there; the same family twice is fine."""
        with self._lock:
            for family in families:
                if self._families.get(family.name, family) is not family:
                    raise DuplicateMetric(f"there is a metric {family.name} already")
                self._families[family.name] = family

    def unregister(self, name: str) -> None:
        """Have a family scraped no longer. Fine if there is none."""
        with self._lock:
            self._families.pop(name, None)

    def collect_from(self, collector: Collector) -> Callable[[], None]:
        """Have a function called at each scrape for families of its own; returns a function that undoes this."""
        with self._lock:
            self._collectors.append(collector)

        def undo() -> None:
            with self._lock:
                if collector in self._collectors:
                    self._collectors.remove(collector)

        return undo

    def snapshot(self) -> list[Snapshot]:
        """Everything, by name; families of one name from several collectors are one. Raises what a collector does."""
        with self._lock:
            families, collectors = list(self._families.values()), list(self._collectors)
        found: dict[str, Snapshot] = {}
        for each in [family.snapshot() for family in families] + [s for collect in collectors for s in collect()]:
            known = found.get(each.name)
            found[each.name] = each if known is None else known._replace(samples=[*known.samples, *each.samples])
        return [found[name] for name in sorted(found)]

    def value(self, name: str, **labels: str) -> float | None:
        """The number of one series, None if there is none: for tests. `name` has the suffix: `…_count`."""
        wanted = set(labels.items())
        for family in self.snapshot():
            for sample in family.samples:
                if family.name + sample.suffix == name and set(sample.labels) == wanted:
                    return sample.value
        return None

    def forget(self, label: str, value: str) -> None:
        """Drop every series that has this value of a label."""
        with self._lock:
            families = list(self._families.values())
        for family in families:
            family.forget(label, value)

    def clear(self) -> None:
        """Drop every series of every family."""
        with self._lock:
            families = list(self._families.values())
        for family in families:
            family.clear()

    def __repr__(self) -> str:
        with self._lock:
            return f"<Registry of {len(self._families)} families and {len(self._collectors)} collectors>"
