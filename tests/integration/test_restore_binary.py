"""Rows are given to the server in binary: the database is the same as from their text."""

import re

from support.backups import fill, fingerprint
from test_dump import create, dumped
from test_restore_parallel import restored

# Values at the edges of what is converted, and any number of others.
VALUES = r"""
CREATE TYPE mood AS ENUM ('sad', 'it''s "fine"', E'tab\there');
CREATE DOMAIN small AS smallint CHECK (VALUE > -32768);
CREATE DOMAIN smaller AS small NOT NULL;
CREATE DOMAIN any_mood AS mood;
CREATE TABLE edges (id int PRIMARY KEY, "a,b" bool, "c""d)" smaller DEFAULT 7, i4 int, i8 bigint, o oid,
    f4 real, f8 float8, n numeric, n2 numeric(12, 3),
    t text, v varchar(40), c char(5), j json, jb jsonb, m any_mood, b bytea, u uuid, d date, ti time,
    ti2 time(2), ts timestamp, tz timestamptz, tz3 timestamptz(3),
    half int GENERATED ALWAYS AS (id / 2) STORED);
INSERT INTO edges VALUES
    (-2147483648, true, -32767, -2147483648, -9223372036854775808, 4294967295, '-0',
     1.7976931348623157e308, -0.0001, -999999999.999, E'\b\f\n\r\t\v\\', '\N', 'a', '{"a" :  1,"a":2}',
     '[1.50, "\u00fc\\", null]', 'it''s "fine"', '\x00ff', '00000000-0000-0000-0000-000000000000',
     '0001-01-01', '23:59:59.999999', '00:00:00.01', '0001-01-01 00:00:00.000001', '9999-12-31 23:59:59Z',
     '1970-01-01Z'),
    (2147483647, false, 32767, 2147483647, 9223372036854775807, 0, 3.4028235e38, 5e-324,
     repeat('9', 900)::numeric, 0.000, '', '', '', '""', '{}', E'tab\there', '',
     'ffffffff-ffff-ffff-ffff-ffffffffffff', '9999-12-31', '00:00:00', '23:59:59.99',
     '9999-12-31 23:59:59.999999', '1999-12-31 23:59:59.999999Z', '2000-02-29 00:00:00.123Z');
INSERT INTO edges (id) SELECT generate_series(1, 5);
SELECT setseed(0.5);
INSERT INTO edges SELECT i, i % 2 = 0, i, random() * 1e9, random() * 1e18, i,
    (random() - 0.5) * power(10, random() * 70 - 36), (random() - 0.5) * power(10, random() * 600 - 300),
    round((random() * power(10, random() * 30 - 15))::numeric, i % 20),
    round((random() - 0.5)::numeric * 100, 3), repeat(chr(i % 200 + 1), i % 20) || E'\\\n'::text || i,
    md5(i::text), chr(i % 1000 + 33), to_json(i / 7.0), jsonb_build_object('k', md5(i::text), 'n', i),
    (enum_range(NULL::mood))[i % 3 + 1], decode(md5(i::text), 'hex'), md5(i::text)::uuid,
    date '0001-01-01' + (random() * 3650000)::int, time '00:00' + random() * interval '1 day',
    time '00:00' + random() * interval '1 day', timestamp '1000-01-01' + random() * interval '8900 years',
    timestamp '0200-01-01' + random() * interval '9000 years', now() + i * interval '1 day 1.234 s'
FROM generate_series(6, 2000) AS i;
"""
# The same, beyond what is converted.
ODD = r"""
INSERT INTO edges (id, f4, f8, n, t, d, ti, ts, tz) VALUES
    (10001, 'NaN', '-Infinity', 'NaN', 'odd', 'infinity', '24:00', '-infinity', '0044-03-15 12:00 BC'),
    (10002, 1e-45, 'NaN', -repeat('9', 1001)::numeric, repeat('wide', 500000), '4713-01-01 BC', '12:00',
     '0001-01-01 BC', '12345-01-01Z');
"""
# Several parts each, of which the first and the last of `mixed` have a row that is not converted.
PARTS = """
CREATE TABLE plain (id int PRIMARY KEY, d date, t text);
ALTER TABLE plain ALTER t SET STORAGE PLAIN;
INSERT INTO plain SELECT i, date '2026-01-01' + i, repeat(md5(i::text), 60)
FROM generate_series(1, 6000) AS i;
CREATE TABLE mixed (LIKE plain INCLUDING ALL);
INSERT INTO mixed SELECT id, CASE WHEN id IN (50, 5990) THEN 'infinity' ELSE d END, t FROM plain;
CREATE TABLE by_name (id int, n name);
INSERT INTO by_name VALUES (1, 'x');
"""


def test_values_come_back(vaxdb, database, new_database):
    database.execute(VALUES + ODD)
    target = new_database()
    restored(vaxdb, create(vaxdb, database)["file"], target)
    assert dumped(target) == dumped(database)


def test_other_majors_take_it(vaxdb, any_database, database):
    """Also where dates are read in another way."""
    references = "CREATE TABLE b (id bigint REFERENCES stock); INSERT INTO b VALUES (1);"
    fill(database, sql=references + VALUES)
    url = f"{any_database.url}?options=-c%20DateStyle%3DSQL,DMY"
    vaxdb.ok("restore", create(vaxdb, database)["file"], "-e", "staging", "--url", url)
    assert fingerprint(any_database)[1] == fingerprint(database)[1]
    assert any_database.scalar("SELECT count(*) FROM pg_constraint WHERE conname = 'b_id_fkey'") == 1
    content = "SELECT count(*) || md5(string_agg(e::text, ',' ORDER BY id)) FROM edges e"
    assert any_database.scalar(content) == database.scalar(content)


def test_only_what_is_unusual_goes_as_text(vaxdb, database, new_database):
    database.execute(PARTS)
    target = new_database()
    path = create(vaxdb, database)["file"]
    logged = database.server.log.stat().st_size
    url = f"{target.url}?options=-c%20log_statement%3Dall"
    vaxdb.ok("restore", path, "-e", "staging", "--url", url, "--jobs", "2")
    assert dumped(target) == dumped(database)
    log = database.server.log.read_bytes()[logged:].decode(errors="replace")
    copies = re.findall(r"COPY public\.(\w+) \([^)]*\) FROM stdin(.*)", log)
    kinds = {table: ["binary" in more for name, more in copies if name == table] for table, _ in copies}
    assert kinds == {"plain": [True], "mixed": [True, False, True, False], "by_name": [False]}
