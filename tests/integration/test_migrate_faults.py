"""Faults at any moment of a migration run: `status` stays true, the next run goes on, and the schema
ends up as if nothing had happened (support/faults.py).

$VAXDB_FAULTS sets how many the long test does (100), $VAXDB_FAULT_SEED repeats one."""

import os
import random

import pytest
from support.faults import Disturbed
from support.waiting import wait_until

FAULTS = int(os.environ.get("VAXDB_FAULTS", "100"))
SEED = int(os.environ.get("VAXDB_FAULT_SEED", random.randrange(10**6)))

# How many of a hundred: what restarts the server takes longest.
WEIGHTS = {
    "killed_runner": 38,
    "cut_network": 25,
    "terminated_session": 18,
    "interrupted": 13,
    "killed_backend": 3,
    "killed_server": 3,
}


@pytest.fixture
def disturbed(vaxdb, new_database, own_server):
    print(f"VAXDB_FAULT_SEED={SEED}")
    disturbed = Disturbed(vaxdb, new_database, own_server(), random.Random(SEED))
    print(f"an undisturbed run takes {disturbed.seconds:.2f} s")
    yield disturbed
    disturbed.wire.close()


@pytest.mark.slow
def test_faults_at_any_moment(disturbed):
    names, weights = list(WEIGHTS), list(WEIGHTS.values())
    while sum(disturbed.faults.values()) < FAULTS:
        (name,) = disturbed.chance.choices(names, weights)
        rivals = 2 if disturbed.chance.random() < 0.1 else 0
        disturbed.strike(getattr(disturbed, name), rivals)
    disturbed.finish()
    print(disturbed.faults)
    assert FAULTS < 100 or disturbed.seen == {"applied", "pending", "partial"}


def test_each_kind_of_fault(disturbed):
    """Also where chance leaves one out of the hundred."""
    for name in WEIGHTS:
        wait_until(lambda: disturbed.strike(getattr(disturbed, name)))
    assert disturbed.faults == dict.fromkeys(WEIGHTS, 1)
    disturbed.finish()
