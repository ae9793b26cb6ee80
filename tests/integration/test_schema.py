"""The schema as text: for every kind of object, what was made, changed and dropped is named, and
nothing else is. Seen through `migrate verify`, which compares with the snapshot of the last run."""

import subprocess
from pathlib import Path

import pytest
from support.migrations import Project
from support.servers import DEBIAN_MAJOR, bindir

GUIDE = Path(__file__).parents[2] / "backend/database/migrations"

BASE = """
CREATE SCHEMA kept;
CREATE TABLE base (id int PRIMARY KEY, a text, b int, at date);
CREATE TABLE other (id int PRIMARY KEY, a text, b int NOT NULL DEFAULT 1, c text, g int);
CREATE TABLE parted (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE loose (id int, at date);
CREATE TABLE child (id int PRIMARY KEY, a text, b int, at date);
CREATE TABLE switched (id int PRIMARY KEY);
CREATE INDEX valid ON other (id);
CREATE VIEW seen AS SELECT id FROM base;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE FUNCTION happens() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN END$$;
CREATE TYPE thing AS (x int, y int);
CREATE FUNCTION as_thing(int) RETURNS thing LANGUAGE sql AS 'SELECT ($1, $1)::thing';
"""

# kind, name, what makes it, what changes it, what drops it. Each is alone in what it changes.
# fmt: off
KINDS = [
    ("schema", "made", "CREATE SCHEMA made", None, "DROP SCHEMA made"),
    ("extension", "hstore", "CREATE EXTENSION hstore SCHEMA public",
     "ALTER EXTENSION hstore SET SCHEMA kept", "DROP EXTENSION hstore"),
    ("table", "public.made", "CREATE TABLE made ()", "ALTER TABLE made SET (fillfactor = 50)",
     "DROP TABLE made"),
    ("table", "public.\"Odd name\"", "CREATE UNLOGGED TABLE \"Odd name\" ()",
     "ALTER TABLE \"Odd name\" SET LOGGED", "DROP TABLE \"Odd name\""),
    ("column", "public.base.c", "ALTER TABLE base ADD c int", "ALTER TABLE base ALTER c TYPE bigint",
     "ALTER TABLE base DROP c"),
    ("constraint", "public.base.k", "ALTER TABLE base ADD CONSTRAINT k CHECK (b > 0) NOT VALID",
     "ALTER TABLE base VALIDATE CONSTRAINT k", "ALTER TABLE base DROP CONSTRAINT k"),
    ("constraint", "public.base.f",
     "ALTER TABLE base ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES other",
     "ALTER TABLE base ALTER CONSTRAINT f DEFERRABLE", "ALTER TABLE base DROP CONSTRAINT f"),
    ("constraint", "public.base.u", "ALTER TABLE base ADD CONSTRAINT u UNIQUE (a)",
     "ALTER INDEX u SET (fillfactor = 50)", "ALTER TABLE base DROP CONSTRAINT u"),
    ("constraint", "public.base.e",
     "ALTER TABLE base ADD CONSTRAINT e EXCLUDE USING btree (at WITH =)",
     "ALTER TABLE base DROP CONSTRAINT e, ADD CONSTRAINT e EXCLUDE USING btree (b WITH =)",
     "ALTER TABLE base DROP CONSTRAINT e"),
    ("index", "public.i", "CREATE INDEX i ON base (a) WHERE b > 0", "ALTER INDEX i SET (fillfactor = 50)",
     "DROP INDEX i"),
    ("view", "public.v", "CREATE VIEW v AS SELECT id FROM base", "ALTER VIEW v SET (security_barrier)",
     "DROP VIEW v"),
    ("materialized view", "public.m", "CREATE MATERIALIZED VIEW m AS SELECT id FROM base",
     "ALTER MATERIALIZED VIEW m SET (fillfactor = 50)", "DROP MATERIALIZED VIEW m"),
    ("sequence", "public.s", "CREATE SEQUENCE s", "ALTER SEQUENCE s INCREMENT 5 OWNED BY base.id",
     "DROP SEQUENCE s"),
    ("function", "public.f(integer,text)",
     "CREATE FUNCTION f(int, b text DEFAULT 'x') RETURNS int LANGUAGE sql AS 'SELECT 1'",
     "ALTER FUNCTION f STABLE", "DROP FUNCTION f"),
    ("procedure", "public.p()", "CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1'",
     "ALTER PROCEDURE p SECURITY DEFINER", "DROP PROCEDURE p"),
    ("aggregate", "public.total(integer)",
     "CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int)",
     "CREATE OR REPLACE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '1')",
     "DROP AGGREGATE total (int)"),
    ("trigger", "public.base.t",
     "CREATE TRIGGER t BEFORE UPDATE ON base FOR EACH ROW EXECUTE FUNCTION touch()",
     "ALTER TABLE base DISABLE TRIGGER t", "DROP TRIGGER t ON base"),
    ("trigger", "public.parted.t",
     "CREATE TRIGGER t AFTER INSERT ON parted FOR EACH ROW EXECUTE FUNCTION touch()",
     "ALTER TABLE parted ENABLE ALWAYS TRIGGER t", "DROP TRIGGER t ON parted"),
    ("rule", "public.base.r", "CREATE RULE r AS ON DELETE TO base DO ALSO NOTIFY gone",
     "ALTER TABLE base DISABLE RULE r", "DROP RULE r ON base"),
    ("policy", "public.base.p", "CREATE POLICY p ON base USING (b > 0)",
     "ALTER POLICY p ON base USING (b > 1)", "DROP POLICY p ON base"),
    ("type", "public.mood", "CREATE TYPE mood AS ENUM ('sad', 'ok')",
     "ALTER TYPE mood ADD VALUE 'meh' BEFORE 'ok'", "DROP TYPE mood"),
    ("type", "public.pair", "CREATE TYPE pair AS (x int)", "ALTER TYPE pair ADD ATTRIBUTE y text",
     "DROP TYPE pair"),
    ("type", "public.span", "CREATE TYPE span AS RANGE (SUBTYPE = float8)",
     "DROP TYPE span; CREATE TYPE span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi)",
     "DROP TYPE span"),
    ("type", "public.shell", "CREATE TYPE shell", None, "DROP TYPE shell"),
    ("domain", "public.positive", "CREATE DOMAIN positive AS int CONSTRAINT big CHECK (VALUE > 0)",
     "ALTER DOMAIN positive SET DEFAULT 1", "DROP DOMAIN positive"),
    ("statistics", "public.together", "CREATE STATISTICS together ON a, b FROM base",
     "ALTER STATISTICS together SET STATISTICS 50", "DROP STATISTICS together"),
    ("event trigger", "happened",
     "CREATE EVENT TRIGGER happened ON ddl_command_end WHEN TAG IN ('CREATE TABLE') "
     "EXECUTE FUNCTION happens()",
     "ALTER EVENT TRIGGER happened DISABLE", "DROP EVENT TRIGGER happened"),
    ("publication", "told", "CREATE PUBLICATION told FOR TABLE base",
     "ALTER PUBLICATION told ADD TABLE other", "DROP PUBLICATION told"),
    ("publication", "every", "CREATE PUBLICATION every FOR ALL TABLES",
     "ALTER PUBLICATION every SET (publish = 'insert')", "DROP PUBLICATION every"),
    ("comment", "table public.base", "COMMENT ON TABLE base IS 'x'", "COMMENT ON TABLE base IS 'y'",
     "COMMENT ON TABLE base IS NULL"),
    ("comment", "column public.base.a", "COMMENT ON COLUMN base.a IS 'x'",
     "COMMENT ON COLUMN base.a IS 'y'", "COMMENT ON COLUMN base.a IS NULL"),
    ("comment", "index public.base_pkey", "COMMENT ON INDEX base_pkey IS 'x'",
     "COMMENT ON INDEX base_pkey IS 'y'", "COMMENT ON INDEX base_pkey IS NULL"),
    ("comment", "view public.seen", "COMMENT ON VIEW seen IS 'x'", "COMMENT ON VIEW seen IS 'y'",
     "COMMENT ON VIEW seen IS NULL"),
    ("comment", "function public.touch()", "COMMENT ON FUNCTION touch() IS 'x'",
     "COMMENT ON FUNCTION touch() IS 'y'", "COMMENT ON FUNCTION touch() IS NULL"),
    ("comment", "table constraint base_pkey on public.base",
     "COMMENT ON CONSTRAINT base_pkey ON base IS 'x'", "COMMENT ON CONSTRAINT base_pkey ON base IS 'y'",
     "COMMENT ON CONSTRAINT base_pkey ON base IS NULL"),
    ("comment", "schema kept", "COMMENT ON SCHEMA kept IS 'x'", "COMMENT ON SCHEMA kept IS 'y'",
     "COMMENT ON SCHEMA kept IS NULL"),
    ("collation", "public.c", "CREATE COLLATION c FROM \"C\"",
     "DROP COLLATION c; CREATE COLLATION c FROM \"POSIX\"", "DROP COLLATION c"),
    ("cast", "(integer AS public.thing)", "CREATE CAST (int AS thing) WITH FUNCTION as_thing(int)",
     "DROP CAST (int AS thing); "
     "CREATE CAST (int AS thing) WITH FUNCTION as_thing(int) AS ASSIGNMENT",
     "DROP CAST (int AS thing)"),
    ("operator", "public.&&&(integer,integer)",
     "CREATE OPERATOR &&& (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
     "ALTER OPERATOR &&& (int, int) SET (RESTRICT = eqsel)", "DROP OPERATOR &&& (int, int)"),
    ("operator family", "public.fam USING btree", "CREATE OPERATOR FAMILY fam USING btree",
     "ALTER OPERATOR FAMILY fam USING btree ADD OPERATOR 1 < (int, int)",
     "DROP OPERATOR FAMILY fam USING btree"),
    ("operator class", "public.cls USING btree",
     "CREATE OPERATOR FAMILY cfam USING btree; CREATE OPERATOR CLASS cls FOR TYPE int USING btree "
     "FAMILY cfam AS FUNCTION 1 btint4cmp(int, int)",
     None, "DROP OPERATOR FAMILY cfam USING btree"),
    ("text search configuration", "public.words", "CREATE TEXT SEARCH CONFIGURATION words (COPY = simple)",
     "ALTER TEXT SEARCH CONFIGURATION words DROP MAPPING FOR int",
     "DROP TEXT SEARCH CONFIGURATION words"),
    ("text search dictionary", "public.dict", "CREATE TEXT SEARCH DICTIONARY dict (TEMPLATE = simple)",
     "ALTER TEXT SEARCH DICTIONARY dict (ACCEPT = false)", "DROP TEXT SEARCH DICTIONARY dict"),
    ("language", "tongue", "CREATE LANGUAGE tongue HANDLER plpgsql_call_handler", None,
     "DROP LANGUAGE tongue"),
    ("access method", "way", "CREATE ACCESS METHOD way TYPE INDEX HANDLER bthandler", None,
     "DROP ACCESS METHOD way"),
    ("conversion", "public.turn",
     "CREATE CONVERSION turn FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8", None,
     "DROP CONVERSION turn"),
    ("transform", "FOR integer LANGUAGE sql",
     "CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), "
     "TO SQL WITH FUNCTION int4recv(internal))", None, "DROP TRANSFORM FOR int LANGUAGE sql"),
    ("foreign-data wrapper", "wrap", "CREATE FOREIGN DATA WRAPPER wrap",
     "ALTER FOREIGN DATA WRAPPER wrap OPTIONS (x 'y')", None),
    ("server", "far", "CREATE SERVER far FOREIGN DATA WRAPPER wrap",
     "ALTER SERVER far OPTIONS (x 'y')", None),
    ("foreign table", "public.away", "CREATE FOREIGN TABLE away () SERVER far",
     "ALTER FOREIGN TABLE away OPTIONS (x 'y')",
     "DROP FOREIGN TABLE away; DROP SERVER far; DROP FOREIGN DATA WRAPPER wrap"),
]

# What only changes: of a table, of a column.
CHANGES = [
    ("table", "public.other", "ALTER TABLE other REPLICA IDENTITY FULL"),
    ("table", "public.switched", "ALTER TABLE switched ENABLE ROW LEVEL SECURITY"),
    ("table", "public.loose",
     "ALTER TABLE parted ATTACH PARTITION loose FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"),
    ("table", "public.child", "ALTER TABLE child INHERIT base"),
    ("index", "public.valid",
     "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'valid'::regclass"),
    ("column", "public.other.a", "ALTER TABLE other ALTER a SET NOT NULL"),
    ("column", "public.other.b", "ALTER TABLE other ALTER b SET DEFAULT 2"),
    ("column", "public.other.c", "ALTER TABLE other ALTER c TYPE text COLLATE \"C\""),
    ("column", "public.other.g", "ALTER TABLE other ALTER g SET STATISTICS 77"),
    ("column", "public.base.a", "ALTER TABLE base ALTER a SET STORAGE EXTERNAL"),
    ("column", "public.base.b", "ALTER TABLE base ALTER b SET (n_distinct = 5)"),
    ("column", "public.child.a", "ALTER TABLE child ALTER a SET DEFAULT 'x'"),
]
MADE_WITH = {("operator family", "public.cfam USING btree")}
# fmt: on


def drift(project, *arguments, status=4):
    if status:
        done = project.fails(status, "verify", "--json", *arguments)
    else:
        done = project.ok("verify", "--json", *arguments)
    found = done.json["drift"]
    changes = [(one["change"], one["kind"], one["name"]) for one in found["changes"]]
    assert len(changes) == len(set(changes)), "an object has one name"
    return found, set(changes)


def accept(project):
    found, changes = drift(project, "--accept", "a test", status=0)
    assert (found["state"], changes, found["accepted"]) == ("none", set(), "a test")


def execute(project, statements):
    with project.database.connect() as connection:
        for statement in statements:
            connection.execute(statement)


def test_every_kind_is_named_when_made_changed_and_dropped(vaxdb, any_database):
    project = Project(vaxdb, any_database)
    project.write("001_base.sql", BASE)
    project.ok("up")
    assert drift(project, status=0)[0]["state"] == "none"

    execute(project, [make for _, _, make, _, _ in KINDS])
    names = {(kind, name) for kind, name, _, _, _ in KINDS} | MADE_WITH
    assert drift(project)[1] == {("added", *name) for name in names}
    accept(project)

    execute(project, [change for _, _, _, change, _ in KINDS if change])
    changed = {(kind, name) for kind, name, _, change, _ in KINDS if change}
    assert drift(project)[1] == {("changed", *name) for name in changed}
    accept(project)

    execute(project, [drop for _, _, _, _, drop in KINDS if drop])
    assert drift(project)[1] == {("dropped", *name) for name in names}
    accept(project)

    execute(project, [sql for _, _, sql in CHANGES])
    assert drift(project)[1] == {("changed", kind, name) for kind, name, _ in CHANGES}


def test_what_is_of_newer_majors(vaxdb, new_database, servers):
    database = new_database(server=servers.get(18))
    project = Project(vaxdb, database)
    project.write("001_base.sql", BASE)
    project.ok("up")
    execute(
        project,
        [
            "ALTER TABLE base ADD v int GENERATED ALWAYS AS (id * 2) VIRTUAL",
            "ALTER TABLE base ADD CONSTRAINT n NOT NULL b NOT VALID",
            "ALTER TABLE base ALTER a SET COMPRESSION pglz",
            "CREATE INDEX u ON base (a)",
            "CREATE PUBLICATION p FOR TABLES IN SCHEMA kept",
        ],
    )
    found, changes = drift(project)
    assert changes == {
        ("added", "column", "public.base.v"),
        ("changed", "column", "public.base.b"),
        ("changed", "column", "public.base.a"),
        ("added", "index", "public.u"),
        ("added", "publication", "p"),
    }
    after = {one["name"]: one["after"] for one in found["changes"]}
    assert after["public.base.v"].endswith("VIRTUAL")
    assert after["public.base.b"] == "integer NOT NULL NOT VALID"


def test_what_is_no_change_of_the_schema(project_of_base):
    project = project_of_base
    execute(
        project,
        [
            "INSERT INTO base VALUES (1, 'a', 2, '2024-01-01')",
            "ANALYZE",
            "VACUUM FULL base",
            "CREATE TEMPORARY TABLE passing (id int)",
            "GRANT SELECT ON base TO PUBLIC",
            "REINDEX TABLE base",
            "ALTER TABLE base ALTER b TYPE int",
        ],
    )
    assert drift(project, status=0)[0]["state"] == "none"


@pytest.fixture
def project_of_base(vaxdb, database):
    project = Project(vaxdb, database)
    project.write("001_base.sql", BASE)
    project.ok("up")
    return project


def test_grants_count_when_asked(project_of_base):
    project = project_of_base
    execute(
        project,
        [
            "GRANT SELECT ON base TO PUBLIC",
            "GRANT UPDATE (a) ON other TO PUBLIC",
            "REVOKE EXECUTE ON FUNCTION touch() FROM PUBLIC",
            "GRANT USAGE ON SCHEMA kept TO PUBLIC",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA kept GRANT SELECT ON TABLES TO PUBLIC",
        ],
    )
    assert drift(project, status=0)[1] == set()
    assert drift(project, "--grants")[1] == {
        ("changed", "grant", "table public.base"),
        ("added", "grant", "column public.other.a"),
        ("changed", "grant", "routine public.touch()"),
        ("changed", "grant", "schema kept"),
        ("added", "grant", "defaults of postgres for tables in schema kept"),
    }


def fingerprint(project):
    return drift(project, status=0)[0]["fingerprint"]


def test_a_dump_restored_has_the_same_fingerprint(vaxdb, new_database, servers, new_vaxdb):
    server = servers.get(DEBIAN_MAJOR)
    project = Project(vaxdb, new_database(server=server))
    for path in GUIDE.glob("*.sql"):
        project.write(path.name, path.read_bytes())
    project.write("9000_kinds.sql", BASE + ";\n".join(k[2] for k in KINDS if k[0] != "language"))
    project.ok("up")
    copy = Project(new_vaxdb(), new_database(server=server))
    for path in project.folder.iterdir():
        copy.write(path.name, path.read_bytes())
    dump = [bindir(DEBIAN_MAJOR) / "pg_dump", "--dbname", project.database.url]
    text = subprocess.run(dump, stdout=subprocess.PIPE, check=True).stdout
    load = ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", copy.database.url]
    subprocess.run(load, input=text, check=True)
    assert fingerprint(copy) == fingerprint(project)
    copy.database.execute("ALTER TABLE base ALTER a TYPE varchar")
    assert drift(copy)[0]["fingerprint"] != fingerprint(project)
