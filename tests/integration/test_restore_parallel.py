"""Restoring on several sessions: the same database, and nothing left when one of them fails."""

import re
import time

from support.backups import databases, fill, fingerprint
from test_dump import create, dumped

# A table that all sessions share (more than 32 MiB of text), one that is frozen, and keys of every
# form that pg_dump writes.
LARGE = """
CREATE TABLE shared (id int, twin int, at tsrange, t text,
    CONSTRAINT "shared p" PRIMARY KEY (id) WITH (fillfactor = 70),
    CONSTRAINT twins UNIQUE NULLS NOT DISTINCT (twin, id) INCLUDE (at) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO shared SELECT i, nullif(i % 7, 0), NULL, repeat(md5(i::text), 40)
FROM generate_series(1, 30000) AS i;
CREATE INDEX shared_md5 ON shared (md5(t)) WHERE id > 5;
COMMENT ON CONSTRAINT twins ON shared IS 'both; of them';
CREATE TABLE frozen (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, shared int, during tsrange,
    note text, EXCLUDE USING gist (during WITH &&), UNIQUE (note, id));
INSERT INTO frozen (shared, note, during) SELECT i % 30000 + 1, repeat('n', 200),
    CASE WHEN i < 100 THEN tsrange(date '2000-01-01' + i, date '2000-01-02' + i) END
FROM generate_series(1, 25000) AS i;
CREATE INDEX frozen_shared ON frozen (shared);
CLUSTER frozen USING frozen_shared;
ALTER TABLE frozen ADD FOREIGN KEY (shared) REFERENCES shared;
CREATE TABLE self (id int PRIMARY KEY, up int REFERENCES self, f int REFERENCES frozen);
INSERT INTO self SELECT i, i, i FROM generate_series(1, 100) AS i;
ALTER TABLE shared ADD FOREIGN KEY (id) REFERENCES shared;
CREATE TABLE parts (k int, v int, PRIMARY KEY (k, v)) PARTITION BY LIST (k);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2) PARTITION BY RANGE (v);
CREATE TABLE parts_2_a PARTITION OF parts_2 FOR VALUES FROM (0) TO (100000);
INSERT INTO parts SELECT 1 + i % 2, i FROM generate_series(1, 50000) AS i;
CREATE INDEX ON parts (v);
CREATE TABLE of_parts (k int, v int, FOREIGN KEY (k, v) REFERENCES parts);
INSERT INTO of_parts VALUES (1, 2), (2, 1);
CREATE VIEW grouped AS SELECT id, t FROM shared GROUP BY id;
CREATE MATERIALIZED VIEW matter AS SELECT id % 10 AS m, count(*) AS c FROM grouped GROUP BY 1;
CREATE UNIQUE INDEX ON matter (m);
"""


def restored(vaxdb, path, target, *more):
    return vaxdb.ok("restore", path, "-e", "staging", "--url", target.url, *more)


def test_large_tables_come_back(vaxdb, database, new_database):
    database.execute(LARGE)
    target = new_database()
    restored(vaxdb, create(vaxdb, database)["file"], target, "--jobs", "3")
    assert dumped(target) == dumped(database)
    target.execute("CREATE EXTENSION pg_visibility")
    pages = "SELECT (SELECT all_frozen FROM pg_visibility_map_summary(%s)), relpages FROM pg_class WHERE oid = %s::regclass"
    ((all_frozen, relpages),) = target.execute(pages, ["frozen", "frozen"])
    assert all_frozen == relpages > 100
    analyzed = "SELECT count(*) FROM pg_statistic WHERE starelid = ANY (%s::regclass[])"
    assert target.scalar(analyzed, [["frozen", "parts", "parts_2_a", "matter"]]) >= 6
    assert target.scalar("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0


def test_other_majors_take_it(vaxdb, any_database, database):
    fill(database, sql="CREATE TABLE b (id bigint REFERENCES stock); INSERT INTO b VALUES (1)")
    restored(vaxdb, create(vaxdb, database)["file"], any_database)
    assert fingerprint(any_database)[1] == fingerprint(database)[1]
    assert any_database.scalar("SELECT count(*) FROM pg_constraint WHERE conname = 'b_id_fkey'") == 1


def test_what_an_index_needs_may_come_later(vaxdb, database, new_database):
    """pg_dump puts the function off: it needs the primary key. So must the index be."""
    fill(
        database,
        sql="CREATE FUNCTION newest(x bigint) RETURNS text IMMUTABLE BEGIN ATOMIC "
        "SELECT note FROM stock WHERE id = x GROUP BY id; END;"
        "CREATE TABLE late (id bigint PRIMARY KEY); INSERT INTO late VALUES (1), (2);"
        "CREATE INDEX late_newest ON late (newest(id))",
    )
    target = new_database()
    restored(vaxdb, create(vaxdb, database)["file"], target)
    assert dumped(target) == dumped(database)


def test_a_failure_stops_all_sessions(vaxdb, database, new_database):
    """One index cannot be built in the copy, another would take an hour."""
    only_there = "IF current_database() LIKE 'vaxdb\\_%%' THEN {} END IF; RETURN x;"
    for name, body in (("breaks", "RETURN x / 0;"), ("lasts", "PERFORM pg_sleep(1800);")):
        text = only_there.format(body).replace("%%", "%")
        database.execute(
            f"CREATE FUNCTION {name}(x int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS "
            f"$$ BEGIN {text} END $$; CREATE TABLE {name}_t (a int);"
            f"INSERT INTO {name}_t VALUES (2); CREATE INDEX {name}_i ON {name}_t ({name}(a))"
        )
    path = create(vaxdb, database)["file"]
    target = new_database()
    fill(target, rows=50)
    before = fingerprint(target)
    started = time.monotonic()
    outcome = vaxdb.fails(1, "restore", path, "-e", "staging", "--url", target.url, "--jobs", "2")
    assert time.monotonic() - started < 600
    assert "line " in outcome.stderr and "division by zero" in outcome.stderr
    assert fingerprint(target) == before
    assert not [name for name in databases(target.server) if name.startswith("vaxdb_")]


def test_a_server_with_little_room_gets_fewer_sessions(vaxdb, own_server, database):
    fill(database)
    path = create(vaxdb, database)["file"]
    settings = {"max_connections": 5, "superuser_reserved_connections": 0, "max_wal_senders": 0}
    server = own_server(settings=settings)
    command = ("restore", path, "-e", "staging", "--url", server.url("copy"), "--jobs", "6")
    assert re.search("restoring by [123] sessions instead of 6", vaxdb.ok(*command).stderr)
    assert server.execute("SELECT count(*) FROM stock", dbname="copy") == [(2000,)]
