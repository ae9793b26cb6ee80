#include "unit.h"

#include "base/file.h"
#include "base/str.h"
#include "lint/lint.h"

#include <unistd.h>

/* Each rule that needs no server, with a folder in which it finds something and one in which it
 * does not. A text without a line "=== NAME" is that of 001_a.sql. */
static const struct {
    const char *rule, *bad, *good;
} cases[] = {
    /* the text */
    {"syntax-error", "SELEC 1;", "SELECT 1;"},
    {"index-expression-parentheses", "CREATE INDEX i ON t (b DESC, a + b DESC);",
     "CREATE INDEX i ON t (b DESC, (a + b) DESC, lower(c));"},
    {"psql-meta-command", "\\d t\nSELECT 1;", "SELECT '\\d t';"},
    {"unreadable-sql", "SELECT 'x", "SELECT 'x';"},
    {"unreadable-file", "SELECT '\xFF';", "SELECT '\xC3\xA4';"},
    {"statement-refused", "SET standard_conforming_strings = off;",
     "SET standard_conforming_strings = on;"},
    {"transaction-mode", "-- migrate:transaction perhaps\nSELECT 1;",
     "-- migrate:transaction none\nSELECT 1;"},
    {"transaction-control-in-file", "SELECT 1; COMMIT; SELECT 2;", "BEGIN; SELECT 1; COMMIT;"},
    {"unused-ignore", "-- lint:ignore drop-table nobody uses it\nSELECT 1;",
     "-- lint:ignore drop-table nobody uses it\nDROP TABLE t;"},
    {"ignore-without-reason", "-- lint:ignore drop-table\nDROP TABLE t;",
     "-- lint:ignore drop-table nobody uses it\nDROP TABLE t;"},
    /* the folder */
    {"duplicate-number", "=== 002_a.sql\nSELECT 1;\n=== 2_b.sql\nSELECT 1;",
     "=== 002_a.sql\nSELECT 1;\n=== 003_b.sql\nSELECT 1;"},
    {"ambiguous-pair", "=== 1_a.sql\nSELECT 1;\n=== 1_a.up.sql\nSELECT 1;",
     "=== 1_a.up.sql\nSELECT 1;\n=== 1_a.down.sql\nSELECT 1;"},
    {"down-without-up", "=== 001_a.sql\nSELECT 1;\n=== 002_b.down.sql\nSELECT 1;",
     "=== 001_a.sql\nSELECT 1;\n=== 001_a.down.sql\nSELECT 1;"},
    {"missing-down", "SELECT 1;", "=== 001_a.up.sql\nSELECT 1;\n=== 001_a.down.sql\nSELECT 1;"},
    {"down-does-not-undo",
     "=== 1_a.sql\nCREATE TABLE t (id bigint); CREATE VIEW v AS SELECT id FROM t;\n"
     "=== 1_a.down.sql\nDROP TABLE t;",
     "=== 1_a.sql\nCREATE TABLE t (id bigint); CREATE INDEX i ON t (id);\n"
     "=== 1_a.down.sql\nDROP TABLE t;"},
    {"complex-without-comment",
     "SELECT 1;SELECT 2;SELECT 3;SELECT 4;SELECT 5;SELECT 6;SELECT 7;SELECT 8;SELECT 9;SELECT 10;",
     "-- Why.\nSELECT 1;SELECT 2;SELECT 3;SELECT 4;SELECT 5;SELECT 6;SELECT 7;SELECT 8;SELECT 9;"
     "SELECT 10;"},
    /* indexes */
    {"create-index-blocks-writes", "CREATE INDEX i ON t (a);",
     "CREATE INDEX CONCURRENTLY i ON t (a);"},
    {"create-index-blocks-writes", "CREATE TABLE t (a int); CREATE INDEX i ON u (a);",
     "CREATE TABLE t (a int); CREATE INDEX i ON t (a);"},
    {"drop-index-blocks", "DROP INDEX i;", "DROP INDEX CONCURRENTLY i;"},
    {"reindex-blocks", "REINDEX TABLE t;", "REINDEX (CONCURRENTLY) TABLE t;"},
    {"concurrently-in-transaction",
     "-- migrate:transaction one\nCREATE INDEX CONCURRENTLY i ON t (a);",
     "CREATE INDEX CONCURRENTLY i ON t (a);"},
    {"concurrently-in-transaction",
     "CREATE INDEX CONCURRENTLY i ON t (a); INSERT INTO t (a) VALUES (1);",
     "-- migrate:transaction none\n"
     "CREATE INDEX CONCURRENTLY i ON t (a); INSERT INTO t (a) VALUES (1);"},
    {"predicate-not-immutable", "CREATE INDEX i ON t (a) WHERE at > CURRENT_DATE - 7;",
     "CREATE INDEX i ON t (a) WHERE at > DATE '2026-01-01';"},
    {"predicate-not-immutable", "CREATE INDEX i ON t ((at > now()));",
     "CREATE INDEX i ON t ((lower(a)));"},
    {"index-without-name", "CREATE INDEX ON t (a);", "CREATE INDEX i ON t (a);"},
    {"hash-index", "CREATE INDEX i ON t USING hash (a);", "CREATE INDEX i ON t USING btree (a);"},
    /* names, by what the files made themselves */
    {"missing-table", "CREATE TABLE t (a int); DROP TABLE t; ALTER TABLE t ADD b int;",
     "CREATE TABLE t (a int); ALTER TABLE t ADD b int;"},
    {"table-not-made-here", "CREATE TABLE t (a int); ALTER TABLE u ADD b int;",
     "CREATE TABLE t (a int); ALTER TABLE t ADD b int;"},
    {"missing-column", "CREATE TABLE t (a int); CREATE INDEX i ON t (b);",
     "CREATE TABLE t (a int); CREATE INDEX i ON t (a); CREATE INDEX j ON u (b);"},
    {"table-exists", "CREATE TABLE t (a int); CREATE TABLE t (a int);",
     "CREATE TABLE t (a int); DROP TABLE t; CREATE TABLE t (a int);"},
    {"column-exists", "CREATE TABLE t (a int); ALTER TABLE t ADD a int;",
     "CREATE TABLE t (a int); ALTER TABLE t ADD b int;"},
    {"index-exists", "CREATE TABLE t (a int); CREATE INDEX i ON t (a); CREATE INDEX i ON t (a);",
     "CREATE TABLE t (a int); CREATE INDEX i ON t (a); DROP INDEX i; CREATE INDEX i ON t (a);"},
    {"index-exists-different",
     "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a); CREATE INDEX IF NOT EXISTS i ON t "
     "(b);",
     "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a); CREATE INDEX IF NOT EXISTS i ON t "
     "(a);"},
    {"drop-missing", "CREATE TABLE t (a int); DROP TABLE t; DROP TABLE t;",
     "CREATE TABLE t (a int); DROP TABLE t; DROP TABLE IF EXISTS t;"},
    {"drop-index-of-constraint", "CREATE TABLE t (a int PRIMARY KEY); DROP INDEX t_pkey;",
     "CREATE TABLE t (a int); CREATE INDEX i ON t (a); DROP INDEX i;"},
    {"drop-still-used",
     "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int REFERENCES t); DROP TABLE t;",
     "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int REFERENCES t); DROP TABLE t, u;"},
    {"no-operator-class", "CREATE TABLE t (a bytea); CREATE INDEX i ON t USING gin (a);",
     "CREATE TABLE t (a jsonb); CREATE INDEX i ON t USING gin (a);"},
    {"duplicate-index", "CREATE TABLE t (a int); CREATE INDEX i ON t (a); CREATE INDEX j ON t (a);",
     "CREATE TABLE t (a int); CREATE INDEX i ON t (a); CREATE INDEX j ON t (a DESC);"},
    {"redundant-index",
     "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a, b); CREATE INDEX j ON t (a);",
     "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a, b); CREATE INDEX j ON t (b);"},
    {"concurrently-on-partitioned",
     "-- migrate:transaction none\n"
     "CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE INDEX CONCURRENTLY i ON t (a);",
     "-- migrate:transaction none\n"
     "CREATE TABLE t (a int); CREATE INDEX CONCURRENTLY i ON t (a);"},
    {"fk-types-incompatible",
     "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a text REFERENCES t);",
     "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int REFERENCES t);"},
    {"fk-types-differ",
     "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a bigint, FOREIGN KEY (a) REFERENCES t);",
     "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int, FOREIGN KEY (a) REFERENCES t);"},
    {"fk-referenced-not-unique", "CREATE TABLE t (a int); CREATE TABLE u (a int REFERENCES t (a));",
     "CREATE TABLE t (a int UNIQUE); CREATE TABLE u (a int REFERENCES t (a));"},
    {"fk-without-index",
     "=== 1_a.sql\nCREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int);\n"
     "=== 2_b.sql\nALTER TABLE u ADD FOREIGN KEY (a) REFERENCES t;",
     "=== 1_a.sql\nCREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int UNIQUE);\n"
     "=== 2_b.sql\nALTER TABLE u ADD FOREIGN KEY (a) REFERENCES t;"},
    /* ALTER TABLE */
    {"set-not-null-scans", "ALTER TABLE t ALTER a SET NOT NULL;",
     "CREATE TABLE t (a int); ALTER TABLE t ALTER a SET NOT NULL;"},
    {"drop-not-null", "ALTER TABLE t ALTER a DROP NOT NULL;",
     "ALTER TABLE t ALTER a SET NOT NULL;"},
    {"alter-column-type", "ALTER TABLE t ALTER a TYPE bigint;",
     "CREATE TABLE t (a int); ALTER TABLE t ALTER a TYPE bigint;"},
    {"drop-column", "ALTER TABLE t DROP COLUMN a;",
     "=== 1_a.sql\nALTER TABLE t ADD COLUMN a int;\n"
     "=== 1_a.down.sql\nALTER TABLE t DROP COLUMN a;"},
    {"add-column-not-null-no-default", "ALTER TABLE t ADD COLUMN a int NOT NULL;",
     "ALTER TABLE t ADD COLUMN a int NOT NULL DEFAULT 0;"},
    {"add-column-volatile-default", "ALTER TABLE t ADD COLUMN a uuid DEFAULT gen_random_uuid();",
     "ALTER TABLE t ADD COLUMN a timestamptz DEFAULT now();"},
    {"add-column-generated-stored",
     "ALTER TABLE t ADD COLUMN a int GENERATED ALWAYS AS (b + 1) STORED;",
     "ALTER TABLE t ADD COLUMN a int;"},
    {"add-column-serial", "ALTER TABLE t ADD COLUMN a bigserial;",
     "ALTER TABLE t ADD COLUMN a bigint;"},
    {"add-column-serial", "ALTER TABLE t ADD COLUMN a bigint GENERATED ALWAYS AS IDENTITY;",
     "CREATE TABLE t (a bigint GENERATED ALWAYS AS IDENTITY);"},
    {"unique-constraint-builds-index", "ALTER TABLE t ADD CONSTRAINT c UNIQUE (a);",
     "ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;"},
    {"primary-key-builds-index", "ALTER TABLE t ADD PRIMARY KEY (a);",
     "ALTER TABLE t ADD PRIMARY KEY USING INDEX i;"},
    {"exclude-constraint", "ALTER TABLE t ADD CONSTRAINT c EXCLUDE USING gist (a WITH &&);",
     "CREATE TABLE t (a int4range, CONSTRAINT c EXCLUDE USING gist (a WITH &&));"},
    {"foreign-key-without-not-valid",
     "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (id);",
     "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (id) NOT VALID;"},
    {"check-without-not-valid", "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);",
     "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;"},
    {"validate-in-same-transaction",
     "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c;",
     "-- migrate:transaction none\n"
     "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT "
     "c;"},
    {"detach-without-concurrently", "ALTER TABLE t DETACH PARTITION p;",
     "ALTER TABLE t DETACH PARTITION p CONCURRENTLY;"},
    {"attach-partition-scans", "ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1);",
     "CREATE TABLE p (a int); ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1);"},
    {"table-rewrite", "ALTER TABLE t SET LOGGED;", "ALTER TABLE t SET (fillfactor = 90);"},
    {"unlogged-table", "CREATE UNLOGGED TABLE t (a int);", "CREATE TABLE t (a int);"},
    {"disable-trigger", "ALTER TABLE t DISABLE TRIGGER ALL;", "ALTER TABLE t ENABLE TRIGGER ALL;"},
    {"disable-row-security", "ALTER TABLE t DISABLE ROW LEVEL SECURITY;",
     "ALTER TABLE t ENABLE ROW LEVEL SECURITY;"},
    {"change-owner", "ALTER TABLE t OWNER TO x;", "ALTER TABLE t ENABLE TRIGGER ALL;"},
    /* tables */
    {"drop-table", "DROP TABLE t;",
     "=== 1_a.sql\nCREATE TABLE t (a int);\n=== 1_a.down.sql\nDROP TABLE t;"},
    {"drop-schema", "DROP SCHEMA s;", "DROP VIEW s;"},
    {"drop-database", "DROP DATABASE d;", "DROP VIEW d;"},
    {"drop-cascade", "DROP VIEW v CASCADE;", "DROP VIEW v;"},
    {"drop-cascade", "ALTER TABLE t DROP CONSTRAINT c CASCADE;",
     "ALTER TABLE t DROP CONSTRAINT c;"},
    {"rename-table", "ALTER TABLE t RENAME TO u;",
     "CREATE TABLE t (a int); ALTER TABLE t RENAME TO u;"},
    {"rename-column", "ALTER TABLE t RENAME COLUMN a TO b;", "ALTER INDEX i RENAME TO j;"},
    {"truncate", "TRUNCATE t;", "CREATE TABLE t (a int); TRUNCATE t;"},
    {"truncate-cascade", "TRUNCATE t CASCADE;", "TRUNCATE t;"},
    {"cluster", "CLUSTER t USING i;", "ANALYZE t;"},
    {"vacuum-full", "VACUUM FULL t;", "VACUUM t;"},
    {"refresh-blocks-reads", "REFRESH MATERIALIZED VIEW v;",
     "REFRESH MATERIALIZED VIEW CONCURRENTLY v;"},
    {"lock-table", "LOCK TABLE t;", "LOCK TABLE t IN ROW EXCLUSIVE MODE;"},
    {"create-rule", "CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING;",
     "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();"},
    {"update-without-where", "UPDATE t SET a = 1;", "UPDATE t SET a = 1 WHERE b = 2;"},
    {"delete-without-where", "DELETE FROM t;", "DELETE FROM t WHERE a = 1;"},
    {"insert-without-columns", "INSERT INTO t VALUES (1);", "INSERT INTO t (a) VALUES (1);"},
    {"select-star-in-view", "CREATE VIEW v AS SELECT t.* FROM t;",
     "CREATE VIEW v AS SELECT a, (SELECT count(*) FROM u) FROM t;"},
    /* types and names */
    {"char-n", "CREATE TABLE t (a char(3));", "CREATE TABLE t (a text, b \"char\");"},
    {"timestamp-without-time-zone", "ALTER TABLE t ADD COLUMN a timestamp;",
     "ALTER TABLE t ADD COLUMN a timestamptz;"},
    {"time-with-time-zone", "CREATE TABLE t (a timetz);", "CREATE TABLE t (a time);"},
    {"json-instead-of-jsonb", "CREATE TABLE t (a json);", "CREATE TABLE t (a jsonb);"},
    {"money-type", "CREATE TABLE t (a money);", "CREATE TABLE t (a numeric(12,2));"},
    {"varchar-length", "CREATE TABLE t (a varchar(20));", "CREATE TABLE t (a varchar);"},
    {"serial-type", "CREATE TABLE t (a bigserial);",
     "CREATE TABLE t (a bigint GENERATED ALWAYS AS IDENTITY);"},
    {"int-primary-key", "CREATE TABLE t (a int PRIMARY KEY);",
     "CREATE TABLE t (a bigint PRIMARY KEY, b int);"},
    {"int-primary-key", "CREATE TABLE t (a int, PRIMARY KEY (a));",
     "CREATE TABLE t (a int, b int, PRIMARY KEY (a, b));"},
    {"identifier-too-long",
     "CREATE TABLE a23456789_b23456789_c23456789_d23456789_e23456789_f23456789_g234 (a int);",
     "CREATE TABLE a23456789_b23456789_c23456789_d23456789_e23456789_f23456789_g23 (a int);"},
    {"enum-add-value-without-position", "ALTER TYPE e ADD VALUE 'x';",
     "ALTER TYPE e ADD VALUE 'x' BEFORE 'y';"},
    {"enum-value-used-in-same-transaction",
     "ALTER TYPE e ADD VALUE 'x'; UPDATE t SET a = 'x' WHERE a = 'y';",
     "CREATE TYPE e AS ENUM ('y'); ALTER TYPE e ADD VALUE 'x'; UPDATE t SET a = 'x' WHERE b = 1;"},
    {"domain-constraint", "ALTER DOMAIN d ADD CONSTRAINT c CHECK (value > 0);",
     "ALTER DOMAIN d ADD CONSTRAINT c CHECK (value > 0) NOT VALID;"},
    /* the file as a whole */
    {"no-lock-timeout", "ALTER TABLE t ADD COLUMN a int;",
     "SET lock_timeout = '5s'; ALTER TABLE t ADD COLUMN a int;"},
    {"statement-after-access-exclusive",
     "ALTER TABLE t ADD COLUMN a int; UPDATE t SET a = 1 WHERE b = 2;",
     "UPDATE t SET a = 1 WHERE b = 2; ALTER TABLE t ADD COLUMN a int;"},
    {"several-alters-of-one-table", "ALTER TABLE t ADD a int; ALTER TABLE t ADD b int;",
     "ALTER TABLE t ADD a int, ADD b int; ALTER TABLE u ADD b int;"},
    {"many-changes-in-one-file",
     "ALTER TABLE a ADD x int; ALTER TABLE b ADD x int; ALTER TABLE c ADD x int;"
     "ALTER TABLE d ADD x int; ALTER TABLE e ADD x int; ALTER TABLE f ADD x int;",
     "ALTER TABLE a ADD x int; ALTER TABLE b ADD x int; ALTER TABLE c ADD x int;"
     "ALTER TABLE d ADD x int; ALTER TABLE e ADD x int; ALTER TABLE a ADD y int;"},
    {"not-idempotent", "CREATE TABLE t (a int);",
     "CREATE TABLE IF NOT EXISTS t (a int); DROP VIEW IF EXISTS v;"},
    {"session-setting", "SET search_path = x;", "SET LOCAL search_path = x; SET work_mem = '1GB';"},
    {"alter-system", "ALTER SYSTEM SET work_mem = '1GB';", "SET work_mem = '1GB';"},
    {"grant-to-public", "GRANT SELECT ON t TO PUBLIC;", "GRANT SELECT ON t TO app;"},
    {"security-definer-without-search-path",
     "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';",
     "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog "
     "AS 'SELECT 1';"},
    {"password-in-file", "CREATE ROLE r PASSWORD 'x';", "CREATE ROLE r LOGIN;"},
    {"superuser-role", "ALTER ROLE r SUPERUSER;", "ALTER ROLE r NOSUPERUSER;"},
};

static char folder[64];

static void write_one(Arena *arena, const char *name, const char *text, size_t length)
{
    Error err = {0};
    const char *path = path_join(arena, folder, name);
    assert_true(file_write_atomic(path, text, length, 0600, &err));
}

static void write_folder(Arena *arena, const char *text)
{
    Error err = {0};
    assert_true(directory_remove(folder, &err) && directory_make(folder, 0700, &err));
    if (!str_starts(text, "=== ")) {
        write_one(arena, "001_a.sql", text, strlen(text));
        return;
    }
    while (*text) {
        size_t name = strcspn(text, "\n");
        const char *body = text + name + 1, *next = strstr(body, "\n=== ");
        size_t length = next ? (size_t)(next + 1 - body) : strlen(body);
        write_one(arena, arena_strndup(arena, text + 4, name - 4), body, length);
        text = body + length;
    }
}

static LintReport lint(Arena *arena, const char *text)
{
    write_folder(arena, text);
    LintOptions options = {.directory = folder};
    LintReport report;
    Error err = {0};
    if (!lint_folder(arena, &options, &report, &err))
        fail_msg("%s: %s", text, err.message);
    return report;
}

static const LintFinding *find(const LintReport *report, const char *rule)
{
    for (size_t i = 0; i < report->count; i++) {
        if (str_equal(report->items[i].rule->id, rule))
            return &report->items[i];
    }
    return NULL;
}

static void finds_what_is_wrong_and_nothing_else(UNUSED void **state)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        LintReport bad = lint(arena, cases[i].bad);
        if (!find(&bad, cases[i].rule))
            fail_msg("%s not found in: %s", cases[i].rule, cases[i].bad);
        LintReport good = lint(arena, cases[i].good);
        if (find(&good, cases[i].rule))
            fail_msg("%s found in: %s", cases[i].rule, cases[i].good);
    }
}

/* A rule without a case would be a rule that nobody has seen work. */
static void every_rule_has_its_cases(UNUSED void **state)
{
    size_t count = 0;
    const LintRule *const *rules = lint_rules(&count);
    assert_true(count >= 45);
    for (size_t i = 0; i < count; i++) {
        bool seen = rules[i]->needs_catalogue;
        for (size_t k = 0; k < COUNT_OF(cases); k++)
            seen |= str_equal(cases[k].rule, rules[i]->id);
        if (!seen)
            fail_msg("the rule %s has no case", rules[i]->id);
    }
}

static void rules_are_complete_and_found(UNUSED void **state)
{
    size_t count = 0;
    const LintRule *const *rules = lint_rules(&count);
    for (size_t i = 0; i < count; i++) {
        const LintRule *rule = rules[i];
        if (lint_rule_find(rule->id) != rule || str_empty(rule->reason) || str_empty(rule->help))
            fail_msg("%s is not whole", rule->id);
        if (i > 0 && strcmp(rules[i - 1]->id, rule->id) >= 0)
            fail_msg("%s is there twice or out of order", rule->id);
        if (rule->certain && rule->severity != LINT_ERROR)
            fail_msg("%s is certain and no error", rule->id);
    }
    assert_null(lint_rule_find("no-such-rule"));
}

/* ---- comments that leave findings out
 * ------------------------------------------------------------ */

static size_t count(const LintReport *report, const char *rule)
{
    size_t found = 0;
    for (size_t i = 0; i < report->count; i++)
        found += str_equal(report->items[i].rule->id, rule);
    return found;
}

static void comments_leave_out_what_they_stand_at(UNUSED void **state)
{
    static const struct {
        const char *text;
        size_t left; /* findings of drop-table */
        size_t unused;
    } texts[] = {
        {"DROP TABLE a;", 1, 0},
        {"-- lint:ignore drop-table why\nDROP TABLE a;", 0, 0},
        {"SELECT 1;\n\n-- lint:ignore drop-table why\n\nDROP TABLE a;", 0, 0},
        {"DROP TABLE a; -- lint:ignore drop-table why", 0, 0},
        {"DROP TABLE\n  a; /* lint:ignore drop-table why */", 0, 0},
        {"DROP TABLE -- lint:ignore drop-table why\n a;", 0, 0},
        {"/* Gone for good.\n * lint:ignore drop-table why\n */\nDROP TABLE a;", 0, 0},
        {"-- lint:ignore drop-table why\nDROP TABLE a;\nDROP TABLE b;", 1, 0},
        {"DROP TABLE a;\n-- lint:ignore drop-table why\n", 1, 1},
        {"DROP TABLE a;\n-- lint:ignore drop-table why\nDROP VIEW b;", 1, 1},
        {"-- lint:ignore-file drop-table why\nDROP TABLE a;\nDROP TABLE b;", 0, 0},
        {"SELECT 1;\n-- lint:ignore-file drop-table why\nDROP TABLE b;", 1, 1},
        {"-- lint:ignore-file drop-table why\nSELECT 1;", 0, 1},
        {"-- lint:ignore drop-tabel why\nDROP TABLE a;", 1, 1},
        {"SELECT '-- lint:ignore drop-table why';\nDROP TABLE a;", 1, 0},
        {"COPY a FROM stdin;\n-- lint:ignore drop-table why\n\\.\nDROP TABLE a;", 1, 0},
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        LintReport report = lint(arena, texts[i].text);
        if (count(&report, "drop-table") != texts[i].left ||
            count(&report, "unused-ignore") != texts[i].unused)
            fail_msg("%s: %zu left, %zu unused", texts[i].text, count(&report, "drop-table"),
                     count(&report, "unused-ignore"));
    }
}

static void what_the_server_would_refuse_cannot_be_ignored(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    LintReport report = lint(arena, "-- lint:ignore syntax-error it is only a typo\nSELEC 1;");
    assert_int_equal(count(&report, "syntax-error"), 1);
    assert_non_null(strstr(find(&report, "unused-ignore")->message, "cannot be ignored"));
    assert_int_equal(report.ignored, 0);
}

/* ---- places
 * -------------------------------------------------------------------------------------- */

static void places_count_characters(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    LintReport report =
        lint(arena, "SELECT 1;\r\nSELECT '\xC3\xA4';\tDROP TABLE \"\xC3\xA4\xC3\xB6\";");
    const LintFinding *finding = find(&report, "drop-table");
    assert_int_equal(finding->line, 2);
    assert_int_equal(finding->column, 24);
    assert_int_equal(finding->width, 4);
    assert_string_equal(finding->source, "SELECT '\xC3\xA4';\tDROP TABLE \"\xC3\xA4\xC3\xB6\";");
    assert_string_equal(finding->name, "001_a.sql");
}

/* A megabyte on one line: what is shown of it is short and has the place in it. */
static void long_lines_are_cut_around_the_finding(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    size_t length = (size_t)1 << 20;
    char *text = arena_alloc(arena, length + 64);
    memset(text, ' ', length);
    static const char first[] = "SELECT 1;";
    static const char last[] = "DROP TABLE t;";
    memcpy(text, first, sizeof first - 1);
    memcpy(text + length, last, sizeof last);
    LintReport report = lint(arena, text);
    const LintFinding *finding = find(&report, "drop-table");
    assert_int_equal(finding->column, (int)length + 12);
    assert_true(strlen(finding->source) < 500);
    assert_int_equal(finding->source[finding->source_column - 1], 't');
}

static void findings_stand_in_the_order_of_the_text(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    LintReport report =
        lint(arena, "=== 10_b.sql\nSELEC 1;\nDROP TABLE t;\n=== 9_a.sql\nDROP TABLE t;\nSELEC 1;");
    assert_string_equal(report.items[0].name, "9_a.sql");
    for (size_t i = 1; i < report.count; i++) {
        const LintFinding *a = &report.items[i - 1], *b = &report.items[i];
        assert_true(!str_equal(a->name, b->name) || a->line <= b->line);
    }
    assert_string_equal(report.items[report.count - 1].name, "10_b.sql");
    assert_int_equal(report.errors + report.warnings + report.infos, report.count);
    assert_int_equal(report.statements, 4);
}

/* ---- downs
 * ---------------------------------------------------------------------------------------- */

static void downs_must_take_back_what_ups_make(UNUSED void **state)
{
    static const struct {
        const char *up, *down;
        bool undone;
    } pairs[] = {
        {"CREATE TABLE t ();", "-- nothing", false},
        {"CREATE TABLE t ();", "SET lock_timeout = 1;", false},
        {"CREATE TABLE t ();", "DROP TABLE IF EXISTS public.t;", true},
        {"CREATE TABLE s.t ();", "DROP TABLE t;", false},
        {"CREATE SCHEMA s; CREATE TABLE s.t ();", "DROP SCHEMA s CASCADE;", true},
        {"CREATE SCHEMA s; CREATE TABLE s.t ();", "DROP SCHEMA s;", true},
        {"CREATE TABLE t (); CREATE TABLE u ();", "DROP TABLE t;", false},
        {"CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE p PARTITION OF t DEFAULT;",
         "DROP TABLE t;", true},
        {"CREATE TEMP TABLE t (); DROP TABLE t;", "SELECT 1;", true},
        {"CREATE TABLE t (); DROP TABLE t;", "SELECT 1;", true},
        {"CREATE INDEX i ON t (a);", "DROP INDEX i;", true},
        {"CREATE INDEX i ON t (a);", "DROP INDEX j;", false},
        {"CREATE INDEX i ON s.t (a);", "DROP INDEX CONCURRENTLY s.i;", true},
        {"ALTER TABLE t ADD a int, ADD b int;", "ALTER TABLE t DROP a, DROP b;", true},
        {"ALTER TABLE t ADD a int, ADD b int;", "ALTER TABLE t DROP a;", false},
        {"ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);", "ALTER TABLE t DROP CONSTRAINT c;", true},
        {"ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);", "ALTER TABLE t DROP CONSTRAINT d;",
         false},
        {"CREATE TYPE e AS ENUM ('a');", "DROP TYPE e;", true},
        {"CREATE TYPE e AS ENUM ('a');", "DROP DOMAIN e;", true},
        {"CREATE DOMAIN d AS int;", "SELECT 1;", false},
        {"CREATE VIEW v AS SELECT 1;", "DROP VIEW v;", true},
        {"CREATE OR REPLACE VIEW v AS SELECT 1;", "CREATE OR REPLACE VIEW v AS SELECT 2;", true},
        {"CREATE MATERIALIZED VIEW v AS SELECT 1;", "DROP MATERIALIZED VIEW v;", true},
        {"CREATE TABLE t AS SELECT 1;", "DROP TABLE t;", true},
        {"CREATE SEQUENCE s;", "DROP SEQUENCE s;", true},
        {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';", "DROP FUNCTION f();", true},
        {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';", "SELECT f();", false},
        {"CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();",
         "DROP TRIGGER g ON t;", true},
        {"CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();",
         "DROP TRIGGER g ON u;", false},
        {"CREATE POLICY p ON t;", "DROP POLICY p ON t;", true},
        {"CREATE TABLE n (); ALTER TABLE n RENAME TO t;", "DROP TABLE t;", true},
        {"CREATE TABLE t ();", "DO $$ BEGIN DROP TABLE t; END $$;", true},
        {"INSERT INTO t (a) VALUES (1);", "DELETE FROM t WHERE a = 1;", true},
        {"INSERT INTO t (a) VALUES (1);", "", false},
        {"", "", true},
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        LintReport report = lint(arena, arena_printf(arena, "=== 1.sql\n%s\n=== 1.down.sql\n%s\n",
                                                     pairs[i].up, pairs[i].down));
        const LintFinding *finding = find(&report, "down-does-not-undo");
        if ((finding == NULL) != pairs[i].undone)
            fail_msg("%s / %s: %s", pairs[i].up, pairs[i].down,
                     finding ? finding->message : "not found");
        if (finding)
            assert_string_equal(finding->name, "1.down.sql");
    }
}

/* ---- refusing
 * -------------------------------------------------------------------------------------- */

static void a_refusal_counts(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    LintReport report = lint(arena, "DROP TABLE t;\n  SELEC 1;\nDROP DATABASE d;");
    Error err = {0};
    assert_false(lint_refusal(&report, &err));
    assert_int_equal(err.code, ERR_REFUSED);
    assert_true(report.errors > 1 && report.warnings > 1);
    assert_non_null(strstr(err.message, arena_printf(arena, "%zu errors and %zu warnings",
                                                     report.errors, report.warnings)));
    report.errors = 1;
    report.warnings = 0;
    assert_false(lint_refusal(&report, &err));
    assert_non_null(strstr(err.message, "found 1 error in what would run"));
}

static void a_syntax_error_hides_nothing(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    LintReport report = lint(arena, "SELEC 1;\n\\echo x\nCREATE TABEL t ();\n\\d\nDROP TABLE t;");
    assert_int_equal(count(&report, "syntax-error"), 2);
    assert_int_equal(count(&report, "psql-meta-command"), 2);
    assert_int_equal(find(&report, "drop-table")->line, 5);
}

static int prepare(UNUSED void **state)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/vaxdb-test-lint-%d", (int)getpid());
    return 0;
}

static int clean(UNUSED void **state)
{
    Error err = {0};
    return directory_remove(folder, &err) ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_wrong_and_nothing_else),
        cmocka_unit_test(every_rule_has_its_cases),
        cmocka_unit_test(rules_are_complete_and_found),
        cmocka_unit_test(comments_leave_out_what_they_stand_at),
        cmocka_unit_test(what_the_server_would_refuse_cannot_be_ignored),
        cmocka_unit_test(places_count_characters),
        cmocka_unit_test(long_lines_are_cut_around_the_finding),
        cmocka_unit_test(findings_stand_in_the_order_of_the_text),
        cmocka_unit_test(downs_must_take_back_what_ups_make),
        cmocka_unit_test(a_refusal_counts),
        cmocka_unit_test(a_syntax_error_hides_nothing),
    };
    return cmocka_run_group_tests(tests, prepare, clean);
}
