"""`vaxdb migrate plan`: what it says of locks and rewrites is what a server does."""

import re

import pytest
from support.migrations import Project
from support.site import Site

LEVELS = {
    "RowShareLock": "ROW SHARE",
    "RowExclusiveLock": "ROW EXCLUSIVE",
    "ShareUpdateExclusiveLock": "SHARE UPDATE EXCLUSIVE",
    "ShareLock": "SHARE",
    "ShareRowExclusiveLock": "SHARE ROW EXCLUSIVE",
    "ExclusiveLock": "EXCLUSIVE",
    "AccessExclusiveLock": "ACCESS EXCLUSIVE",
}
ORDER = list(LEVELS)

# {t} is a table of the case's own, {p} one with a primary key that nothing refers to.
BEFORE = """
CREATE TABLE {p} (id int PRIMARY KEY, v text);
CREATE TABLE {t} (id int, n int, v varchar(20), w numeric(10, 2), at timestamp(3), c cidr, k int
                  CONSTRAINT {t}_fk REFERENCES {p}, b bit(4), l varchar(5)[], x text,
                  CONSTRAINT {t}_positive CHECK (n > 0) NOT VALID,
                  CONSTRAINT {t}_x CHECK (x IS NOT NULL));
INSERT INTO {p} VALUES (1, 'a');
INSERT INTO {t} (id, n, v, x) VALUES (1, 1, 'a', 'b');
CREATE INDEX {t}_i ON {t} (v);
CREATE UNIQUE INDEX {t}_u ON {t} (id);
CREATE FUNCTION {t}_f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER {t}_g BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION {t}_f();
CREATE TABLE {t}_whole (id int, v text) PARTITION BY LIST (id);
CREATE TABLE {t}_one PARTITION OF {t}_whole FOR VALUES IN (1);
CREATE TABLE {t}_two (id int, v text);
CREATE MATERIALIZED VIEW {t}_m AS SELECT * FROM {p};
CREATE VIEW {t}_w AS SELECT id FROM {p};
"""
STATEMENTS = """
ALTER TABLE {t} ADD y int
ALTER TABLE {t} ADD y int DEFAULT 1
ALTER TABLE {t} ADD y timestamptz DEFAULT now()
ALTER TABLE {t} ADD y double precision DEFAULT random()
ALTER TABLE {t} ADD y int GENERATED ALWAYS AS (id + 1) STORED
ALTER TABLE {t} ADD y int GENERATED ALWAYS AS IDENTITY
ALTER TABLE {t} ADD y serial
ALTER TABLE {t} ADD y int REFERENCES {p}
ALTER TABLE {t} DROP n
ALTER TABLE {t} ALTER v TYPE text
ALTER TABLE {t} ALTER v TYPE varchar
ALTER TABLE {t} ALTER v TYPE varchar(30)
ALTER TABLE {t} ALTER v TYPE varchar(10)
ALTER TABLE {t} ALTER v TYPE text USING v::text
ALTER TABLE {t} ALTER v TYPE text USING lower(v)
ALTER TABLE {t} ALTER x TYPE varchar
ALTER TABLE {t} ALTER x TYPE varchar(50)
ALTER TABLE {t} ALTER n TYPE bigint
ALTER TABLE {t} ALTER n TYPE oid
ALTER TABLE {t} ALTER w TYPE numeric(12, 2)
ALTER TABLE {t} ALTER w TYPE numeric
ALTER TABLE {t} ALTER w TYPE numeric(12, 3)
ALTER TABLE {t} ALTER at TYPE timestamp
ALTER TABLE {t} ALTER at TYPE timestamp(1)
ALTER TABLE {t} ALTER at TYPE date
ALTER TABLE {t} ALTER c TYPE inet
ALTER TABLE {t} ALTER b TYPE varbit
ALTER TABLE {t} ALTER b TYPE bit(5) USING b::bit(5)
ALTER TABLE {t} ALTER l TYPE text[]
ALTER TABLE {t} ALTER x SET NOT NULL
ALTER TABLE {t} ALTER n DROP NOT NULL
ALTER TABLE {t} ALTER n SET DEFAULT 3
ALTER TABLE {t} ALTER n SET STATISTICS 500
ALTER TABLE {t} ALTER v SET STORAGE external
ALTER TABLE {t} SET (fillfactor = 70)
ALTER TABLE {t} SET UNLOGGED
ALTER TABLE {t} CLUSTER ON {t}_i
ALTER TABLE {t} DISABLE TRIGGER {t}_g
ALTER TABLE {t} REPLICA IDENTITY FULL
ALTER TABLE {t} ENABLE ROW LEVEL SECURITY
ALTER TABLE {t} OWNER TO CURRENT_USER
ALTER TABLE {t} ADD CHECK (id > 0)
ALTER TABLE {t} ADD CHECK (id > 0) NOT VALID
ALTER TABLE {t} ADD UNIQUE (n)
ALTER TABLE {t} ADD UNIQUE USING INDEX {t}_u
ALTER TABLE {t} ADD PRIMARY KEY (id)
ALTER TABLE {t} ADD FOREIGN KEY (n) REFERENCES {p} NOT VALID
ALTER TABLE {t} VALIDATE CONSTRAINT {t}_positive
ALTER TABLE {t} DROP CONSTRAINT {t}_positive
ALTER TABLE {t} DROP CONSTRAINT {t}_fk
ALTER TABLE {t}_whole ADD y int
ALTER TABLE {t}_whole ATTACH PARTITION {t}_two FOR VALUES IN (2)
ALTER TABLE {t}_whole DETACH PARTITION {t}_one
ALTER TABLE {t} RENAME TO {t}_other
ALTER TABLE {t} RENAME v TO y
ALTER TABLE {t} RENAME CONSTRAINT {t}_positive TO {t}_z
ALTER INDEX {t}_i RENAME TO {t}_j
CREATE INDEX {t}_j ON {t} (n)
CREATE INDEX {t}_j ON {t}_whole (v)
DROP INDEX {t}_i
DROP TABLE {t}
DROP TABLE {t}_one
DROP TABLE {t}_whole
DROP VIEW {t}_w
DROP MATERIALIZED VIEW {t}_m
DROP TRIGGER {t}_g ON {t}
CREATE TABLE {t}_n (a int REFERENCES {p})
CREATE TABLE {t}_n PARTITION OF {t}_whole FOR VALUES IN (7)
CREATE TABLE {t}_n () INHERITS ({t}_two)
CREATE TABLE {t}_n (LIKE {t})
CREATE TABLE {t}_n AS SELECT id FROM {t}
CREATE VIEW {t}_n AS SELECT id FROM {t}
CREATE TRIGGER {t}_h BEFORE UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION {t}_f()
CREATE RULE {t}_r AS ON DELETE TO {t}_two DO INSTEAD NOTHING
CREATE POLICY {t}_o ON {t}
CREATE STATISTICS {t}_s ON n, v FROM {t}
COMMENT ON TABLE {t} IS 'x'
COMMENT ON COLUMN {t}.n IS 'x'
TRUNCATE {t}
TRUNCATE {p} CASCADE
INSERT INTO {t}_two VALUES (1, 'x')
INSERT INTO {t}_two SELECT id, v FROM {p}
UPDATE {t}_two SET v = 'y'
DELETE FROM {t}_two WHERE id = 1
SELECT * FROM {t}_two FOR UPDATE
LOCK TABLE {t} IN SHARE MODE
REINDEX TABLE {t}
REINDEX INDEX {t}_i
CLUSTER {t} USING {t}_i
ANALYZE {t}
REFRESH MATERIALIZED VIEW {t}_m
"""

HELD = """
SELECT relation, mode FROM pg_locks
WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation = ANY(%s)
"""
TABLES = """
SELECT oid, relname, pg_relation_filenode(oid) FROM pg_class
WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace
"""


def really(connection, statement):
    """(strongest lock by table, tables written anew) of a statement that is rolled back."""
    before = {name: (oid, node) for oid, name, node in connection.execute(TABLES)}
    names = {oid: name for name, (oid, _) in before.items()}
    connection.execute("BEGIN")
    try:
        connection.execute(statement)
        held = {}
        for oid, mode in connection.execute(HELD, [list(names)]).fetchall():
            if mode in ORDER:
                held.setdefault(names[oid], []).append(ORDER.index(mode))
        after = {names.get(oid): node for oid, _, node in connection.execute(TABLES).fetchall()}
    finally:
        connection.execute("ROLLBACK")
    anew = {name for name, (_, node) in before.items() if after.get(name, node) != node}
    return {name: LEVELS[ORDER[max(modes)]] for name, modes in held.items()}, anew


@pytest.mark.parametrize("major", [13, 15, 18])
def test_locks_and_rewrites_are_the_servers(vaxdb, new_database, servers, major):
    database = new_database(server=servers.get(major))
    project = Project(vaxdb, database)
    statements = STATEMENTS.strip().splitlines()
    with database.connect() as connection:
        for number, statement in enumerate(statements):
            t, p = f"t{number}", f"p{number}"
            connection.execute(BEFORE.replace("{t}", t).replace("{p}", p))
            statements[number] = statement.replace("{t}", t).replace("{p}", p)
            project.write(f"{number:03}_a.sql", statements[number] + ";\n")
        files = project.ok("plan", "--json").json["files"]
        wrong = []
        for statement, file in zip(statements, files, strict=True):
            held, anew = really(connection, statement)
            said = {
                lock["table"]: lock["lock"]
                for lock in file["locks"]
                if lock["lock"] != "ACCESS SHARE"
            }
            said_anew = {lock["table"] for lock in file["locks"] if lock["rewrites"]}
            emptied = "TRUNCATE" in statement or "REINDEX" in statement
            if said != held:
                wrong.append((statement, "said", said, "held", held))
            if said_anew != anew and not emptied:
                wrong.append((statement, "said anew", said_anew, "anew", anew))
    assert wrong == [], "\n".join(str(line) for line in wrong)


def test_shows_transactions_locks_rows_and_losses(vaxdb, database, connection):
    project = Project(vaxdb, database)
    connection.execute(
        "CREATE TABLE stock AS SELECT g AS id, 'x' AS v FROM generate_series(1, 3000) g;"
        "ANALYZE stock"
    )
    project.pair("001_note", "ALTER TABLE stock ADD note text;\nCREATE TABLE extra (id int);\n",
                 "ALTER TABLE stock DROP v;\nDROP TABLE extra;\n")  # fmt: skip
    project.write("002_index.sql", "CREATE INDEX CONCURRENTLY i ON stock (id);\n")
    shown = project.ok("plan")
    assert max(len(line) for line in shown.stdout.splitlines()) <= 80
    for text in ("001_note.sql", "one transaction", "stock (3,000 rows", "ACCESS EXCLUSIVE",
                 "nobody can read or write", "DROP COLUMN v of public.stock (3,000 rows now)",
                 "DROP TABLE of public.extra", "on its own (CREATE INDEX CONCURRENTLY",
                 "SHARE UPDATE EXCLUSIVE", "reads and writes go on", "no down file",
                 "not measured yet"):  # fmt: skip
        assert text in shown.stdout, shown.stdout
    first = project.ok("plan", "--json", "--to", "001_note.sql").json["files"]
    assert [file["name"] for file in first] == ["001_note.sql"]
    assert first[0]["transaction"] == "one"
    [lock] = first[0]["locks"]
    assert (lock["table"], lock["rows"], lock["rewrites"]) == ("stock", 3000, False)
    assert [loss["rows"] for loss in first[0]["down"]["loses"]] == [3000, 0]
    # Nothing was changed by looking: there is not even a ledger.
    assert connection.execute("SELECT to_regclass('schema_migrations')").fetchone() == (None,)


def test_says_how_long_it_took_on_staging(vaxdb, new_database):
    site = Site(vaxdb, new_database(), new_database())
    site.pair("001_slow", "CREATE TABLE a (id bigint);\nSELECT pg_sleep(1.2);\n", "DROP TABLE a;\n")
    site.ok_on("staging", "up", "--skip-staging", "it only needs to be measured")
    shown = site.ok_on("production", "plan").stdout
    assert re.search(r"took 1\.[2-9]\d* s on staging", shown), shown
    (file,) = site.ok_on("production", "plan", "--json").json["files"]
    assert file["measured_on"] == "staging" and 1200 <= file["measured_ms"] < 2000
    # Another text has another duration.
    site.write("001_slow.sql", "CREATE TABLE a (id bigint);\n")
    assert "not measured yet" in site.ok_on("production", "plan").stdout
    (file,) = site.ok_on("production", "plan", "--json").json["files"]
    assert file["measured_ms"] is None and file["measured_on"] is None


def test_takes_no_lock_that_others_would_feel(vaxdb, database):
    """It answers while somebody holds the table exclusively."""
    project = Project(vaxdb, database)
    project.write("001_a.sql", "ALTER TABLE busy ADD x int;\n")
    with database.connect() as other:
        other.execute("CREATE TABLE busy (id int)")
        other.execute("BEGIN; LOCK TABLE busy IN ACCESS EXCLUSIVE MODE")
        [file] = project.ok("plan", "--json").json["files"]
        assert file["locks"][0]["table"] == "busy"
        other.execute("ROLLBACK")
