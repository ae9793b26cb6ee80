"""Rules that look at the database: each with a case that it finds and one that it leaves alone."""

import psycopg
import pytest
from support.migrations import Project

# A million rows would take long: statistics are what the rules read.
LARGE = (
    "CREATE TABLE {t} (id int, v text, n int); INSERT INTO {t} VALUES (1, 'x', 1);"
    "ANALYZE {t}; UPDATE pg_class SET reltuples = 5000000 WHERE relname = '{t}';"
)
ROWS = "CREATE TABLE {t} (id int, v varchar(20), n int); INSERT INTO {t} VALUES (1, 'x', NULL);"
EMPTY = "CREATE TABLE {t} (id int, v varchar(20), n int);"
KEYED = "CREATE TABLE {t} (id int PRIMARY KEY, v text, b bytea, j jsonb, l text[]);"

# (rule, before, a statement that it finds, one that it does not)
CASES = [
    ("missing-table", EMPTY, "CREATE INDEX i_{t} ON no_{t} (id)", "CREATE INDEX i_{t} ON {t} (id)"),
    ("missing-table", EMPTY, "ALTER TABLE no_{t} ADD x int", "ALTER TABLE {t} ADD x int"),
    ("missing-table", EMPTY, "ALTER TABLE no_{t} ADD x int", "ALTER TABLE IF EXISTS no_{t} ADD x int"),
    ("missing-table", EMPTY, "INSERT INTO no_{t} VALUES (1)", "INSERT INTO {t} VALUES (1)"),
    ("missing-column", EMPTY, "CREATE INDEX i_{t} ON {t} (nope)", "CREATE INDEX i_{t} ON {t} (v)"),
    ("missing-column", EMPTY, "CREATE INDEX i_{t} ON {t} (lower(nope))",
     "CREATE INDEX i_{t} ON {t} (lower(v))"),
    ("missing-column", EMPTY, "CREATE INDEX i_{t} ON {t} (v) WHERE nope > 1",
     "CREATE INDEX i_{t} ON {t} (v) WHERE id > 1"),
    ("missing-column", EMPTY, "ALTER TABLE {t} DROP nope", "ALTER TABLE {t} DROP IF EXISTS nope"),
    ("missing-column", EMPTY, "ALTER TABLE {t} ALTER nope SET NOT NULL",
     "ALTER TABLE {t} ADD nope int; ALTER TABLE {t} ALTER nope SET NOT NULL"),
    ("missing-column", EMPTY, "ALTER TABLE {t} RENAME nope TO x", "ALTER TABLE {t} RENAME id TO x"),
    ("missing-column", KEYED, "CREATE TABLE c_{t} (a int REFERENCES {t} (nope))",
     "CREATE TABLE c_{t} (a int REFERENCES {t} (id))"),
    ("table-exists", EMPTY, "CREATE TABLE {t} (a int)", "CREATE TABLE IF NOT EXISTS {t} (a int)"),
    ("column-exists", EMPTY, "ALTER TABLE {t} ADD id int",
     "ALTER TABLE {t} ADD IF NOT EXISTS id int"),
    ("index-exists", EMPTY + "CREATE INDEX i_{t} ON {t} (id);", "CREATE INDEX i_{t} ON {t} (v)",
     "CREATE INDEX j_{t} ON {t} (v)"),
    ("index-exists-different", EMPTY + "CREATE INDEX i_{t} ON {t} (id);",
     "CREATE INDEX IF NOT EXISTS i_{t} ON {t} (v)", "CREATE INDEX IF NOT EXISTS i_{t} ON {t} (id)"),
    ("index-exists-invalid",
     EMPTY + "CREATE INDEX i_{t} ON {t} (id); CREATE INDEX j_{t} ON {t} (id);"
     "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i_{t}'::regclass;",
     "CREATE INDEX IF NOT EXISTS i_{t} ON {t} (id)", "CREATE INDEX IF NOT EXISTS j_{t} ON {t} (id)"),
    ("drop-missing", EMPTY, "DROP TABLE no_{t}", "DROP TABLE IF EXISTS no_{t}"),
    ("drop-missing", EMPTY, "DROP INDEX no_{t}", "DROP INDEX IF EXISTS no_{t}"),
    ("drop-index-of-constraint", KEYED + "CREATE INDEX i_{t} ON {t} (v);", "DROP INDEX {t}_pkey",
     "DROP INDEX i_{t}"),
    ("drop-still-used", KEYED + "CREATE TABLE r_{t} (a int REFERENCES {t});", "DROP TABLE {t}",
     "DROP TABLE {t}, r_{t}"),
    ("drop-still-used", EMPTY + "CREATE VIEW w_{t} AS SELECT * FROM {t};", "DROP TABLE {t}",
     "DROP VIEW w_{t}; DROP TABLE {t}"),
    ("column-used-by-view", EMPTY + "CREATE VIEW w_{t} AS SELECT v FROM {t};",
     "ALTER TABLE {t} ALTER v TYPE text", "ALTER TABLE {t} ALTER id TYPE bigint"),
    ("no-operator-class", KEYED, "CREATE INDEX i_{t} ON {t} USING gin (b)",
     "CREATE INDEX i_{t} ON {t} USING gin (j)"),
    ("no-operator-class", KEYED, "CREATE INDEX i_{t} ON {t} USING gist (v)",
     "CREATE INDEX i_{t} ON {t} USING gin (l)"),
    ("duplicate-index", EMPTY + "CREATE INDEX i_{t} ON {t} (id) WHERE v = 'x';",
     "CREATE INDEX j_{t} ON {t} (id) WHERE v = 'x'", "CREATE INDEX j_{t} ON {t} (id) WHERE v = 'y'"),
    ("redundant-index", EMPTY + "CREATE INDEX i_{t} ON {t} (id, v);",
     "CREATE INDEX j_{t} ON {t} (id)", "CREATE INDEX j_{t} ON {t} (v)"),
    ("unique-over-duplicates",
     "CREATE TABLE {t} AS SELECT g AS id, g % 3 AS d FROM generate_series(1, 1000) g; ANALYZE {t};",
     "CREATE UNIQUE INDEX i_{t} ON {t} (d)", "CREATE UNIQUE INDEX i_{t} ON {t} (id)"),
    ("concurrently-on-partitioned",
     "CREATE TABLE {t} (id int) PARTITION BY LIST (id); CREATE TABLE r_{t} (id int);",
     "CREATE INDEX CONCURRENTLY i_{t} ON {t} (id)", "CREATE INDEX CONCURRENTLY i_{t} ON r_{t} (id)"),
    ("fk-types-incompatible", KEYED, "CREATE TABLE c_{t} (a text REFERENCES {t})",
     "CREATE TABLE c_{t} (a int REFERENCES {t})"),
    ("fk-types-differ", KEYED + "CREATE TABLE r_{t} (a bigint, b int);",
     "ALTER TABLE r_{t} ADD FOREIGN KEY (a) REFERENCES {t}",
     "ALTER TABLE r_{t} ADD FOREIGN KEY (b) REFERENCES {t}"),
    ("fk-referenced-not-unique", KEYED, "CREATE TABLE c_{t} (a text REFERENCES {t} (v))",
     "CREATE TABLE c_{t} (a int REFERENCES {t} (id))"),
    ("fk-referenced-not-unique", EMPTY, "CREATE TABLE c_{t} (a int REFERENCES {t})",
     "CREATE UNIQUE INDEX i_{t} ON {t} (id); CREATE TABLE c_{t} (a int REFERENCES {t} (id))"),
    ("fk-without-index", KEYED + "CREATE TABLE r_{t} (a int, b int); CREATE INDEX ON r_{t} (b);",
     "ALTER TABLE r_{t} ADD FOREIGN KEY (a) REFERENCES {t}",
     "ALTER TABLE r_{t} ADD FOREIGN KEY (b) REFERENCES {t}"),
    ("drop-table-has-rows", ROWS + "CREATE TABLE e_{t} (a int);", "DROP TABLE {t}",
     "DROP TABLE e_{t}"),
    ("drop-column-has-data", ROWS + "ANALYZE {t};", "ALTER TABLE {t} DROP v",
     "ALTER TABLE {t} DROP n"),
    ("truncate-has-rows", ROWS + "CREATE TABLE e_{t} (a int);", "TRUNCATE {t}", "TRUNCATE e_{t}"),
    ("not-null-with-nulls", ROWS + "ANALYZE {t};", "ALTER TABLE {t} ALTER n SET NOT NULL",
     "ALTER TABLE {t} ALTER id SET NOT NULL"),
    ("add-column-not-null-no-default", ROWS, "ALTER TABLE {t} ADD x int NOT NULL",
     "ALTER TABLE {t} ADD x int NOT NULL DEFAULT 1"),
    ("set-not-null-scans", LARGE, "ALTER TABLE {t} ALTER v SET NOT NULL",
     "ALTER TABLE {t} ADD CONSTRAINT k CHECK (v IS NOT NULL) NOT VALID;"
     "ALTER TABLE {t} VALIDATE CONSTRAINT k; ALTER TABLE {t} ALTER v SET NOT NULL"),
    ("set-not-null-scans", LARGE, "ALTER TABLE {t} ALTER n SET NOT NULL",
     "ALTER TABLE {t} ALTER n DROP NOT NULL"),
    ("alter-type-rewrites", LARGE, "ALTER TABLE {t} ALTER id TYPE bigint",
     "ALTER TABLE {t} ALTER v TYPE varchar"),
    ("add-column-volatile-default", LARGE, "ALTER TABLE {t} ADD x uuid DEFAULT gen_random_uuid()",
     "ALTER TABLE {t} ADD x timestamptz DEFAULT now()"),
    ("add-column-volatile-default",
     LARGE + "CREATE FUNCTION f_{t}() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';"
     "CREATE FUNCTION g_{t}() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';",
     "ALTER TABLE {t} ADD x int DEFAULT f_{t}()", "ALTER TABLE {t} ADD x int DEFAULT g_{t}()"),
    ("validate-takes-long",
     LARGE + "ALTER TABLE {t} ADD CONSTRAINT a_{t} CHECK (id > 0) NOT VALID;"
     "ALTER TABLE {t} ADD CONSTRAINT b_{t} CHECK (id > 0);",
     "ALTER TABLE {t} VALIDATE CONSTRAINT a_{t}", "ALTER TABLE {t} VALIDATE CONSTRAINT b_{t}"),
    ("large-update", LARGE + "CREATE TABLE e_{t} (a int);", "UPDATE {t} SET v = 'y' WHERE id = 1",
     "UPDATE e_{t} SET a = 1"),
    ("large-update", LARGE + "CREATE TABLE e_{t} (a int);", "DELETE FROM {t} WHERE id = 1",
     "DELETE FROM e_{t} WHERE a = 1"),
]  # fmt: skip


def test_each_rule_finds_its_case_and_leaves_the_other(vaxdb, database, connection):
    """Every case on tables of its own, so that one look at the folder judges all of them."""
    project = Project(vaxdb, database)
    wanted = {}
    for number, (rule, before, bad, good) in enumerate(CASES):
        for kind, statement in (("bad", bad), ("good", good)):
            table = f"t{number}{kind}"
            connection.execute(before.replace("{t}", table))
            mode = "-- migrate:transaction none\n" if "CONCURRENTLY" in statement else ""
            name = f"{number * 2 + (kind == 'good') + 1:03}_{table}.sql"
            project.write(name, f"{mode}{statement.replace('{t}', table)};\n")
            wanted[name] = (rule, kind == "bad")
    findings = project.fails(4, "lint", "--json").json["findings"]
    seen = {(finding["file"].rsplit("/")[-1], finding["rule"]) for finding in findings}
    rules = {rule for rule, *_ in CASES}
    wrong = [
        (name, rule, expected)
        for name, (rule, expected) in wanted.items()
        if ((name, rule) in seen) != expected
    ]
    assert wrong == [], findings
    # And a case that is in order gets no finding of another of these rules that is an error.
    for finding in findings:
        name = finding["file"].rsplit("/")[-1]
        if name in wanted and not wanted[name][1] and finding["rule"] in rules:
            assert finding["severity"] != "error", finding


CERTAIN = {
    "missing-table", "missing-column", "table-exists", "column-exists", "index-exists",
    "drop-missing", "drop-index-of-constraint", "drop-still-used", "column-used-by-view",
    "no-operator-class", "concurrently-on-partitioned", "fk-types-incompatible",
    "fk-referenced-not-unique",
}  # fmt: skip


def test_new_features_need_a_new_server(new_vaxdb, new_database, servers):
    """NULLS NOT DISTINCT is of 15."""
    for major, expected in ((14, True), (15, False)):
        project = Project(new_vaxdb(), new_database(server=servers.get(major)))
        project.pair("001_a", "CREATE TABLE a (b int);\nCREATE UNIQUE INDEX i ON a (b)"
                     " NULLS NOT DISTINCT;\n", "DROP TABLE a;\n")  # fmt: skip
        found = project.run("lint", "--json").json["findings"]
        assert ("needs-newer-server" in [finding["rule"] for finding in found]) == expected


def test_a_later_file_sees_what_an_earlier_one_makes(vaxdb, database):
    project = Project(vaxdb, database)
    project.pair("001_a", "CREATE TABLE a (id int PRIMARY KEY, b bytea);\n", "DROP TABLE a;\n")
    project.pair("002_b", "CREATE INDEX i ON a (id, b);\n", "DROP INDEX i;\n")
    project.pair("003_c", "CREATE INDEX j ON a USING gin (b);\n", "DROP INDEX j;\n")
    project.pair("004_d", "DROP TABLE a;\nALTER TABLE a ADD c int;\n", "SELECT 1;\n")
    findings = project.fails(4, "lint", "--json").json["findings"]
    errors = {(f["file"].rsplit("/")[-1], f["rule"]) for f in findings if f["severity"] == "error"}
    assert ("003_c.sql", "no-operator-class") in errors
    assert ("004_d.sql", "missing-table") in errors
    assert not any(name in ("001_a.sql", "002_b.sql") for name, _ in errors)


def test_a_do_block_makes_what_is_missing_unknown(vaxdb, database):
    project = Project(vaxdb, database)
    project.pair("001_a", "DO $$ BEGIN EXECUTE 'CREATE TABLE hidden (id int)'; END $$;\n"
                 "CREATE INDEX i ON hidden (id);\n", "DROP TABLE hidden;\n")  # fmt: skip
    findings = project.run("lint", "--json").json["findings"]
    assert "missing-table" not in [finding["rule"] for finding in findings]
    project.ok("up")


def test_what_is_certain_the_server_refuses(connection):
    """The rules that cannot be ignored say what really happens."""
    for number, (rule, before, bad, _) in enumerate(CASES):
        if rule not in CERTAIN:
            continue
        connection.execute(before.replace("{t}", f"s{number}"))
        with pytest.raises(psycopg.Error):
            connection.execute(bad.replace("{t}", f"s{number}"))
