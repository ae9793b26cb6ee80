"""What the tests of backup, restore and drill share: databases worth backing up."""

import hashlib
import json

# Everything that a plain dump finds hard: names, values, functions, rules and comments that look like
# its own syntax, kinds of tables without rows of their own, a psql command inside a comment.
NASTY = r"""
CREATE EXTENSION pgcrypto;
CREATE SCHEMA "we ird";
CREATE TABLE "we ird"."Ta.b""le" (id serial PRIMARY KEY, "from" text, "co;l" text DEFAULT ';''');
INSERT INTO "we ird"."Ta.b""le" ("from", "co;l")
SELECT CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN E'\\.' WHEN 2 THEN E'a\nb\tc\\' ELSE '\.' END, 'x;y'
FROM generate_series(1, 100) AS i;
CREATE TABLE one_column (a text);
INSERT INTO one_column VALUES ('\.'), (E'\\'), (NULL), (''), ('\\.'), (E'\r'), ('é₦');
CREATE TABLE empty (a int);
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE generated (a int PRIMARY KEY, b int GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO generated SELECT generate_series(1, 10);
CREATE TABLE parted (k int, v text) PARTITION BY RANGE (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (1000);
INSERT INTO parted SELECT i, 'v' || i FROM generate_series(1, 900) AS i;
CREATE INDEX ON parted (k);
CREATE FUNCTION f1() RETURNS int LANGUAGE plpgsql AS $body$ BEGIN -- it's; "quoted
 RETURN 1; END $body$;
CREATE FUNCTION f2(x int) RETURNS int LANGUAGE sql
    BEGIN ATOMIC SELECT CASE WHEN x > 0 THEN 1 ELSE 2 END; SELECT x + 1; END;
CREATE VIEW a_view AS SELECT 'a;b' AS x;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS c FROM parted;
CREATE UNIQUE INDEX counted_c ON counted (c);
CREATE RULE a_rule AS ON INSERT TO empty DO ALSO
    (INSERT INTO generated (a) VALUES (101); INSERT INTO generated (a) VALUES (102));
COMMENT ON TABLE empty IS E'\\ \n-- PostgreSQL database dump complete\n\\! touch /tmp/vaxdb-obeyed';
SELECT lo_from_bytea(0, '\x0102030405');
"""
NASTY_TABLES = 7
NASTY_ROWS = 100 + 7 + 0 + 2 + 10 + 900


def fill(database, rows=2000, sql=""):
    """A table `stock` with an index, and what sql says."""
    database.execute(
        "CREATE TABLE stock (id bigint PRIMARY KEY, at timestamptz, note text);"
        f"INSERT INTO stock SELECT i, now() + i * interval '1 s', md5(i::text) "
        f"FROM generate_series(1, {rows}) AS i; CREATE INDEX stock_at ON stock (at);" + sql
    )


def fingerprint(database):
    """What must not change when a restore fails: which database it is, and its rows."""
    ((oid,),) = database.server.execute(
        "SELECT oid FROM pg_database WHERE datname = %s", [database.name]
    )
    return oid, database.scalar("SELECT count(*) || md5(string_agg(s::text, ',' ORDER BY id)) FROM stock s")


def databases(server):
    return {name for (name,) in server.execute("SELECT datname FROM pg_database")}


def rewrite_manifest(path, change):
    """A manifest that lies and whose own checksum is right."""
    manifest = json.loads(path.read_text())
    del manifest["manifest_sha256"]
    change(manifest)
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    manifest["manifest_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(manifest))
