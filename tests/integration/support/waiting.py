"""Polling: what a test waits for instead of sleeping."""

import time


def wait_until(condition, timeout_s=30):
    """Calls condition until it is true, and returns what it gave. The server's counters, too, come a
    moment after the fact (up to a second before PostgreSQL 15)."""
    until = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)
    return value
