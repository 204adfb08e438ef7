"""Counters, gauges, histograms, and their text."""

from __future__ import annotations

import threading

import pytest

from k8srt.controller.metrics.exposition import render, wants_open_metrics
from k8srt.controller.metrics.instruments import (
    Counter,
    DuplicateMetric,
    Gauge,
    Histogram,
    Registry,
    Sample,
    Snapshot,
    number,
)


def test_a_counter_counts_from_many_threads() -> None:
    counter = Counter("things_total", "Things.", ("kind",))

    def count() -> None:
        for _ in range(1000):
            counter.labels("a").inc()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counter.labels("a").value == 4000
    with pytest.raises(ValueError, match="does not go down"):
        counter.labels("a").inc(-1)
    with pytest.raises(ValueError, match=r"things_total has the labels \('kind',\)"):
        counter.labels("a", "b")


def test_a_histogram_counts_into_the_first_bucket_that_is_large_enough() -> None:
    histogram = Histogram("seconds", "How long.", buckets=(1.0, 2.0))

    for value in (0.5, 1.0, 1.5, 7.0):
        histogram.labels().observe(value)

    assert histogram.labels().read() == ([(1.0, 2), (2.0, 3), (float("inf"), 4)], 10.0)
    with pytest.raises(ValueError, match="buckets must go up"):
        Histogram("x", "", buckets=(2.0, 1.0))


def test_msv_06_the_text_is_that_of_prometheus() -> None:
    registry = Registry()
    counter, gauge = Counter("a_total", 'Says "a"\\b\n.', ("path",)), Gauge("b", "B.")
    histogram = Histogram("c_seconds", "C.", ("x",), buckets=(1e-08, 0.5, 2.0))
    registry.register(counter, gauge, histogram)
    counter.labels('/q"\\\n').inc(2)
    gauge.labels().set(-1.5)
    histogram.labels("1").observe(0.25)

    text = render(registry.snapshot())

    assert text == (
        '# HELP a_total Says "a"\\\\b\\n.\n'
        "# TYPE a_total counter\n"
        'a_total{path="/q\\"\\\\\\n"} 2\n'
        "# HELP b B.\n"
        "# TYPE b gauge\n"
        "b -1.5\n"
        "# HELP c_seconds C.\n"
        "# TYPE c_seconds histogram\n"
        'c_seconds_bucket{x="1",le="1e-08"} 0\n'
        'c_seconds_bucket{x="1",le="0.5"} 1\n'
        'c_seconds_bucket{x="1",le="2"} 1\n'
        'c_seconds_bucket{x="1",le="+Inf"} 1\n'
        'c_seconds_sum{x="1"} 0.25\n'
        'c_seconds_count{x="1"} 1\n'
    )


def test_msv_06_open_metrics_differs_in_names_bounds_and_its_end() -> None:
    families = [
        Snapshot("a_total", "A.", "counter", [Sample("", (), 1.0)]),
        Snapshot("h", "H.", "histogram", [Sample("_bucket", (("le", "2"),), 1.0)]),
        Snapshot("empty", "Nothing.", "gauge", []),
    ]

    text = render(families, open_metrics=True)

    assert text.splitlines() == [
        "# HELP a A.",
        "# TYPE a counter",
        "a_total 1",
        "# HELP h H.",
        "# TYPE h histogram",
        'h_bucket{le="2.0"} 1',
        "# EOF",
    ]


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("text/plain", False),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", True),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.9", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text; q=zz", True),
    ],
)
def test_msv_06_open_metrics_is_for_those_who_ask_for_it(accept: str, wanted: bool) -> None:
    assert wants_open_metrics(accept) is wanted


def test_a_registry_refuses_two_families_of_one_name_and_joins_those_of_collectors() -> None:
    registry = Registry()
    family = Gauge("a", "A.")
    registry.register(family)
    registry.register(family)

    with pytest.raises(DuplicateMetric, match="metric a already"):
        registry.register(Gauge("a", "Another."))

    undo = [
        registry.collect_from(lambda n=n: [Snapshot("b", "B.", "gauge", [Sample("", (("n", n),), 1.0)])]) for n in "xy"
    ]
    assert registry.value("b", n="x") == 1.0
    assert registry.value("b", n="y") == 1.0
    undo[0]()
    assert registry.value("b", n="x") is None


def test_thr_13_series_of_what_has_ended_are_dropped() -> None:
    registry = Registry()
    ours, others = Counter("a_total", "A.", ("controller", "result")), Counter("b_total", "B.")
    registry.register(ours, others)
    for name in ("x", "y"):
        ours.labels(name, "success").inc()
    others.labels().inc()

    registry.forget("controller", "x")

    assert registry.value("a_total", controller="x", result="success") is None
    assert registry.value("a_total", controller="y", result="success") == 1.0
    assert registry.value("b_total") == 1.0
    registry.clear()
    assert registry.value("b_total") is None


def test_numbers_are_short() -> None:
    told = [number(each) for each in (0.0, 1.0, 0.005, 1e-8, 1e15, float("inf"), float("-inf"), float("nan"))]

    assert told == ["0", "1", "0.005", "1e-08", "1000000000000000.0", "+Inf", "-Inf", "NaN"]
