"""A table that another session holds ACCESS EXCLUSIVE: whatever reads the catalogue gives up soon,
says who holds it, and goes on working where it need not know."""

import time
from contextlib import closing, contextmanager

import pytest
from support.migrations import Project
from support.waiting import wait_until

GIVEN_UP_S = 60  # far beyond the 5 s a read waits, far below for ever

BASE = """
CREATE TABLE big (id int PRIMARY KEY, a text DEFAULT lower('X'), b int CHECK (b > 0));
CREATE INDEX part ON big (a) WHERE b > 5;
CREATE VIEW seen AS SELECT id, a FROM big;
CREATE TABLE plain ();
"""


@pytest.fixture
def project(vaxdb, any_database):
    return pending(Project(vaxdb, any_database))


@pytest.fixture
def project_15(vaxdb, database):
    return pending(Project(vaxdb, database))


def pending(project):
    project.pair("001_base", BASE, "DROP VIEW seen; DROP TABLE big, plain")
    project.ok("up")
    project.pair("002_more", "CREATE INDEX more ON big (a, b)", "DROP INDEX more")
    return project


@contextmanager
def holding(project, statement):
    with project.database.connect(application_name="the holder") as holder:
        holder.execute("BEGIN")
        holder.execute(statement)
        yield holder.info.backend_pid
        holder.execute("ROLLBACK")


def run_all(project, *commands):
    """At the same time, for each waits."""
    started = time.monotonic()
    runs = {command: project.start(*command.split()) for command in commands}
    done = {command: project.vaxdb.finish(run, GIVEN_UP_S) for command, run in runs.items()}
    assert time.monotonic() - started < GIVEN_UP_S
    return done


def names(done, pid, table, statement):
    return (
        done.status == 1
        and f"{table} is locked by process {pid} (the holder, user postgres, idle" in done.stderr
        and f": {statement}" in done.stderr
        and f"SELECT pg_terminate_backend({pid})" in done.stderr
    )


def test_whoever_reads_the_catalogue_names_the_holder(project):
    with holding(project, "ALTER TABLE big ADD c int") as pid:
        done = run_all(project, "status --json", "plan", "lint", "verify", "roundtrip", "up")
        for command in ("lint", "verify", "roundtrip", "up"):
            assert names(done[command], pid, "big", "ALTER TABLE big ADD c int"), done[command]
        for command in ("status --json", "plan"):
            assert done[command].status == 0, done[command]
        assert [row["state"] for row in done["status --json"].json["migrations"]] == [
            "applied",
            "pending",
        ]
        assert "reading the schema" in done["verify"].stderr
        assert project.ledger() == ["001_base.sql"]
    project.ok("up")
    project.ok("verify")


def test_a_table_that_is_not_concerned_holds_up_no_migration(project_15):
    project = project_15
    project.pair("002_more", "CREATE TABLE more (id bigint)", "DROP TABLE more")
    with holding(project, "LOCK TABLE big") as pid:
        project.ok("lint")
        done = project.ok("up")
        assert f"big is locked by process {pid}" in done.stderr
        assert "remembering the schema" in done.stderr
        assert project.ledger() == ["001_base.sql", "002_more.sql"]


def test_a_copy_of_the_schema_does_not_wait_for_ever(project_15):
    with holding(project_15, "LOCK TABLE plain") as pid:
        done = run_all(project_15, "roundtrip", "verify")
        assert names(done["roundtrip"], pid, "plain", "LOCK TABLE plain"), done["roundtrip"]
        assert "copying the schema" in done["roundtrip"].stderr
        assert done["verify"].status == 0


def test_a_locked_ledger_is_named(project_15):
    project = project_15
    for table in ("schema_migrations", "schema_migrations_runs"):
        with holding(project, f"LOCK TABLE {table}") as pid:
            commands = ("status", "plan", "verify", "up", "down", "repair 001_base --pending x")
            done = run_all(project, *commands)
            for outcome in done.values():
                assert "reading the ledger" in outcome.stderr
                assert names(outcome, pid, table, f"LOCK TABLE {table}"), outcome
    with holding(project, "LOCK TABLE schema_migrations_schema") as pid:
        done = run_all(project, "status", "verify")
        assert done["status"].status == 0
        table = "schema_migrations_schema"
        assert names(done["verify"], pid, table, f"LOCK TABLE {table}"), done["verify"]


def test_a_queued_lock_is_named_with_whom_it_waits_for(project_15):
    project = project_15
    connect = project.database.connect
    with holding(project, "SELECT FROM big") as reader, closing(connect()) as waiter:
        waiter.execute("BEGIN")
        waiter.pgconn.send_query(b"LOCK TABLE big")
        queued = waiter.info.backend_pid
        wait_until(
            lambda: project.query(f"SELECT FROM pg_locks WHERE NOT granted AND pid = {queued}")
        )
        done = project.fails(1, "verify")
        assert f"big is to be locked by process {queued}" in done.stderr
        assert f"which waits for process {reader} (the holder" in done.stderr


def test_a_locked_catalogue_hangs_nobody(project_15):
    with holding(project_15, "LOCK TABLE pg_proc"):
        done = run_all(project_15, "status", "lint", "verify", "plan", "up", "roundtrip")
    for outcome in done.values():
        assert outcome.status == 1
        assert "the catalogue itself is locked" in outcome.stderr
        assert "`vaxdb monitor locks`" in outcome.stderr


def test_migrations_keep_their_own_lock_timeout(project_15):
    project = project_15
    setting = "INSERT INTO kept SELECT current_setting('lock_timeout')"
    project.pair("002_more", f"CREATE TABLE kept (value text); {setting}", "DROP TABLE kept")
    project.write("003_alone.sql", f"-- migrate:transaction none\n{setting}")
    project.ok("up", "--lock-timeout", "7s")
    assert project.query("SELECT * FROM kept") == [("7s",), ("7s",)]
