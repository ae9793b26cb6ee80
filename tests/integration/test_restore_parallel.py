"""Restoring on several sessions: the same database, and nothing left when one of them fails."""

import gzip
import os
import re
import subprocess
import time

import pytest
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


@pytest.fixture
def target_name(new_database):
    """Of a database that does not exist, and is dropped if it comes to exist."""
    target = new_database()
    target.drop()
    return target.name


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


SOME = """
CREATE TYPE mood AS ENUM ('sad', 'fine');
CREATE TABLE towns (id int PRIMARY KEY, name text UNIQUE);
CREATE TABLE people (id serial PRIMARY KEY, m mood DEFAULT 'fine', town int REFERENCES towns);
CREATE INDEX people_m ON people (m);
CREATE TABLE visits (id bigserial PRIMARY KEY, who int REFERENCES people, k int);
CREATE TABLE log (k int, t text) PARTITION BY LIST (k);
CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1);
CREATE TABLE log_2 PARTITION OF log FOR VALUES IN (2);
CREATE INDEX ON log (t);
CREATE TABLE moods (m mood) PARTITION BY HASH (m);
CREATE TABLE moods_0 PARTITION OF moods FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE moods_1 PARTITION OF moods FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE VIEW living AS SELECT town, count(*) FROM people GROUP BY town;
CREATE MATERIALIZED VIEW crowd AS SELECT count(*) AS c FROM people;
CREATE UNIQUE INDEX ON crowd (c);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER touched BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION touch();
GRANT SELECT ON people, visits TO PUBLIC;
INSERT INTO towns VALUES (1, 'Kano'), (2, 'Jos');
INSERT INTO people (town) SELECT 1 + i % 2 FROM generate_series(1, 1000) AS i;
INSERT INTO visits (who) SELECT i FROM generate_series(1, 500) AS i;
INSERT INTO log SELECT 1 + i % 2, 'x' FROM generate_series(1, 10) AS i;
INSERT INTO moods VALUES ('sad'), ('fine');
REFRESH MATERIALIZED VIEW crowd;
SELECT lo_from_bytea(4711, 'x');
"""


def relations(server, name, kinds="rpvmf"):
    query = "SELECT relname, reltuples FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind::text = ANY (string_to_array(%s, NULL))"
    return dict(server.execute(query, [kinds], dbname=name))


def test_some_tables_into_a_new_database(vaxdb, server, database, target_name):
    database.execute(SOME)
    path = create(vaxdb, database)["file"]
    some = ("restore", path, "-e", "staging", "--url", database.url, "--database", target_name)

    result = vaxdb.ok(*some, "--table", "people", "--table", "public.log_?", "--json").json
    assert relations(server, target_name) == {"people": 1000, "log": 10, "log_1": 5, "log_2": 5}
    assert (result["tables"], result["rows"], result["left_out"]) == (3, 1010, [])
    columns = "SELECT conname FROM pg_constraint WHERE conrelid = 'people'::regclass"
    assert server.execute(columns, dbname=target_name) == [("people_pkey",)]
    assert set(relations(server, target_name, "iI")) == {
        *("people_pkey", "people_m", "log_t_idx", "log_1_t_idx", "log_2_t_idx")
    }
    last = "INSERT INTO people (town) VALUES (77) RETURNING id, m::text, (SELECT count(*) FROM pg_trigger WHERE tgname = 'touched')"
    assert server.execute(last, dbname=target_name) == [(1001, "fine", 1)]
    acl = "SELECT has_table_privilege('public', 'people', 'SELECT'), (SELECT count(*) FROM pg_largeobject_metadata)"
    assert server.execute(acl, dbname=target_name) == [(True, 0)]

    # never in place
    before = relations(server, target_name)
    refused = vaxdb.fails(3, *some, "--table", "towns", "--confirm", target_name)
    assert "must not take the place" in refused.stderr
    assert relations(server, target_name) == before
    server.execute(f"DROP DATABASE {target_name}")

    # with one partition the table above it; with rows that go through the root all of them
    vaxdb.ok(*some, "-t", "log_2", "-t", "moods_1", "-t", "visits", "-t", "towns")
    assert relations(server, target_name, "r").keys() == {"log_2", "moods_0", "moods_1", "visits", "towns"}
    assert relations(server, target_name, "p").keys() == {"log", "moods"}
    assert server.execute("SELECT count(*) FROM moods", dbname=target_name) == [(2,)]
    server.execute(f"DROP DATABASE {target_name}")

    assert "no table peple" in vaxdb.fails(2, *some, "--table", "peple").stderr
    assert target_name not in databases(server)


def test_some_tables_of_a_dump_of_one_stream_are_refused(vaxdb, server, database, target_name, scratch):
    fill(database)
    path = scratch / "one.sql.gz"
    dump = subprocess.run(["pg_dump", database.name], env={**os.environ, **database.environment}, stdout=subprocess.PIPE, check=True)
    path.write_bytes(gzip.compress(dump.stdout))
    command = ("restore", path, "-e", "staging", "--url", database.url, "--database", target_name)
    assert "vaxdb made" in vaxdb.fails(3, *command, "--table", "stock").stderr
    assert target_name not in databases(server)
