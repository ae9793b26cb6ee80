"""vaxdb migrate verify: what was changed by hand since the last run, and what only looks like it."""

import os
import signal

import pytest
from support.migrations import Project
from support.waiting import wait_until


@pytest.fixture
def project(vaxdb, database):
    made = Project(vaxdb, database)
    made.pair("001_a", "CREATE TABLE a (id int PRIMARY KEY, b text)", "DROP TABLE a")
    made.ok("up")
    return made


def state(project, *arguments):
    done = project.run("verify", "--json", *arguments)
    drift = done.json["drift"]
    assert (done.status == 4) == (drift["state"] == "found" or bool(done.json["findings"]))
    return drift["state"]


def test_drift_is_shown_as_added_dropped_and_changed(project):
    assert state(project) == "none"
    assert "as the last run left it" in project.ok("verify").stderr
    project.database.execute(
        "ALTER TABLE a DROP COLUMN b, ALTER id TYPE bigint; CREATE TABLE c (id int PRIMARY KEY)"
    )
    done = project.fails(4, "verify")
    assert done.stdout.splitlines()[1:] == [
        "  - column public.a.b: text",
        "  ~ column public.a.id: integer NOT NULL -> bigint NOT NULL",
        "  + table public.c: CREATE TABLE",
    ]
    assert "--accept REASON" in done.stderr
    found = project.fails(4, "verify", "--json").json["drift"]
    assert (found["state"], found["since"]) == ("found", "001_a.sql")
    assert {
        "change": "changed",
        "kind": "column",
        "name": "public.a.id",
        "before": "integer NOT NULL",
        "after": "bigint NOT NULL",
    } in found["changes"]


def test_drift_that_is_listed_is_no_drift(project):
    project.database.execute("CREATE TABLE audit_log (id int); CREATE INDEX extra ON a (b)")
    project.vaxdb.write_config("[vaxdb]\ndrift_ignore = audit_log_old, index extra\n")
    assert state(project) == "found"
    project.vaxdb.write_config("[vaxdb]\ndrift_ignore = table audit*, index public.extra\n")
    assert state(project) == "none"
    project.database.execute("CREATE INDEX other ON a (b)")
    assert state(project) == "found"


def test_accepted_drift_is_recorded(project):
    project.database.execute("CREATE INDEX extra ON a (b)")
    project.fails(2, "verify", "--accept", "")
    done = project.ok("verify", "--accept", "the DBA made it", "--json")
    assert done.json["drift"]["accepted"] == "the DBA made it"
    assert state(project) == "none"
    project.pair("002_c", "CREATE TABLE c ()", "DROP TABLE c")
    project.ok("up")
    rows = project.query("SELECT reason, snapshot IS NULL FROM schema_migrations_schema ORDER BY id")
    assert rows == [("the DBA made it", True), (None, False)]


def test_up_and_down_leave_a_snapshot_each(project):
    project.pair("002_c", "CREATE TABLE c (); CREATE INDEX i ON a (b)", "DROP TABLE c; DROP INDEX i")
    for arguments in (["up"], ["redo"], ["down"], ["down"], ["up"]):
        project.ok(*arguments)
        assert state(project) == "none"


def test_what_a_failed_run_has_done_is_no_drift(project):
    project.write("002_fine.sql", "CREATE TABLE fine ()")
    project.write("003_bad.sql", "CREATE TABLE bad (); SELECT 1/0")
    project.fails(1, "up")
    assert state(project) == "none"
    project.fails(1, "up")
    assert state(project) == "none"
    project.write("003_bad.sql", "-- migrate:transaction none\nCREATE TABLE half ();\nSELECT 1/0")
    project.fails(1, "up")
    assert project.exists("half")
    assert state(project) == "none"


def test_a_run_that_did_nothing_hides_no_drift(project):
    project.database.execute("CREATE INDEX extra ON a (b)")
    project.ok("up")
    assert state(project) == "found"


def test_a_kill_between_the_last_commit_and_the_snapshot_is_told_apart(project):
    project.pair("002_c", "CREATE TABLE c (id int)", "DROP TABLE c")
    with project.database.connect() as holder:
        holder.execute("BEGIN; LOCK TABLE schema_migrations_schema IN SHARE MODE")
        run = project.start("up")
        wait_until(lambda: "002_c.sql" in project.ledger())
        wait_until(
            lambda: project.query(
                "SELECT FROM pg_locks WHERE NOT granted "
                "AND relation = 'schema_migrations_schema'::regclass"
            )
        )
        run.send_signal(signal.SIGKILL)
        project.vaxdb.finish(run)
        # Without this the server would still store it: the statement is there already.
        holder.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted "
            "AND relation = 'schema_migrations_schema'::regclass"
        )
        holder.execute("ROLLBACK")
    wait_until(lambda: state(project) == "stale")
    assert "no fingerprint since 002_c.sql" in project.ok("verify").stderr
    project.pair("003_d", "CREATE TABLE d (id int)", "DROP TABLE d")
    project.ok("up")
    assert state(project) == "none"


def test_what_was_undone_by_hand_is_told_apart(project):
    project.database.execute("DROP TABLE a; DELETE FROM schema_migrations")
    assert state(project) == "stale"
    assert "no fingerprint since the last migration was undone" in project.ok("verify").stderr
    assert "not remembered since the last migration was undone" in project.ok("status").stderr


def test_without_a_snapshot_nothing_is_claimed(project):
    project.database.execute("DROP TABLE schema_migrations_schema; CREATE INDEX extra ON a (b)")
    assert state(project) == "no_snapshot"
    assert "Drift cannot be told" in project.ok("verify").stderr
    project.ok("verify", "--accept", "adopted")
    assert state(project) == "none"


def test_another_major_is_not_compared(project):
    project.database.execute("UPDATE schema_migrations_schema SET server_major = 13")
    assert state(project) == "other_major"
    assert "of PostgreSQL 13" in project.ok("verify").stderr


def test_the_order_of_columns_is_told_apart(project):
    project.pair("002_c", "CREATE TABLE c (x int, y int)", "DROP TABLE c")
    project.ok("up")
    assert "another order" not in project.ok("verify").stderr
    project.database.execute("ALTER TABLE c DROP x, ADD x int")
    assert "columns of public.c stand in another order" in project.ok("verify").stderr


def test_a_snapshot_is_read_only_where_something_differs(project):
    project.database.execute("UPDATE schema_migrations_schema SET snapshot = 'damaged'")
    assert state(project) == "none"
    project.fails(4, "verify", "--grants")


def test_a_damaged_snapshot_is_said(project):
    project.database.execute(
        "CREATE TABLE by_hand (id int);"
        "UPDATE schema_migrations_schema SET snapshot = replace(snapshot, 'integer', 'bigint')"
    )
    done = project.fails(4, "verify")
    assert "fingerprint does not match" in done.stderr and "--accept REASON" in done.stderr


def test_a_snapshot_that_cannot_be_stored_is_a_warning(project):
    role = f"vaxdb_test_{os.getpid()}"
    project.database.execute(
        f"DROP TABLE schema_migrations_schema; CREATE ROLE {role} LOGIN PASSWORD 'x';"
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};"
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}"
    )
    project.write("002_one.sql", "INSERT INTO a VALUES (1)")
    options = {"PGOPTIONS": f"-c role={role}"}
    done = project.ok("up", env=options)
    assert "remembering the schema" in done.stderr and "permission denied" in done.stderr
    assert project.ledger() == ["001_a.sql", "002_one.sql"]
    assert state(project) == "no_snapshot"
    project.database.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
