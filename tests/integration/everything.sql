-- Every kind of object that a dump must carry, with the values that are hardest to carry.
SELECT current_setting('server_version_num')::int >= 140000 AS v14,
       current_setting('server_version_num')::int >= 150000 AS v15 \gset
CREATE ROLE "Ann ""the"" clerk";
CREATE ROLE reader;
CREATE SCHEMA "we ird";
CREATE SCHEMA private AUTHORIZATION reader;
CREATE EXTENSION pgcrypto SCHEMA "we ird";
CREATE EXTENSION postgres_fdw;
COMMENT ON SCHEMA "we ird" IS E'two\nlines; and \\! a backslash';
ALTER DEFAULT PRIVILEGES IN SCHEMA "we ird" GRANT SELECT ON TABLES TO reader;

CREATE TYPE mood AS ENUM ('sad', 'so so', 'it''s "fine"');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE COLLATION german (provider = libc, locale = 'C');
CREATE TEXT SEARCH CONFIGURATION plain_words (COPY = pg_catalog.simple);

CREATE TABLE "we ird"."Ta.b""le
two" ("from" int GENERATED ALWAYS AS IDENTITY (START 7 INCREMENT 3), "co;l
umn" text COLLATE german);
INSERT INTO "we ird"."Ta.b""le
two" ("co;l
umn") SELECT CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN E'\\.' WHEN 2 THEN E'a\nb\tc\\' WHEN 3 THEN ''
    ELSE '\.' END FROM generate_series(1, 100) AS i;
CREATE TABLE serials (id serial PRIMARY KEY, big bigserial, note text DEFAULT 'x;y');
INSERT INTO serials (note) SELECT md5(i::text) FROM generate_series(1, 20000) AS i;
DELETE FROM serials WHERE id % 7 = 0;
CREATE SEQUENCE untouched START 5;
CREATE SEQUENCE "down ward" INCREMENT -2 MAXVALUE 100 START 100;
SELECT nextval('"down ward"'), nextval('"down ward"');

CREATE TABLE hard_values (
    b bytea, f float8, r real, n numeric, d date, t timestamptz, i interval, m mood, p pair,
    pairs pair[], grid int[][], s span, j jsonb, x xml, u uuid, bits bit varying, net inet, money money);
INSERT INTO hard_values (b)
SELECT decode(string_agg(lpad(to_hex(i), 2, '0'), ''), 'hex') FROM generate_series(0, 255) AS i;
INSERT INTO hard_values (f, r, n, d, t, i) VALUES
    ('NaN', 'NaN', 'NaN', 'infinity', 'infinity', '-1 year 2 mons -3 days 04:05:06.789'),
    ('-infinity', 'infinity', 1e-200, '4713-01-01 BC', '0044-03-15 12:00:00 BC', '178000000 years'),
    (0.1::float8 + 0.2, 1.17549435e-38, 12345678901234567890.123456789, '5874897-12-31',
     '1999-12-31 23:59:59.999999+14', '0');
INSERT INTO hard_values (m, p, pairs, grid, s, j, u, bits, net, money) VALUES
    ('it''s "fine"', ROW(1, E'a,"b"\n)'), ARRAY[ROW(1, NULL), ROW(NULL, '')]::pair[],
     '[2:3][0:1]={{1,2},{3,NULL}}', '[1.5,)', '{"a": [1, null, "\\"]}',
     '00000000-0000-0000-0000-000000000000', B'10101', '10.0.0.0/8', -12.34);
CREATE TABLE plain_values (
    i int, s smallint, big bigint, yes boolean, o oid, n numeric(20,5), t text, v varchar(20), ch char(4),
    j json, jb jsonb, b bytea, u uuid, d date, at timestamptz, local timestamp, hour time, m mood, p positive,
    r real, f float8, net inet, "pai""r" pair, flags boolean[], x xml);
INSERT INTO plain_values
SELECT i * 7919 - 99999, i, i::bigint * -1234567890123, i % 2 = 0, i::oid, i / 7.0, E'a\tb\\' || chr(i + 1),
    md5(i::text)::varchar(20), 'x', '{"a" : "\n"}', '{"a": "\t"}', decode(md5(i::text), 'hex'),
    md5(i::text)::uuid, date '2000-01-01' - i * 5000, timestamptz '2000-01-01 00:00+00' - i * interval '5000 d 1 us',
    timestamp '2000-01-01' + i * interval '1.5 s', time '00:00' + i * interval '1.000001 s', 'so so', i + 1,
    i / 3.0, i / 7.0, '10.0.0.1', CASE i % 3 WHEN 0 THEN ROW(i, e'"\t')::pair WHEN 1 THEN ROW(NULL, NULL)::pair END,
    ARRAY[i > 5, NULL], '<?xml version="1.0"?><a>\</a>'
FROM generate_series(0, 400) AS i;
INSERT INTO plain_values (n, d, at, local, hour) VALUES
    ('NaN', 'infinity', '-infinity', 'infinity', '24:00'),
    (-0.00001, '4714-11-24 BC', '4714-11-24 00:00+00 BC', '294276-12-31 23:59:59.999999', NULL);
CREATE TABLE wide (id int, t text);
INSERT INTO wide VALUES (1, repeat('x', 20000000)), (2, ''), (3, NULL);

CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE dropped (a int, b int, c int);
INSERT INTO dropped VALUES (1, 2, 3);
ALTER TABLE dropped DROP COLUMN b;
CREATE TABLE generated (a int PRIMARY KEY, g int GENERATED ALWAYS AS (a * 2) STORED, c positive);
INSERT INTO generated (a, c) SELECT i, i FROM generate_series(1, 10) AS i;
CREATE TABLE only_generated (g int GENERATED ALWAYS AS (1 + 1) STORED);
INSERT INTO only_generated DEFAULT VALUES;
CREATE UNLOGGED TABLE unlogged_rows (a int);
INSERT INTO unlogged_rows VALUES (1);
CREATE TEMPORARY TABLE temporary_rows (a int);

CREATE TABLE by_range (k int, v text, PRIMARY KEY (k)) PARTITION BY RANGE (k);
CREATE TABLE by_range_1 PARTITION OF by_range FOR VALUES FROM (0) TO (100);
CREATE TABLE by_range_2 PARTITION OF by_range FOR VALUES FROM (100) TO (1000);
INSERT INTO by_range SELECT i, 'v' || i FROM generate_series(0, 999) AS i;
CREATE TABLE by_list (k text) PARTITION BY LIST (k);
CREATE TABLE by_list_a PARTITION OF by_list FOR VALUES IN ('a', NULL);
CREATE TABLE by_list_rest PARTITION OF by_list DEFAULT;
INSERT INTO by_list VALUES ('a'), (NULL), ('z');
CREATE TABLE by_hash (k int) PARTITION BY HASH (k);
CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_hash SELECT generate_series(1, 100);
CREATE TABLE by_mood (m mood, k int) PARTITION BY HASH (m);
CREATE TABLE by_mood_0 PARTITION OF by_mood FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE by_mood_1 PARTITION OF by_mood FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE by_mood_2 PARTITION OF by_mood FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO by_mood SELECT m, i FROM unnest(enum_range(NULL::mood)) AS m, generate_series(1, 9) AS i;
CREATE TABLE tree (k int, at date, v text) PARTITION BY LIST (k);
CREATE TABLE tree_1 (gone int, v text, at date, k int) PARTITION BY RANGE (at);
ALTER TABLE tree_1 DROP COLUMN gone;
ALTER TABLE tree ATTACH PARTITION tree_1 FOR VALUES IN (1);
CREATE TABLE tree_1_old PARTITION OF tree_1 FOR VALUES FROM (MINVALUE) TO ('2000-01-01');
CREATE TABLE tree_1_new PARTITION OF tree_1 DEFAULT;
INSERT INTO tree SELECT 1, date '1999-12-01' + i, 'v' || i FROM generate_series(1, 60) AS i;
CREATE INDEX tree_v ON tree (v);
CREATE TABLE parent (a int);
CREATE TABLE child (b int) INHERITS (parent);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (2, 3);

CREATE TABLE egg (id int PRIMARY KEY, hen int);
CREATE TABLE hen (id int PRIMARY KEY, egg int REFERENCES egg DEFERRABLE INITIALLY DEFERRED);
BEGIN;
INSERT INTO hen VALUES (1, 1);
INSERT INTO egg VALUES (1, 1);
COMMIT;
ALTER TABLE egg ADD FOREIGN KEY (hen) REFERENCES hen;
CREATE TABLE of_pair OF pair (a WITH OPTIONS PRIMARY KEY);
INSERT INTO of_pair VALUES (1, 'b');
CREATE DOMAIN pairs AS pair[] CHECK (cardinality(VALUE) < 3);
CREATE TABLE odd_types (
    d pairs, c "char", n name, o oid, r regclass, f regprocedure, v tsvector, q tsquery, g point,
    p path, l pg_lsn, b bit(3), k int2vector, tz timetz, m macaddr8, j json, jp jsonpath, ch char(4));
INSERT INTO odd_types VALUES (
    ARRAY[ROW(1, 'a'), ROW(2, NULL)]::pair[], E'\\', 'ann', 4294967295, 'serials', 'lower(text)',
    'a:1A b', 'a & !b', '(1,-0)', '[(1,2),(3,4e-300)]', '1/FF', B'101', '1 2 3', '04:05:06.7-08:30',
    '08:00:2b:01:02:03:04:05', '{"a" :  1,"a":2}', '$.a[*] ? (@ > 1)', 'ab');
CREATE TABLE half_checked (a int, b int NOT NULL);
INSERT INTO half_checked VALUES (-1, 1);
ALTER TABLE half_checked ADD CHECK (a > 0) NOT VALID;
ALTER TABLE half_checked ADD CONSTRAINT later UNIQUE (b) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE half_checked REPLICA IDENTITY FULL;
ALTER TABLE of_pair CLUSTER ON of_pair_pkey;
CREATE SEQUENCE around AS smallint MINVALUE -3 MAXVALUE 3 START 3 CYCLE OWNED BY half_checked.a;
SELECT nextval('around'), nextval('around');
CREATE TABLE booked (during tsrange, EXCLUDE USING gist (during WITH &&));
CREATE INDEX serials_note ON serials (lower(note)) INCLUDE (big) WHERE id > 10;
CREATE STATISTICS serials_both (ndistinct, mcv) ON id, note FROM serials;
ALTER TABLE serials ALTER note SET STATISTICS 500, ALTER note SET STORAGE EXTERNAL;

CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN -- it's; "quoted
    RETURN new; END $body$;
CREATE TRIGGER serials_changed BEFORE UPDATE ON serials FOR EACH ROW EXECUTE FUNCTION note_change();
ALTER TABLE serials DISABLE TRIGGER serials_changed;
\if :v14
CREATE FUNCTION atomic(x int) RETURNS int LANGUAGE sql
    BEGIN ATOMIC SELECT CASE WHEN x > 0 THEN 1 ELSE 2 END; SELECT x + 1; END;
\else
CREATE FUNCTION atomic(x int) RETURNS int LANGUAGE sql AS 'SELECT x + 1';
\endif
CREATE PROCEDURE nothing() LANGUAGE sql AS 'SELECT';
CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE CAST (pair AS mood) WITH INOUT;
CREATE TEXT SEARCH DICTIONARY short_words (TEMPLATE = simple, STOPWORDS = english);
ALTER TEXT SEARCH CONFIGURATION plain_words ALTER MAPPING FOR asciiword WITH short_words;
CREATE CONVERSION to_latin FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
CREATE VIEW open_pairs WITH (security_barrier) AS SELECT * FROM of_pair WHERE a > 0
    WITH LOCAL CHECK OPTION;
CREATE FUNCTION no_change() RETURNS trigger LANGUAGE plpgsql SET search_path = private AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER no_delete INSTEAD OF DELETE ON open_pairs FOR EACH ROW EXECUTE FUNCTION no_change();
CREATE CONSTRAINT TRIGGER at_the_end AFTER INSERT ON half_checked DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.a = 5) EXECUTE FUNCTION note_change();
ALTER TABLE half_checked ENABLE ALWAYS TRIGGER at_the_end;
CREATE VIEW a_view AS SELECT 'a;b' AS x, count(*) AS c FROM serials;
CREATE MATERIALIZED VIEW z_base AS SELECT count(*) AS c FROM by_range;
CREATE UNIQUE INDEX z_base_c ON z_base (c);
CREATE MATERIALIZED VIEW a_above AS SELECT c + 1 AS c FROM z_base;
CREATE MATERIALIZED VIEW never_filled AS SELECT 1 AS c WITH NO DATA;
CREATE RULE child_rule AS ON INSERT TO child DO ALSO (UPDATE parent SET a = 1; UPDATE parent SET a = 2);
CREATE TABLE secret (owner name, what text);
INSERT INTO secret VALUES ('reader', 'a'), ('postgres', 'b');
ALTER TABLE secret ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON secret FOR SELECT TO reader USING (owner = current_user);
GRANT SELECT (owner), UPDATE (what) ON secret TO "Ann ""the"" clerk" WITH GRANT OPTION;
REVOKE ALL ON FUNCTION atomic(int) FROM PUBLIC;
ALTER TABLE secret OWNER TO reader;
REVOKE INSERT ON secret FROM reader;
\if :v15
CREATE PUBLICATION news FOR TABLE serials WHERE (id > 5), TABLES IN SCHEMA private;
\else
CREATE PUBLICATION news FOR TABLE serials;
\endif
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '/nowhere');
CREATE USER MAPPING FOR reader SERVER elsewhere OPTIONS (user 'x', password 'it''s');
CREATE FOREIGN TABLE far_away (a int) SERVER elsewhere;
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''ddl''; END';
CREATE EVENT TRIGGER watching ON ddl_command_start EXECUTE FUNCTION watch();
COMMENT ON EVENT TRIGGER watching IS 'last of all';
COMMENT ON TABLE serials IS E'\\ \n-- PostgreSQL database dump complete\n\\! touch /tmp/vaxdb-obeyed';

SELECT lo_from_bytea(4711, '\x000102ff5c0a');
SELECT lo_from_bytea(4712, decode(repeat('ab', 100000), 'hex'));
SELECT lo_create(4713);
ALTER LARGE OBJECT 4711 OWNER TO reader;
GRANT SELECT ON LARGE OBJECT 4712 TO "Ann ""the"" clerk";
COMMENT ON LARGE OBJECT 4712 IS E'it''s\n\\restrict large';
