"""Measures a call as `onebit bench infer` does: the median of the calls within a second."""

import json
import statistics
import time

WARM_UP = 0.3  # seconds
SECONDS = 1.0
CALLS = 3  # at least this many


def report(call):
    """Measures repeated calls and prints the median in microseconds."""
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < WARM_UP or calls < 2:
        call()
        calls += 1
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < SECONDS or len(times) < CALLS:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    print(json.dumps({"median_us": 1e6 * statistics.median(times), "calls": len(times)}))
