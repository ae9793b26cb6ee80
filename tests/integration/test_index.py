"""vaxdb index: what is listed, what is never called unused, and the repairs."""

import threading

import psycopg
import pytest
from support.waiting import wait_until


def index(vaxdb, what, database, *more):
    return vaxdb.ok("index", what, "--url", database.url, "--json", *more).json


def names(rows):
    return {row["name"] for row in rows}


@pytest.fixture
def clinics(any_database):
    """One index of every sort that must be told apart."""
    any_database.execute("CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public")
    with any_database.connect() as connection:
        connection.execute(
            """
            CREATE TABLE states (id int PRIMARY KEY, code text CONSTRAINT code_key UNIQUE);
            CREATE TABLE clinics (
                id int PRIMARY KEY, state_id int REFERENCES states, name text, tags text[],
                opened date, span int4range, seen timestamptz,
                EXCLUDE USING gist (id WITH =, span WITH &&));
            CREATE INDEX fk_support ON clinics (state_id);
            CREATE UNIQUE INDEX plain_unique ON clinics (name, id);
            CREATE INDEX lower_name ON clinics (lower(name));
            CREATE INDEX plain ON clinics (opened);
            CREATE INDEX composite ON clinics (opened, name);
            CREATE INDEX covering ON clinics (name) INCLUDE (opened);
            CREATE INDEX partial ON clinics (opened, name) INCLUDE (tags) WHERE name IS NOT NULL;
            CREATE INDEX brin ON clinics USING brin (seen) WHERE id > 0;
            CREATE INDEX gin ON clinics USING gin (tags);
            CREATE INDEX hashed ON clinics USING hash (name);
            CREATE INDEX clustered ON clinics (seen);
            ALTER TABLE clinics CLUSTER ON clustered;
            INSERT INTO clinics SELECT g, NULL, 'Clinic ' || g, '{}', now(), int4range(g, g + 1), now()
            FROM generate_series(1, 200) g;
            CREATE TABLE logs (at date NOT NULL) PARTITION BY RANGE (at);
            CREATE TABLE logs_2026 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
            CREATE INDEX logs_at ON logs (at);
            CREATE TABLE published (a int NOT NULL, b int NOT NULL);
            CREATE UNIQUE INDEX identity ON published (a);
            ALTER TABLE published REPLICA IDENTITY USING INDEX identity;
            """
        )
        connection.execute("ANALYZE clinics")
    return any_database


def test_kinds(vaxdb, clinics):
    rows = index(vaxdb, "kinds", clinics, "clinics")["indexes"]
    kinds = {row["name"]: row["kind"] for row in rows}
    assert {name: kinds[name] for name in kinds if name in
            ("plain", "composite", "covering", "partial", "brin", "gin", "hashed")} == {
        "plain": "btree", "composite": "composite", "covering": "covering", "partial": "partial",
        "brin": "brin", "gin": "gin", "hashed": "hash",
    }  # fmt: skip
    assert kinds["clinics_id_span_excl"] == "gist"
    assert all(row["table"] == "clinics" and row["bytes"] > 0 for row in rows)
    text = vaxdb.ok("index", "kinds", "--url", clinics.url).stdout
    for word in ("btree:", "partial:", "composite:", "covering:", "brin:", "INCLUDE"):
        assert word in text


def test_list(vaxdb, clinics):
    rows = {row["name"]: row for row in index(vaxdb, "list", clinics)["indexes"]}
    assert rows["clinics_pkey"]["primary"] and rows["code_key"]["constraint"] == "code_key"
    assert rows["plain"]["definition"].startswith("CREATE INDEX plain ON")
    assert len(rows) == clinics.scalar(
        "SELECT count(*) FROM pg_index JOIN pg_class ON oid = indrelid"
        " WHERE relnamespace = 'public'::regnamespace"
    )
    assert names(index(vaxdb, "list", clinics, "public.states")["indexes"]) == {
        "states_pkey", "code_key"}  # fmt: skip
    assert "primary key" in vaxdb.ok("index", "list", "--url", clinics.url).stdout
    failed = vaxdb.fails(1, "index", "list", "nowhere", "--url", clinics.url)
    assert "nowhere" in failed.stderr


def test_unused_never_names_what_is_needed(vaxdb, clinics):
    report = index(vaxdb, "unused", clinics, "--max-scans", 1000000)
    assert names(report["indexes"]) == {
        "plain", "composite", "covering", "partial", "brin", "gin", "hashed"}  # fmt: skip
    reasons = {row["name"]: row["reason"] for row in report["kept"]}
    for name, reason in {
        "clinics_pkey": "primary key",
        "code_key": "constraint",
        "clinics_id_span_excl": "exclusion",
        "plain_unique": "unique",
        "fk_support": "foreign key",
        "clustered": "clustered",
        "lower_name": "statistics",
        "logs_at": "partition",
        "logs_2026_at_idx": "partition",
        "identity": "",
    }.items():
        assert reason in reasons[name]
    assert report["enough"] is False and report["days"] < 30
    drops = {row["name"]: row["drop"] for row in report["indexes"]}
    assert drops["plain"] == 'DROP INDEX CONCURRENTLY "public"."plain";'
    text = vaxdb.ok("index", "unused", "--url", clinics.url).stdout
    assert "Not yet evidence" in text and "less than 30 days" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_unused_follows_the_scans(vaxdb, clinics):
    with clinics.connect() as connection:
        connection.execute("SET enable_seqscan = off")
        for _ in range(3):
            connection.execute("SELECT count(*) FROM clinics WHERE opened = '2026-01-01'")
    used = wait_until(
        lambda: clinics.execute(
            "SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE idx_scan BETWEEN 3 AND 9"
        )
    )
    assert len(used) == 1
    ((name, scans),) = used
    assert name in names(index(vaxdb, "unused", clinics)["indexes"])
    assert name not in names(index(vaxdb, "unused", clinics, "--max-scans", 3)["indexes"])
    usage = index(vaxdb, "usage", clinics)
    (row,) = [row for row in usage["indexes"] if row["name"] == name]
    assert row["scans"] == scans
    assert bool(row["last_scan"]) == (clinics.server.major >= 16)
    assert name in vaxdb.ok("index", "usage", "--url", clinics.url).stdout


def test_unused_keeps_one_of_two_supports_of_a_foreign_key(vaxdb, database):
    database.execute("CREATE TABLE a (x int, y int, PRIMARY KEY (x, y))")
    database.execute("CREATE TABLE b (y int, x int, z int, FOREIGN KEY (x, y) REFERENCES a)")
    database.execute("CREATE INDEX wide ON b (x, y, z)")
    database.execute("CREATE INDEX narrow ON b (y, x)")
    database.execute("CREATE INDEX not_first ON b (z, x, y)")
    report = index(vaxdb, "unused", database)
    assert names(report["indexes"]) == {"wide", "not_first"}
    assert "b_x_y_fkey" in {row["name"]: row["reason"] for row in report["kept"]}["narrow"]


def test_unused_dates_the_statistics(vaxdb, database):
    before = index(vaxdb, "unused", database)["counted_since"]
    database.execute("SELECT pg_stat_reset()")
    wait_until(lambda: index(vaxdb, "unused", database)["counted_since"] != before)
    assert "reset of the statistics" in vaxdb.ok("index", "unused", "--url", database.url).stdout


@pytest.fixture
def duplicates(any_database):
    any_database.execute("CREATE TABLE lots (id int, number text)")
    any_database.execute("INSERT INTO lots SELECT g, 'L' || g % 50 FROM generate_series(1, 1000) g")
    return any_database


def test_invalid_after_a_failed_unique_build(vaxdb, duplicates):
    assert index(vaxdb, "invalid", duplicates)["indexes"] == []
    with pytest.raises(psycopg.errors.UniqueViolation):
        duplicates.execute("CREATE UNIQUE INDEX CONCURRENTLY lots_number ON lots (number)")
    (row,) = index(vaxdb, "invalid", duplicates)["indexes"]
    assert (row["name"], row["table"], row["leftover"]) == ("lots_number", "lots", False)
    assert "duplicates" in row["why"] and "REINDEX INDEX CONCURRENTLY" in row["fix"]
    assert "REINDEX" in vaxdb.ok("index", "invalid", "--url", duplicates.url).stdout
    failed = vaxdb.fails(1, "index", "rebuild", "lots_number", "--url", duplicates.url)
    assert "could not create unique index" in failed.stderr
    still = index(vaxdb, "invalid", duplicates)["indexes"]
    assert [left["name"] for left in still] == ["lots_number"]  # the rebuild's own was dropped
    duplicates.execute("DELETE FROM lots WHERE id > 50")
    vaxdb.ok("index", "rebuild", "lots_number", "--url", duplicates.url)
    assert index(vaxdb, "invalid", duplicates)["indexes"] == []


def test_invalid_leaves_out_what_is_being_built(vaxdb, duplicates):
    other = duplicates.connect(autocommit=False)
    builder = duplicates.connect()
    other.execute("INSERT INTO lots VALUES (0, 'open')")
    thread = threading.Thread(
        target=lambda: builder.execute("CREATE INDEX CONCURRENTLY lots_id ON lots (id)")
    )
    thread.start()
    try:
        wait_until(lambda: duplicates.execute("SELECT 1 FROM pg_index WHERE NOT indisvalid"))
        assert index(vaxdb, "invalid", duplicates)["indexes"] == []
    finally:
        other.close()  # lets the build go on
        thread.join()
        builder.close()
    assert index(vaxdb, "invalid", duplicates)["indexes"] == []


def test_rebuild_shrinks_a_bloated_index_and_keeps_it_valid(vaxdb, any_database):
    any_database.execute("CREATE TABLE readings (id int PRIMARY KEY, value int)")
    any_database.execute("CREATE INDEX readings_value ON readings (value)")
    any_database.execute("INSERT INTO readings SELECT g, g FROM generate_series(1, 50000) g")
    any_database.execute("DELETE FROM readings WHERE id % 20 <> 0")
    any_database.execute("VACUUM readings")
    size = "SELECT pg_relation_size('readings_value')"
    bloated = any_database.scalar(size)
    # fmt: off
    dry = vaxdb.ok("index", "rebuild", "readings_value", "--dry-run", "--url", any_database.url)
    # fmt: on
    assert "REINDEX INDEX CONCURRENTLY" in dry.stdout
    assert any_database.scalar(size) == bloated
    done = index(vaxdb, "rebuild", any_database, "readings_value")
    (row,) = done["indexes"]
    assert (row["bytes_before"], row["bytes_after"]) == (bloated, any_database.scalar(size))
    assert row["bytes_after"] < bloated / 5 and row["valid"]
    whole = index(vaxdb, "rebuild", any_database, "--table", "readings")
    assert names(whole["indexes"]) == {"readings_pkey", "readings_value"}
    assert all(row["valid"] for row in whole["indexes"])
    assert index(vaxdb, "invalid", any_database)["indexes"] == []


def test_rebuild_leaves_nothing_behind_when_it_fails(vaxdb, any_database):
    any_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    with any_database.connect(autocommit=False) as other:
        other.execute("INSERT INTO t VALUES (1)")
        # fmt: off
        failed = vaxdb.fails(1, "index", "rebuild", "t_pkey", "--wait", "100ms",
                             "--url", any_database.url)
        # fmt: on
        assert "vaxdb monitor locks" in failed.stderr or "_ccnew" in failed.stderr
        other.rollback()
    left = index(vaxdb, "invalid", any_database)["indexes"]
    if left:  # the open transaction may have kept the cleaning from its lock: then it was told
        assert left[0]["leftover"] and left[0]["fix"] in failed.stderr
    assert any_database.scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_pkey'::regclass")


def test_rebuild_refuses_a_leftover(vaxdb, database):
    database.execute("CREATE TABLE t (a int)")
    database.execute("INSERT INTO t VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.execute("CREATE UNIQUE INDEX CONCURRENTLY t_a_ccnew ON t (a)")
    (row,) = index(vaxdb, "invalid", database)["indexes"]
    assert row["leftover"] and row["fix"].startswith("DROP INDEX CONCURRENTLY")
    failed = vaxdb.fails(3, "index", "rebuild", "t_a_ccnew", "--url", database.url)
    assert "DROP INDEX CONCURRENTLY" in failed.stderr
    database.execute(row["fix"])


def test_rebuild_names(vaxdb, database):
    vaxdb.fails(2, "index", "rebuild", "--url", database.url)
    vaxdb.fails(2, "index", "rebuild", "a", "--table", "b", "--url", database.url)
    assert "nothing" in vaxdb.fails(1, "index", "rebuild", "nothing", "--url", database.url).stderr
    for schema in ("one", "two"):
        database.execute(f"CREATE SCHEMA {schema}")
        database.execute(f"CREATE TABLE {schema}.t (a int)")
        database.execute(f"CREATE INDEX same ON {schema}.t (a)")
    assert "one.same" in vaxdb.fails(2, "index", "rebuild", "same", "--url", database.url).stderr
    vaxdb.ok("index", "rebuild", "two.same", "--url", database.url)


def test_analyze(vaxdb, any_database):
    options = "WITH (autovacuum_enabled = false)"  # nobody else shall analyze it
    any_database.execute(f'CREATE TABLE t (a int, "Odd column" text) {options}')
    any_database.execute("INSERT INTO t SELECT g, g FROM generate_series(1, 1000) g")
    # fmt: off
    dry = index(vaxdb, "analyze", any_database, "t", "--column", "Odd column", "--target", "500",
                "--dry-run")
    # fmt: on
    assert dry["sql"] == [
        'ALTER TABLE "public"."t" ALTER COLUMN "Odd column" SET STATISTICS 500;',
        'ANALYZE "public"."t";',
    ]
    target = "SELECT attstattarget FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum = 2"
    analyzed = "SELECT count(*) FROM pg_stats WHERE tablename = 't'"
    assert any_database.scalar(target) in (-1, None) and any_database.scalar(analyzed) == 0
    index(vaxdb, "analyze", any_database, "t", "--column", "Odd column", "--target", "500")
    assert any_database.scalar(target) == 500 and any_database.scalar(analyzed) == 2
    index(vaxdb, "analyze", any_database, "t", "--target", "7")
    kept = any_database.scalar(
        "SELECT cardinality(histogram_bounds::text::text[]) FROM pg_stats"
        " WHERE tablename = 't' AND attname = 'a'"
    )
    assert kept == 8  # this once, for the column without a target of its own
    assert "ANALYZE;" in vaxdb.ok("index", "analyze", "--url", any_database.url).stdout
    vaxdb.fails(2, "index", "analyze", "t", "--column", "a", "--url", any_database.url)
    vaxdb.fails(1, "index", "analyze", "nowhere", "--url", any_database.url)


def test_analyze_tells_the_column_that_is_missing(vaxdb, database):
    database.execute("CREATE TABLE t (a int)")
    failed = vaxdb.fails(
        1, "index", "analyze", "t", "--column", "b", "--target", "10", "--url", database.url
    )
    assert '"b"' in failed.stderr
