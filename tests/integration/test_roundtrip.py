"""vaxdb migrate roundtrip: each down undoes its up, or what differs is named."""

import signal
from pathlib import Path

import pytest
from support.migrations import Project
from support.waiting import wait_until

GUIDE = Path(__file__).parents[2] / "backend/database/migrations"


class Tried(Project):
    """Knows which scratch databases were there before it."""

    def __init__(self, vaxdb, database):
        super().__init__(vaxdb, database)
        self.scratches_before = all_scratches(self)


@pytest.fixture
def project(vaxdb, database):
    return Tried(vaxdb, database)


def all_scratches(project):
    found = project.query(
        r"SELECT datname FROM pg_database WHERE datname LIKE 'vaxdb\_roundtrip\_%'"
    )
    return {name for (name,) in found}


def scratches(project):
    """Those of this test: one that was killed leaves its own to the next."""
    return sorted(all_scratches(project) - project.scratches_before)


def sleeping(project):
    return project.query(
        "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
        f"AND datname = ANY (ARRAY{scratches(project)}::text[])"
    )


def trip(project, *arguments, status=0):
    """The steps by name."""
    if status:
        done = project.fails(status, "roundtrip", "--json", *arguments)
    else:
        done = project.ok("roundtrip", "--json", *arguments)
    assert scratches(project) == []
    assert done.json["passed"] == (status == 0)
    return {step["name"]: step for step in done.json["migrations"]}


def changes(step, key="not_undone"):
    return {(one["change"], one["kind"], one["name"]) for one in step[key]["changes"]}


def take_guide(project):
    for path in GUIDE.glob("*.sql"):
        project.write(path.name, path.read_bytes())
    return sorted(path.name for path in GUIDE.glob("*.sql") if ".down." not in path.name)


def test_the_guides_migrations_go_there_and_back_on_every_major(vaxdb, any_database):
    """Of a fresh database, so no pg_dump is needed, which for new majors is missing here."""
    project = Tried(vaxdb, any_database)
    names = take_guide(project)
    steps = trip(project)
    assert list(steps) == names
    assert {step["verdict"] for step in steps.values()} == {"passed"}
    assert not project.exists("schema_migrations"), "the database itself is not touched"
    for before, after in zip(names, names[1:]):
        assert steps[before]["fingerprint_after"] == steps[after]["fingerprint_before"]


def test_from_the_schema_of_what_is_there(project):
    names = take_guide(project)
    project.ok("up", "--to", names[0])
    project.database.execute("CREATE TABLE by_hand (id int); CREATE SCHEMA other")
    steps = trip(project)
    assert list(steps) == names[1:]
    assert {step["verdict"] for step in steps.values()} == {"passed"}
    assert project.ledger() == names[:1]


def test_a_server_newer_than_every_pg_dump_names_the_package(vaxdb, servers, new_database):
    database = new_database(server=servers.get(18))
    project = Tried(vaxdb, database)
    database.execute("CREATE TABLE by_hand (id int)")
    project.pair("001_a", "CREATE TABLE a (id int)", "DROP TABLE a")
    step = trip(project, status=4)["001_a.sql"]
    assert step["verdict"] == "not_run"
    assert "postgresql-client-18" in step["detail"]


BASE = "CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL, b int, c text)"
WRONG = {
    "forgets an index": (
        "CREATE INDEX i ON t (b); CREATE INDEX j ON t (a)",
        "DROP INDEX j",
        {("added", "index", "public.i")},
    ),
    "another type": (
        "ALTER TABLE t ALTER b TYPE bigint",
        "ALTER TABLE t ALTER b TYPE smallint",
        {("changed", "column", "public.t.b")},
    ),
    "loses NOT NULL": (
        "ALTER TABLE t ALTER a SET DEFAULT 'x'",
        "ALTER TABLE t ALTER a DROP DEFAULT, ALTER a DROP NOT NULL",
        {("changed", "column", "public.t.a")},
    ),
    "forgets a table": (
        "CREATE TABLE u (id int PRIMARY KEY); CREATE VIEW v AS SELECT 1 AS one",
        "DROP VIEW v; ALTER TABLE u RENAME TO w",
        {
            ("added", "table", "public.w"),
            ("added", "column", "public.w.id"),
            ("added", "constraint", "public.w.u_pkey"),
        },
    ),
    "drops too much": (
        "ALTER TABLE t ADD d int",
        "ALTER TABLE t DROP d, DROP c",
        {("dropped", "column", "public.t.c")},
    ),
    "a constraint without its check": (
        "ALTER TABLE t DROP CONSTRAINT t_pkey",
        "ALTER TABLE t ADD CONSTRAINT t_pkey UNIQUE (id)",
        {("changed", "constraint", "public.t.t_pkey")},
    ),
    "forgets a function": (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT 1",
        {("added", "function", "public.f()")},
    ),
}


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.replace(" ", "_"))
def test_a_down_that_does_not_undo_is_named(project, case):
    up, down, expected = WRONG[case]
    project.pair("001_base", BASE, "DROP TABLE t")
    project.ok("up")
    project.pair("002_wrong", up, down)
    step = trip(project, status=4)["002_wrong.sql"]
    assert step["verdict"] == "failed"
    assert changes(step) == expected


def test_differences_are_shown_as_ddl(project):
    project.pair("001_base", BASE, "DROP TABLE t")
    project.pair("002_wrong", "CREATE INDEX i ON t (b)", "SELECT 1")
    done = project.fails(4, "roundtrip")
    assert "001_base.sql: passed" in done.stdout
    assert "002_wrong.sql: FAILED" in done.stdout
    assert "+ index public.i: CREATE INDEX i ON public.t USING btree (b)" in done.stdout


def test_the_order_of_columns_only_warns(project):
    project.pair("001_base", BASE, "DROP TABLE t")
    project.ok("up")
    project.pair("002_b", "ALTER TABLE t DROP b", "ALTER TABLE t ADD b int")
    step = trip(project)["002_b.sql"]
    assert step["verdict"] == "passed"
    assert step["not_undone"]["reordered"] == ["public.t"]
    assert "another order" in project.ok("roundtrip").stderr


def test_failures_are_told_and_what_follows_is_not_run(project):
    project.pair("001_a", "CREATE TABLE a (id int)", "DROP TABLE b")
    project.pair("002_c", "CREATE TABLE c (id int)", "DROP TABLE c")
    steps = trip(project, status=4)
    assert steps["001_a.sql"]["verdict"] == "failed"
    assert "the down fails" in steps["001_a.sql"]["detail"]
    assert steps["002_c.sql"]["verdict"] == "not_run"
    assert "001_a.sql" in steps["002_c.sql"]["detail"]
    project.pair("001_a", "CREATE TABLE a (id int); SELECT 1/0", "DROP TABLE a")
    steps = trip(project, status=4)
    assert "the up fails" in steps["001_a.sql"]["detail"]
    project.pair("001_a", "CREATE TABLE a (id int)", "ALTER TABLE a ADD b int")
    detail = trip(project, status=4)["001_a.sql"]["detail"]
    assert "does not undo" in detail and "the second up fails" in detail


def test_without_a_down_and_without_a_transaction(project):
    project.write("001_a.sql", "CREATE TABLE a (id int)")
    project.pair("002_i", "CREATE INDEX CONCURRENTLY i ON a (id)", "DROP INDEX CONCURRENTLY i")
    steps = trip(project)
    assert steps["001_a.sql"]["verdict"] == "no_down"
    assert steps["002_i.sql"]["verdict"] == "passed"


@pytest.mark.parametrize(
    "up",
    [
        "CREATE ROLE vaxdb_test_nobody",
        "DO $$BEGIN EXECUTE 'create  role vaxdb_test_nobody'; END$$",
        "ALTER DATABASE postgres RENAME TO other",
        "ALTER ROLE postgres SET work_mem = '4MB'",
        "ALTER SYSTEM SET work_mem = '4MB'",
        "GRANT CONNECT ON DATABASE postgres TO PUBLIC",
        "COMMENT ON ROLE postgres IS 'x'",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
    ],
    ids=lambda up: "_".join(up.split()[:2]),
)
def test_what_reaches_beyond_the_database_is_not_run(project, up):
    project.pair("001_role", up, "SELECT 1")
    project.pair("002_a", "CREATE TABLE a (id int)", "DROP TABLE a")
    steps = trip(project)
    assert steps["001_role.sql"]["verdict"] == "not_possible"
    assert "reaches beyond the database" in steps["001_role.sql"]["detail"]
    assert steps["002_a.sql"]["verdict"] == "passed"
    roles = project.query("SELECT FROM pg_roles WHERE rolname = 'vaxdb_test_nobody'")
    assert roles == []


def test_what_needs_a_skipped_migration_is_not_run(project):
    project.pair("001_role", "CREATE ROLE vaxdb_test_nobody", "DROP ROLE vaxdb_test_nobody")
    project.pair(
        "002_grant",
        "CREATE TABLE a (id int); GRANT SELECT ON a TO vaxdb_test_nobody",
        "DROP TABLE a",
    )
    step = trip(project, status=4)["002_grant.sql"]
    assert step["verdict"] == "not_run"
    assert "001_role.sql" in step["detail"]


def test_named_migrations_that_are_applied_are_tried_from_nothing(project):
    project.pair("001_a", "CREATE TABLE a (id int)", "DROP TABLE a")
    project.pair("002_i", "CREATE INDEX i ON a (id)", "SELECT 1")
    project.pair("003_j", "CREATE INDEX j ON a (id)", "DROP INDEX j")
    project.ok("up", "--no-lint")
    assert trip(project) == {}
    assert list(trip(project, "003_j")) == ["003_j.sql"]
    steps = trip(project, "002_i.sql", status=4)
    assert changes(steps["002_i.sql"]) == {("added", "index", "public.i")}
    assert "004" in project.fails(2, "roundtrip", "004_none").stderr


def test_with_data_loss_is_named(project):
    project.pair(
        "001_base",
        BASE + "; CREATE TABLE log (at int, what text); CREATE TABLE whole (id int PRIMARY KEY)",
        "DROP TABLE t, log, whole",
    )
    project.ok("up")
    project.database.execute(
        "INSERT INTO t SELECT i, 'a' || i, i, 'c' FROM generate_series(1, 10) AS i;"
        "INSERT INTO log SELECT i % 3, 'x' FROM generate_series(1, 9) AS i;"
        "INSERT INTO whole SELECT generate_series(1, 5)"
    )
    project.vaxdb.ok("backup", "create", "--url", project.database.url)
    project.pair(
        "002_lossy",
        "ALTER TABLE t DROP c; DELETE FROM t WHERE id <= 3; UPDATE t SET b = 0 WHERE id > 8;"
        "DELETE FROM log WHERE at = 0; DROP TABLE whole",
        "ALTER TABLE t ADD c text; CREATE TABLE whole (id int PRIMARY KEY)",
    )
    project.pair("003_fine", "ALTER TABLE t ADD d int", "ALTER TABLE t DROP d")
    steps = trip(project, "--data")
    assert steps["002_lossy.sql"]["verdict"] == "passed"
    assert sorted(steps["002_lossy.sql"]["lost"]) == [
        "public.log: 3 of 9 rows",
        "public.t.b: values of 2 rows",
        "public.t.c: values of 7 rows",
        "public.t: 3 of 10 rows",
        "public.whole: 5 of 5 rows",
    ]
    assert steps["003_fine.sql"]["lost"] == []
    assert "lost: public.t: 3 of 10 rows" in project.ok("roundtrip", "--data").stdout
    assert project.value("SELECT count(*) FROM t") == 10


def test_ctrl_c_drops_the_scratch_and_a_kill_leaves_it_to_the_next(project):
    project.pair("001_slow", "SELECT pg_sleep(600)", "SELECT 1")
    run = project.start("roundtrip")
    wait_until(lambda: sleeping(project), 30)
    run.send_signal(signal.SIGINT)
    assert project.vaxdb.finish(run).status == 130
    assert scratches(project) == []
    run = project.start("roundtrip")
    wait_until(lambda: sleeping(project), 30)
    run.kill()
    project.vaxdb.finish(run)
    (left,) = scratches(project)
    project.pair("001_slow", "CREATE TABLE a (id int)", "DROP TABLE a")
    trip(project)
    assert left not in scratches(project)
