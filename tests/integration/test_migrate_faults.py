"""Faults at any moment of a migration run: `status` stays true, the next run goes on, and the schema
ends up as if nothing had happened (support/faults.py).

$VAXDB_FAULTS sets how many the long test does (100), $VAXDB_FAULT_SEED repeats one."""

import os
import random

import pytest
from support.faults import Disturbed

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
    if FAULTS >= 100:
        assert disturbed.seen == {"applied", "pending", "partial"}
        assert set(disturbed.faults) == set(WEIGHTS)


@pytest.mark.parametrize("name", WEIGHTS)
def test_each_fault(disturbed, name):
    """Also where chance leaves one out of the hundred."""
    for _ in range(200):
        if disturbed.strike(getattr(disturbed, name)):
            break
    assert list(disturbed.faults) == [name]
    disturbed.finish()
