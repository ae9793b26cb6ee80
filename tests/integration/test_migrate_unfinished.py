"""Runs that were killed after their commit, before the schema was remembered or the evidence
recorded: the next run makes it good. And changes by hand before a run, which takes them in."""

import json
import signal
from contextlib import contextmanager

import pytest
from support.migrations import Project
from support.site import Site, state_locked
from support.waiting import wait_until

STOCK = "-- Stock of a facility.\nCREATE TABLE stock (id bigint PRIMARY KEY, amount bigint NOT NULL);\n"
BLOCKED = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = '{}'::regclass"


@pytest.fixture
def project(vaxdb, database):
    made = Project(vaxdb, database)
    made.pair("001_a", "CREATE TABLE a (id int PRIMARY KEY, b text)", "DROP TABLE a")
    made.ok("up")
    return made


def column(number, name):
    return (
        f"{number:03}_{name}",
        f"ALTER TABLE stock ADD COLUMN {name} text;\n",
        f"ALTER TABLE stock DROP COLUMN {name};\n",
    )


@pytest.fixture
def site(vaxdb, new_database):
    """001 is in staging and in production, 002 and 003 are pending."""
    site = Site(vaxdb, new_database(), new_database())
    site.pair("001_stock", STOCK, "DROP TABLE stock;\n")
    site.begin()
    site.pair(*column(2, "note"))
    site.pair(*column(3, "more"))
    return site


# ---- what holds a run up -------------------------------------------------------------------------


@contextmanager
def held(database, table, mode):
    """A run that wants the table waits for it; end it with release()."""
    with database.connect() as holder:
        holder.execute(f"BEGIN; LOCK TABLE {table} IN {mode} MODE")
        yield holder
        holder.execute("ROLLBACK")


def waits_for(database, table):
    """The server's process of the run that waits."""
    with database.connect() as connection:
        return wait_until(lambda: connection.execute(BLOCKED.format(table)).fetchone())[0]


def kill(vaxdb, run):
    run.send_signal(signal.SIGKILL)
    assert vaxdb.finish(run).status == -signal.SIGKILL


def killed_before_the_snapshot(project, command, *arguments, has_run):
    with held(project.database, "schema_migrations_schema", "SHARE") as holder:
        run = project.start(command, *arguments)
        pid = waits_for(project.database, "schema_migrations_schema")
        assert has_run()
        kill(project.vaxdb, run)
        # Without this the server would still store it: the statement is there already.
        holder.execute(f"SELECT pg_terminate_backend({pid})")
    wait_until(lambda: drift(project)["state"] == "stale")


def killed_before_the_evidence(site, *arguments):
    """The first pending file of an up on staging has run then."""
    ledger = "SELECT count(*) FROM schema_migrations"
    before = site.staging.scalar(ledger)
    with held(site.staging, "stock", "ACCESS SHARE") as holder:
        run = site.vaxdb.start("migrate", "up", "-e", "staging", *arguments)
        waits_for(site.staging, "stock")
        with state_locked(site.vaxdb):
            holder.execute("ROLLBACK")
            wait_until(lambda: site.staging.scalar(ledger) == before + 1)
            kill(site.vaxdb, run)


def drift(project):
    return project.run("verify", "--json").json["drift"]


def evidence(vaxdb, name):
    records = vaxdb.ok("migrate", "evidence", "--json").json["evidence"]
    return [record for record in records if record["name"] == name]


def reasons(project):
    rows = project.query("SELECT reason FROM schema_migrations_schema ORDER BY id")
    return [reason for (reason,) in rows]


# ---- the schema ----------------------------------------------------------------------------------


def test_a_run_with_nothing_to_do_makes_the_snapshot_good(project):
    project.pair("002_c", "CREATE TABLE c (id int)", "DROP TABLE c")
    killed_before_the_snapshot(project, "up", has_run=lambda: project.exists("c"))
    assert "no fingerprint since 002_c.sql" in project.ok("verify").stderr
    done = project.ok("up", "--json").json
    assert done["applied"] == []
    (warning,) = done["warnings"]
    assert "left no snapshot since 002_c.sql" in warning
    assert "+ table public.c" in warning  # what the killed run did, or a hand: to be looked at
    assert drift(project)["state"] == "none"
    assert "interrupted" in reasons(project)[-1]
    assert project.ok("up", "--json").json["warnings"] == []


def test_so_does_one_with_something_to_do(project):
    project.pair("002_c", "CREATE TABLE c (id int)", "DROP TABLE c")
    killed_before_the_snapshot(project, "up", has_run=lambda: project.exists("c"))
    project.pair("003_d", "CREATE TABLE d (id int)", "DROP TABLE d")
    done = project.ok("up", "--json").json
    assert done["applied"] == ["003_d.sql"]
    assert "left no snapshot" in done["warnings"][0]
    assert "left no snapshot" in overrides(project, "003_d.sql")["drift"]
    assert drift(project)["state"] == "none"


def test_a_killed_down_is_made_good_too(project):
    project.pair("002_c", "CREATE TABLE c (id int)", "DROP TABLE c")
    project.ok("up")
    killed_before_the_snapshot(project, "down", has_run=lambda: not project.exists("c"))
    (project.folder / "002_c.sql").unlink()
    (project.folder / "002_c.down.sql").unlink()
    assert "- table public.c" in project.ok("up").stderr
    assert drift(project)["state"] == "none"


def test_a_first_run_that_was_killed(project):
    project.database.execute("DROP TABLE schema_migrations_schema")
    assert drift(project)["state"] == "no_snapshot"
    assert project.ok("up", "--json").json["applied"] == []
    assert drift(project)["state"] == "none"


def test_an_interrupted_run_remembers_what_it_did(project):
    project.pair("002_c", "CREATE TABLE c (id int)", "DROP TABLE c")
    project.write("003_slow.sql", "SELECT pg_sleep(60)")
    run = project.start("up", "--no-lint")
    wait_until(lambda: project.exists("c"))
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND wait_event = 'PgSleep'"
    wait_until(lambda: project.value(sleeping))
    run.send_signal(signal.SIGINT)
    assert project.vaxdb.finish(run).status == 130
    assert drift(project)["state"] == "none"


def test_a_repair_takes_the_snapshot_along(project):
    project.write("001_a.sql", "CREATE TABLE a (id int PRIMARY KEY, b text) -- the same")
    project.ok("repair", "001_a", "--accept-checksum", "a comment")
    assert drift(project)["state"] == "none"
    project.database.execute("CREATE TABLE by_hand ()")
    project.ok("repair", "001_a", "--pending", "a test")
    found = drift(project)
    assert found["state"] == "found"
    assert [change["name"] for change in found["changes"]] == ["public.by_hand"]


# ---- evidence ------------------------------------------------------------------------------------


def test_evidence_of_a_killed_run_is_recorded_by_the_next(site):
    (site.folder / "003_more.sql").unlink()
    (site.folder / "003_more.down.sql").unlink()
    killed_before_the_evidence(site)
    assert "staging has not run it" in site.fails_on(3, "production", "up").stderr
    again = site.ok_on("staging", "up")
    assert "ended after 002_note.sql: its evidence is recorded now" in again.stderr
    (record,) = evidence(site.vaxdb, "002_note.sql")
    assert record["roundtrip"] == "passed" and record["fingerprint_before"]
    assert record["fingerprint_after"] == "" and record["duration_ms"] >= 0
    site.ok_on("staging", "up")
    assert len(evidence(site.vaxdb, "002_note.sql")) == 1
    assert site.applied_on_production() == ["002_note.sql"]


def test_evidence_that_could_not_be_written_is_recorded_by_the_next(site):
    with held(site.staging, "stock", "ACCESS SHARE") as holder:
        run = site.vaxdb.start("migrate", "up", "-e", "staging")
        waits_for(site.staging, "stock")
        with state_locked(site.vaxdb):
            holder.execute("ROLLBACK")
            stopped = site.vaxdb.finish(run)
    assert stopped.status == 1, stopped
    assert "002_note.sql is applied, but no evidence of it was recorded" in stopped.stderr
    assert "vaxdb migrate up -e staging" in stopped.stderr
    assert evidence(site.vaxdb, "002_note.sql") == []
    verified = site.ok_on("staging", "verify", "--json").json
    assert verified["drift"]["state"] == "none"
    assert site.ok_on("staging", "up", "--json").json["applied"] == ["003_more.sql"]
    assert len(evidence(site.vaxdb, "002_note.sql")) == 1
    assert len(evidence(site.vaxdb, "003_more.sql")) == 1


def test_what_came_after_it_is_let_through_step_by_step(site):
    """A change by hand after the kill must not pass for what the file did."""
    killed_before_the_evidence(site)
    assert site.ok_on("staging", "up", "--json").json["applied"] == ["003_more.sql"]
    said = site.fails_on(3, "production", "up").stderr
    assert "production refuses 003_more.sql: staging was interrupted after 002_note.sql" in said
    assert "vaxdb migrate up -e production --to 002_note.sql" in said
    assert site.ok_on("production", "up", "--to", "002_note.sql", "--json").json["applied"] == ["002_note.sql"]
    assert site.applied_on_production() == ["003_more.sql"]


def test_a_change_by_hand_after_the_kill_is_refused(site):
    killed_before_the_evidence(site)
    site.staging.execute("CREATE TABLE by_hand (a int)")
    warned = site.ok_on("staging", "up")
    assert "+ table public.by_hand" in warned.stderr
    site.ok_on("production", "up", "--to", "002_note.sql")
    assert "- table public.by_hand" in site.fails_on(3, "production", "up").stderr


def test_a_run_that_was_killed_before_its_commit_leaves_none(site):
    with held(site.staging, "stock", "ACCESS SHARE"):
        run = site.vaxdb.start("migrate", "up", "-e", "staging")
        waits_for(site.staging, "stock")
        kill(site.vaxdb, run)
        site.staging.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'vaxdb migrate' AND datname = current_database()"
        )
    assert evidence(site.vaxdb, "002_note.sql") == []
    done = site.ok_on("staging", "up", "--json")
    assert done.json["applied"] == ["002_note.sql", "003_more.sql"]
    assert "is recorded now" not in done.stderr
    assert len(evidence(site.vaxdb, "002_note.sql")) == 1
    assert site.applied_on_production() == ["002_note.sql", "003_more.sql"]


def test_what_was_undone_since_the_kill_is_not_proved(site):
    killed_before_the_evidence(site, "--to", "002_note.sql")
    site.ok_on("staging", "down")
    assert "is recorded now" not in site.ok_on("staging", "up", "--dry-run").stderr
    site.ok_on("staging", "up", "--to", "001_stock.sql")
    assert evidence(site.vaxdb, "002_note.sql") == []


def test_a_baseline_that_was_killed_before_its_evidence(project):
    for name in ("002_b", "003_c"):
        project.pair(name, f"CREATE TABLE {name[-1]} (id int)", f"DROP TABLE {name[-1]}")
    project.database.execute("CREATE TABLE b (id int); CREATE TABLE c (id int)")
    with held(project.database, "schema_migrations_runs", "SHARE") as holder:
        run = project.start("baseline", "--to", "003_c")
        waits_for(project.database, "schema_migrations_runs")
        with state_locked(project.vaxdb):
            holder.execute("ROLLBACK")
            wait_until(lambda: len(project.ledger()) == 3)
            kill(project.vaxdb, run)
    assert drift(project)["state"] == "none"
    assert evidence(project.vaxdb, "002_b.sql") == []
    for _ in range(2):
        assert project.ok("baseline", "--to", "003_c", "--json").json["baselined"] == []
        for name in ("002_b.sql", "003_c.sql"):
            (record,) = evidence(project.vaxdb, name)
            assert record["kind"] == "baseline"


# ---- changes by hand before a run ----------------------------------------------------------------


def overrides(project, name):
    ((text,),) = project.query(
        f"SELECT overrides FROM schema_migrations_runs WHERE name = '{name}' ORDER BY id DESC LIMIT 1"
    )
    return json.loads(text) if text else {}


def test_a_run_names_what_it_takes_in(project):
    project.database.execute("CREATE INDEX by_hand ON a (b); ALTER TABLE a ALTER id TYPE bigint")
    project.pair("002_c", "CREATE TABLE c (id int)", "DROP TABLE c")
    (warning,) = project.ok("up", "--json").json["warnings"]
    assert "changed by hand since the last run" in warning
    assert "+ index public.by_hand" in warning
    assert "~ column public.a.id" in warning
    recorded = overrides(project, "002_c.sql")["drift"]
    assert "by_hand" in recorded and "public.a.id" in recorded
    assert reasons(project) == [recorded]
    assert drift(project)["state"] == "none"
    project.pair("003_d", "CREATE TABLE d (id int)", "DROP TABLE d")
    assert project.ok("up", "--json").json["warnings"] == []
    assert overrides(project, "003_d.sql") == {}
    assert reasons(project) == [recorded, None]


@pytest.mark.parametrize("command", ["down", "redo"])
def test_so_do_down_and_redo(project, command):
    project.database.execute("CREATE TABLE by_hand (id int)")
    assert "+ table public.by_hand" in project.ok(command).stderr
    assert "by_hand" in overrides(project, "001_a.sql")["drift"]


def test_listed_drift_is_not_named(project):
    project.vaxdb.write_config("[vaxdb]\ndrift_ignore = index by_hand\n")
    project.database.execute("CREATE INDEX by_hand ON a (b)")
    project.pair("002_c", "CREATE TABLE c (id int)", "DROP TABLE c")
    assert project.ok("up", "--json").json["warnings"] == []
    assert overrides(project, "002_c.sql") == {}


def test_a_run_that_fails_at_once_takes_nothing_in(project):
    project.database.execute("CREATE TABLE by_hand (id int)")
    project.write("002_bad.sql", "SELECT 1/0")
    assert "by_hand" in project.fails(1, "up", "--no-lint").stderr
    assert drift(project)["state"] == "found"


def test_a_damaged_snapshot_stops_no_run(project):
    project.database.execute(
        "CREATE TABLE by_hand (id int);"
        "UPDATE schema_migrations_schema SET snapshot = replace(snapshot, 'integer', 'bigint')"
    )
    project.pair("002_c", "CREATE TABLE c (id int)", "DROP TABLE c")
    assert "cannot be told" in project.ok("up").stderr
    assert "fingerprint does not match" in overrides(project, "002_c.sql")["drift"]
    assert drift(project)["state"] == "none"


def test_another_major_is_said(project):
    project.database.execute("UPDATE schema_migrations_schema SET server_major = 13")
    project.pair("002_c", "CREATE TABLE c (id int)", "DROP TABLE c")
    assert "the server was PostgreSQL 13" in project.ok("up").stderr
    assert "PostgreSQL 13" in overrides(project, "002_c.sql")["drift"]
    assert drift(project)["state"] == "none"


def test_production_refuses_until_it_is_accepted(site):
    site.ok_on("staging", "up")
    site.production.execute("CREATE INDEX by_hand ON stock (amount)")
    backups = site.backups()
    for more in ([], ["--skip-staging", "a test"]):
        said = site.fails_on(3, "production", "up", *more).stderr
        assert "production was changed by hand since its last migration run" in said
        assert "+ index public.by_hand" in said
        assert "vaxdb migrate verify -e production --accept REASON" in said
    shown = site.ok_on("production", "up", "--dry-run").stdout
    assert "drift would refuse: production was changed by hand" in shown
    assert site.ledger() == ["001_stock.sql"] and site.backups() == backups
    site.ok_on("production", "verify", "--accept", "the hotfix of Friday")
    # It is not what staging ran it on, all the same.
    said = site.fails_on(3, "production", "up").stderr
    assert "the schema that it would find is not the one that staging ran it on" in said
    done = site.ok_on("production", "up", "--skip-staging", "the hotfix", "--json").json
    assert done["applied"] == ["002_note.sql", "003_more.sql"] and done["warnings"] == []
