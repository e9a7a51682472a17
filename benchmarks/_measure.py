"""What the benchmarks share: rounds that take turns, and a row of the report."""

import statistics
import time


def compare(contestants, rounds=15, repeats=40, pause=0.2, warmup=5):
    """Median seconds of one call, for each contestant; rounds take turns."""
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, step in contestants.items():
            time.sleep(pause)
            for _ in range(warmup):
                step()
            start = time.perf_counter()
            for _ in range(repeats):
                step()
            times[name].append((time.perf_counter() - start) / repeats)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def row(name, ours, peer, peer_name, unit, bar):
    """`ratio` is how many times better than the peer, or than the limit."""
    return {
        "name": name,
        "ours": ours,
        "peer": peer,
        "peer_name": peer_name,
        "unit": unit,
        "ratio": peer / ours,
        "bar": bar,
        "met": peer / ours >= bar,
    }
