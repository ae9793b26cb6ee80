"""vaxdb migrate through PgBouncer: a transaction pooler cannot hold a lock, so nothing runs through
it, however many try at once; a session pooler can."""

import re
import signal

import pytest
from support.migrations import Project
from support.pgbouncer import PgBouncer
from support.waiting import wait_until

# Pools in which one server connection, two that take turns, or many answer the clients.
POOLS = [
    {},
    {"default_pool_size": 1},
    {"default_pool_size": 2},
    {"default_pool_size": 2, "server_round_robin": 1},
    {"default_pool_size": 5, "server_round_robin": 1},
]
LOCKS = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@pytest.fixture
def project(vaxdb, database):
    project = Project(vaxdb, database)
    for number in range(1, 7):
        project.write(f"00{number}_t.sql", f"CREATE TABLE t{number} (id int);\n")
    project.write("007_index.sql", "CREATE INDEX CONCURRENTLY t1_id ON t1 (id);\n")
    project.write(
        "008_each.sql", "-- migrate:transaction none\nINSERT INTO t1 VALUES (8);\nVACUUM t1;\n"
    )
    return project


@pytest.fixture
def pooled(project, server, scratch):
    """A function that starts a PgBouncer and returns the URL of the project's database in it."""
    started = []

    def start(mode, **settings):
        pooler = PgBouncer(scratch, server, mode, **settings)
        started.append(pooler)
        return pooler.url(project.database)

    yield start
    for pooler in started:
        pooler.close()


def check_done(project):
    assert set(project.states().values()) == {"applied"}
    assert project.query("SELECT id FROM t1") == [(8,)]
    runs = "SELECT count(*) FROM schema_migrations_runs WHERE state = 'done'"
    assert project.value(runs) == len(project.ledger()) == 8


# ---- transaction mode ----------------------------------------------------------------------------


@pytest.mark.parametrize("pool", POOLS, ids=str)
def test_two_runners_through_a_transaction_pooler_are_both_refused(project, pooled, pool):
    url = pooled("transaction", **pool)
    for _ in range(3):
        runners = [project.vaxdb.start("migrate", "up", "--url", url) for _ in range(2)]
        for outcome in [project.vaxdb.finish(runner) for runner in runners]:
            assert outcome.status == 2, outcome
            assert "connect directly" in outcome.stderr
    assert not project.exists("schema_migrations") and not project.exists("t1")
    assert project.value(LOCKS) == 0, "no lock stays behind on the pooler's connections"
    project.ok("up", "--wait", "0s")
    check_done(project)


def test_runners_through_it_do_not_disturb_a_direct_one(project, pooled):
    url = pooled("transaction")
    direct = project.start("up")
    through = [project.vaxdb.start("migrate", "up", "--url", url) for _ in range(2)]
    assert project.vaxdb.finish(direct).status == 0
    assert [project.vaxdb.finish(one).status for one in through] == [2, 2]
    check_done(project)


# ---- session mode --------------------------------------------------------------------------------


def test_two_runners_through_a_session_pooler_share_the_work(project, pooled):
    url = pooled("session")
    runners = [project.vaxdb.start("migrate", "up", "--url", url, "--json") for _ in range(2)]
    outcomes = [project.vaxdb.finish(runner) for runner in runners]
    assert [outcome.status for outcome in outcomes] == [0, 0], outcomes
    applied = [name for outcome in outcomes for name in outcome.json["applied"]]
    assert sorted(applied) == project.ledger()
    check_done(project)
    # The next run gets connections that those had, and finds nothing of them there.
    project.pair("009_more", "CREATE TABLE more ();", "DROP TABLE more;")
    for command in ("up", "redo", "down"):
        project.vaxdb.ok("migrate", command, "--url", url)


def test_a_session_pooler_that_keeps_locks_is_told_apart(project, pooled):
    """Without its reset, a connection comes back with the lock that another client took on it."""
    url = pooled("session", server_reset_query="")
    project.vaxdb.ok("migrate", "up", "--url", url, "--to", "003_t.sql")
    again = project.vaxdb.fails(2, "migrate", "up", "--url", url)
    assert "connect directly" in again.stderr
    assert project.ledger() == ["001_t.sql", "002_t.sql", "003_t.sql"]


def test_blockers_are_named_through_a_session_pooler(project, pooled):
    """The process that a pooler names to its client is none of the server's."""
    url = pooled("session")
    project.ok("up")
    project.write("009_more.sql", "ALTER TABLE t1 ADD COLUMN more int;\n")
    with project.database.connect() as blocker:
        blocker.execute("SET application_name = 'a report'; BEGIN; SELECT count(*) FROM t1")
        named = rf"process {blocker.info.backend_pid} \(a report, user postgres"
        failed = project.vaxdb.fails(
            1, "migrate", "up", "--url", url, "--lock-timeout", "200ms"
        ).stderr
    assert re.search(named, failed), failed


def test_ctrl_c_cancels_through_a_session_pooler(project, pooled):
    url = pooled("session")
    project.write("009_long.sql", "SELECT pg_sleep(600);\n")
    sleeping = (
        "SELECT count(*) FROM pg_stat_activity WHERE query ~ 'sleep.600' AND state = 'active' "
        "AND pid <> pg_backend_pid()"
    )
    process = project.vaxdb.start("migrate", "up", "--url", url)
    wait_until(lambda: project.value(sleeping) == 1)
    process.send_signal(signal.SIGINT)
    assert project.vaxdb.finish(process, timeout_s=20).status == 130
    assert project.value(sleeping) == 0


def test_a_pool_that_is_too_small_for_a_run_says_what_to_do(project, pooled):
    url = pooled("session", default_pool_size=1, query_wait_timeout=1)
    failed = project.vaxdb.fails(5, "migrate", "up", "--url", url)
    assert "the pooler had no server connection left: connect directly" in failed.stderr
