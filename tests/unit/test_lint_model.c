#include "unit.h"

#include "base/str.h"
#include "lint/model.h"
#include "pg/node.h"
#include "pg/parse.h"

/* Applies every statement of a text, as one file. */
static void run(Model *model, const char *text, size_t file)
{
    _cleanup_json_ json_t *tree = NULL;
    Error err = {0};
    if (!statement_tree(text, &tree, &err))
        fail_msg("%s: %s", text, err.message);
    const json_t *statements = json_object_get(tree, "stmts");
    for (size_t i = 0; i < json_array_size(statements); i++) {
        const char *type = NULL;
        const json_t *node =
            node_open(json_object_get(json_array_get(statements, i), "stmt"), &type);
        model_apply(model, type, node, file);
    }
}

static Model *model_of(Arena *arena, const char *text)
{
    Model *model = model_create(arena);
    run(model, text, 1);
    return model;
}

static const char *column_names(Arena *arena, const ModelTable *table)
{
    StrList names;
    str_list_init(&names, arena);
    for (size_t i = 0; table && i < table->column_count; i++)
        str_list_add(&names, table->columns[i].name);
    return table ? str_list_join(&names, arena, " ") : "no table";
}

/* What a text leaves of one table's columns. */
static void follows_columns(UNUSED void **state)
{
    static const struct {
        const char *text, *table, *columns;
    } cases[] = {
        {"CREATE TABLE t (a int, b text)", "t", "a b"},
        {"CREATE TABLE t (a int); ALTER TABLE t ADD COLUMN b int, DROP COLUMN a", "t", "b"},
        {"CREATE TABLE t (a int); ALTER TABLE t RENAME COLUMN a TO c", "t", "c"},
        {"CREATE TABLE t (a int); ALTER TABLE t RENAME TO u", "u", "a"},
        {"CREATE TABLE t (a int); ALTER TABLE t RENAME TO u", "t", "no table"},
        {"CREATE TABLE t (a int); CREATE TABLE u (LIKE t, b int)", "u", "a b"},
        {"CREATE TABLE t (a int); CREATE TABLE u (b int) INHERITS (t)", "u", "a b"},
        {"CREATE TABLE t (a int) PARTITION BY LIST (a);"
         "CREATE TABLE u PARTITION OF t DEFAULT; ALTER TABLE t ADD b int",
         "u", "a b"},
        {"CREATE TABLE t (a int) PARTITION BY LIST (a);"
         "CREATE TABLE u PARTITION OF t DEFAULT; ALTER TABLE t DROP a",
         "u", ""},
        {"CREATE TABLE t (a int, b int); CREATE TABLE u AS SELECT b, a AS c FROM t", "u", "b c"},
        {"CREATE TABLE t (a int); SELECT a INTO u FROM t", "u", "a"},
        {"CREATE TABLE t (a int); DROP TABLE t", "t", "no table"},
        {"CREATE TABLE t (a int); CREATE TABLE IF NOT EXISTS t (b int)", "t", "a"},
        {"CREATE SCHEMA s CREATE TABLE t (a int)", "t", "no table"},
        {"CREATE SCHEMA s; CREATE TABLE s.t (a int); ALTER TABLE s.t SET SCHEMA public", "t", "a"},
        {"CREATE SCHEMA s; SET search_path = s; CREATE TABLE t (a int); RESET search_path", "t",
         "no table"},
        {"CREATE SCHEMA s; SELECT set_config('search_path', 's', false); CREATE TABLE t (a int)",
         "t", "a"},
        {"CREATE TABLE t (a int); DROP SCHEMA public CASCADE", "t", "no table"},
        {"CREATE SCHEMA s; CREATE TABLE s.t (a int); ALTER SCHEMA s RENAME TO public", "t", "a"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        Model *model = model_of(arena, cases[i].text);
        const char *columns = column_names(arena, model_table(model, NULL, cases[i].table));
        if (!str_equal(columns, cases[i].columns))
            fail_msg("%s: %s has \"%s\"", cases[i].text, cases[i].table, columns);
    }
}

static void knows_a_column(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Model *model = model_of(
        arena, "CREATE TABLE t (id serial PRIMARY KEY, v varchar(20) NOT NULL DEFAULT 'x',"
               " g int GENERATED ALWAYS AS (1) STORED, i bigint GENERATED ALWAYS AS IDENTITY,"
               " l text[], w timestamp(3) with time zone, CHECK (l IS NOT NULL));"
               "ALTER TABLE t ALTER w TYPE date USING w::date, ALTER v DROP NOT NULL");
    const ModelTable *t = model_table(model, "public", "t");
    const ModelColumn *id = model_column(t, "id");
    assert_string_equal(id->base_type, "int4");
    assert_true(id->not_null && id->has_default);
    assert_non_null(model_table(model, NULL, "t_id_seq"));
    const ModelColumn *v = model_column(t, "v");
    assert_string_equal(v->type, "character varying(20)");
    assert_true(v->has_default && !v->not_null);
    assert_true(model_column(t, "g")->generated);
    assert_true(model_column(t, "i")->identity && model_column(t, "i")->not_null);
    assert_string_equal(model_column(t, "l")->type, "text[]");
    assert_string_equal(model_column(t, "l")->base_type, "_text");
    assert_true(model_column(t, "l")->has_not_null_check);
    assert_string_equal(model_column(t, "w")->base_type, "date");
    assert_null(model_column(t, "nothing"));
}

static void follows_indexes_and_constraints(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Model *model =
        model_of(arena, "CREATE TABLE p (id int PRIMARY KEY, a int, b int, UNIQUE (a, b));"
                        "CREATE TABLE c (id int, p_id int REFERENCES p, q int);"
                        "CREATE INDEX ON c (p_id); CREATE UNIQUE INDEX u ON c (id);"
                        "ALTER TABLE c ADD CONSTRAINT c_key UNIQUE USING INDEX u;"
                        "ALTER TABLE c ADD CONSTRAINT k CHECK (q IS NOT NULL) NOT VALID");
    const ModelTable *table = NULL;
    assert_true(model_index(model, NULL, "p_pkey", &table)->primary);
    assert_ptr_equal(table, model_table(model, NULL, "p"));
    assert_non_null(model_index(model, NULL, "p_a_b_key", NULL));
    assert_non_null(model_index(model, NULL, "c_p_id_idx", NULL));
    assert_null(model_index(model, NULL, "u", NULL));
    assert_string_equal(model_index(model, NULL, "c_key", &table)->constraint, "c_key");
    const ModelConstraint *fkey = model_constraint(table, "c_p_id_fkey");
    assert_int_equal(fkey->kind, 'f');
    assert_string_equal(fkey->referenced, "p");
    assert_false(model_column(table, "q")->has_not_null_check);
    run(model, "ALTER TABLE c VALIDATE CONSTRAINT k", 1);
    assert_true(model_column(table, "q")->has_not_null_check);
    run(model, "ALTER TABLE c DROP CONSTRAINT c_key; ALTER INDEX c_p_id_idx RENAME TO i", 1);
    assert_null(model_index(model, NULL, "c_key", NULL));
    assert_non_null(model_index(model, NULL, "i", NULL));
    run(model, "ALTER TABLE c RENAME TO d; ALTER TABLE d DROP COLUMN p_id", 1);
    assert_null(model_index(model, NULL, "i", NULL));
    table = model_table(model, NULL, "d");
    assert_null(model_constraint(table, "c_p_id_fkey"));
    run(model, "ALTER TABLE d ADD p int REFERENCES p; DROP TABLE p CASCADE", 1);
    assert_null(model_constraint(table, "d_p_fkey"));
}

static void drops_views_with_their_table(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Model *model = model_of(arena, "CREATE TABLE t (a int); CREATE VIEW v AS SELECT * FROM t;"
                                   "CREATE VIEW w AS SELECT * FROM v;"
                                   "CREATE VIEW x AS WITH t AS (SELECT 1) SELECT * FROM t");
    assert_int_equal(model_table(model, NULL, "t")->view_count, 1);
    run(model, "DROP TABLE t CASCADE", 1);
    assert_null(model_table(model, NULL, "v"));
    assert_null(model_table(model, NULL, "w"));
    assert_non_null(model_table(model, NULL, "x"));
}

static void follows_functions(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Model *model = model_of(arena, "CREATE FUNCTION f() RETURNS int IMMUTABLE LANGUAGE sql AS '';"
                                   "CREATE FUNCTION h() RETURNS int STABLE LANGUAGE sql AS '';"
                                   "CREATE SCHEMA s");
    assert_int_equal(model_volatility(model, NULL, "f"), 'i');
    run(model, "ALTER FUNCTION f() RENAME TO g; DROP ROUTINE h", 1);
    assert_int_equal(model_volatility(model, NULL, "f"), 0);
    assert_int_equal(model_volatility(model, NULL, "h"), 0);
    assert_int_equal(model_volatility(model, NULL, "g"), 'i');
    run(model, "ALTER FUNCTION g() SET SCHEMA s; ALTER SCHEMA s RENAME TO z", 1);
    assert_int_equal(model_volatility(model, NULL, "g"), 0);
    assert_int_equal(model_volatility(model, "s", "g"), 0);
    assert_int_equal(model_volatility(model, "z", "g"), 'i');
    run(model, "DROP SCHEMA z CASCADE", 1);
    assert_int_equal(model_volatility(model, "z", "g"), 0);
}

static void knows_which_file_named_what(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Model *model = model_of(arena, "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a);"
                                   "CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f();"
                                   "CREATE POLICY p ON t USING (true); CREATE SEQUENCE s");
    run(model, "ALTER TABLE t RENAME a TO c; ALTER TABLE t ADD CONSTRAINT k UNIQUE (b)", 2);
    run(model, "ALTER TRIGGER g ON t RENAME TO h; DROP POLICY p ON t", 3);
    run(model, "ALTER TABLE t RENAME TO u; ALTER SEQUENCE s OWNED BY u.b", 4);
    const ModelTable *u = model_table(model, NULL, "u");
    assert_int_equal(u->made_in, 1);
    assert_int_equal(u->named_in, 4);
    assert_int_equal(model_column(u, "c")->named_in, 2);
    assert_int_equal(model_column(u, "b")->named_in, 1);
    assert_int_equal(model_index(model, NULL, "i", NULL)->named_in, 1);
    assert_int_equal(model_constraint(u, "k")->named_in, 2);
    assert_int_equal(u->attached_count, 1);
    assert_string_equal(u->attached[0].name, "h");
    assert_int_equal(u->attached[0].named_in, 3);
    assert_true(model_table(model, NULL, "s")->may_be_gone);
    run(model, "ALTER TABLE unknown ADD COLUMN a int", 4);
    assert_null(model_table(model, NULL, "unknown"));
}

static void says_missing_only_of_what_it_knows(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Model *model = model_of(arena, "CREATE TABLE t (a int); CREATE TABLE u (a int); DROP TABLE t");
    assert_true(model_is_missing(model, NULL, "t"));
    assert_false(model_is_missing(model, NULL, "u"));
    assert_false(model_is_missing(model, NULL, "never_seen"));
    assert_false(model_is_complete(model));
    run(model, "DO $$ BEGIN END $$", 1);
    assert_false(model_is_missing(model, NULL, "t"));
    model = model_of(arena, "CREATE TABLE t (a int); DROP TABLE t; CREATE EXTENSION pgcrypto");
    assert_true(model_is_missing(model, NULL, "t"));
    run(model, "CREATE EXTENSION postgis", 1);
    assert_false(model_is_missing(model, NULL, "t"));
}

/* What the grammar did not take hides what it names, and all where it may touch more. */
static void an_unread_statement_hides_little(UNUSED void **state)
{
    static const struct {
        const char *text;
        bool t, other; /* still known? */
    } cases[] = {
        {"CREATE INDEX i ON t (a + 1)", true, true},
        {"CREATE UNIQUE INDEX CONCURRENTLY i ON \"t\" (a + 1)", true, true},
        {"DROP INDEX t CASCADE 1", false, false},
        {"ALTER TABLE T ADD COLUMN 1", false, true},
        {"CREATE UNLOGGED TABLE \"t\" (", false, true},
        {"CREATE TABLE IF NOT u (a int)", true, true},
        {"/* a */ create or replace view v AS SELEC t.a", false, true},
        {"INSERT INTO u VALUES (1, 't', 2", true, true},
        {"ALTER TABLE u ADD COLUMN 'x", false, false},
        {"DROP TABLE u CASCADE 1", false, false},
        {"CREATE SCHEMA s u", false, false},
        {"CREATE EXTENSION x y", false, false},
        {"SELEC 1", false, false},
        {"CREATE", false, false},
        {"", false, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        Model *model = model_of(arena, "CREATE TABLE gone (a int); CREATE TABLE t (a int);"
                                       "CREATE TABLE other (a int); DROP TABLE gone");
        model_apply_unread(model, cases[i].text, strlen(cases[i].text), 1);
        bool t = model_knows(model, model_table(model, NULL, "t"));
        bool other = model_knows(model, model_table(model, NULL, "other"));
        if (t != cases[i].t || other != cases[i].other ||
            model_is_missing(model, NULL, "gone") != other)
            fail_msg("%s: %d %d", cases[i].text, t, other);
        assert_false(model_knows(model, NULL));
        assert_int_equal(model_was_read(model, "i"), !strstr(cases[i].text, " i "));
    }
}

static void a_table_is_new_for_its_file(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Model *model = model_of(arena, "CREATE TABLE t (a int)");
    const ModelTable *t = model_table(model, NULL, "t");
    assert_false(model_is_busy(t));
    run(model, "INSERT INTO t VALUES (1)", 1);
    assert_int_equal(t->rows, -1);
    run(model, "SELECT 1", 2);
    assert_true(model_is_busy(t));
    assert_int_equal(t->made_in, 1);
}

static void tells_volatility(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Model *model =
        model_of(arena, "CREATE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';"
                        "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';"
                        "CREATE FUNCTION g(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'");
    static const struct {
        const char *name;
        char volatility;
    } cases[] = {{"now", 's'},   {"random", 'v'}, {"gen_random_uuid", 'v'},
                 {"lower", 'i'}, {"abs", 'i'},    {"version", 's'},
                 {"f", 'i'},     {"g", 0},        {"date_trunc", 0},
                 {"nobody", 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(model_volatility(model, NULL, cases[i].name), cases[i].volatility);
}

/* The second is how the server shows the first. */
static void compares_what_indexes_do(UNUSED void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"CREATE INDEX i ON t (a, b)", "CREATE UNIQUE INDEX j ON s.t USING btree (a, b)", true},
        {"CREATE INDEX i ON t (a DESC)", "CREATE INDEX i ON t (a DESC NULLS FIRST)", true},
        {"CREATE INDEX i ON t (a)", "CREATE INDEX i ON t (a DESC)", false},
        {"CREATE INDEX i ON t (a) WHERE s = 'x'",
         "CREATE INDEX i ON t USING btree (a) WHERE ((s)::text = 'x'::text)", true},
        {"CREATE INDEX i ON t (a) WHERE b > 1", "CREATE INDEX i ON t (a) WHERE b > 2", false},
        {"CREATE INDEX i ON t (lower(a))", "CREATE INDEX i ON t USING btree (lower((a)::text))",
         true},
        {"CREATE INDEX i ON t (a)", "CREATE INDEX i ON t (a) INCLUDE (b)", false},
        {"CREATE INDEX i ON t USING gin (a)", "CREATE INDEX i ON t (a)", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _cleanup_arena_ Arena *arena = arena_create();
        ModelIndex a = {.definition = cases[i].a}, b = {.definition = cases[i].b};
        Model *model = model_create(arena);
        const char *left = model_signature(model, &a), *right = model_signature(model, &b);
        assert_non_null(left);
        if (str_equal(left, right) != cases[i].same)
            fail_msg("%s\n%s", left, right);
    }
}

static void knows_operator_classes(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Model *model = model_create(arena);
    assert_int_equal(model_opclass(model, "gin", "bytea"), OPCLASS_NONE);
    assert_int_equal(model_opclass(model, "gin", "jsonb"), OPCLASS_DEFAULT);
    assert_int_equal(model_opclass(model, "gin", "_text"), OPCLASS_UNKNOWN);
    assert_int_equal(model_opclass(model, "btree", "bytea"), OPCLASS_UNKNOWN);
    run(model, "CREATE EXTENSION btree_gin", 1);
    assert_int_equal(model_opclass(model, "gin", "bytea"), OPCLASS_UNKNOWN);
    assert_int_equal(model_opclass(model, "gist", "text"), OPCLASS_NONE);
}

/* A ring of inheritance and a long chain of views end, and so does a tree of nonsense. */
static void ends_on_anything(UNUSED void **state)
{
    _cleanup_arena_ Arena *arena = arena_create();
    Model *model = model_of(arena, "CREATE TABLE a (x int); CREATE TABLE b (x int);"
                                   "ALTER TABLE a INHERIT b; ALTER TABLE b INHERIT a;"
                                   "ALTER TABLE a ALTER x TYPE text, ADD y int, DROP y;"
                                   "ALTER TABLE a RENAME x TO z; CREATE VIEW v0 AS SELECT 1");
    for (int i = 0; i < 3000; i++)
        run(model, arena_printf(arena, "CREATE VIEW v%d AS SELECT * FROM v%d", i + 1, i), 1);
    run(model, "DROP VIEW v0 CASCADE; DROP TABLE a CASCADE", 1);
    static const char *const types[] = {"CreateStmt", "AlterTableStmt", "IndexStmt", "DropStmt",
                                        "RenameStmt", "ViewStmt",       "SelectStmt"};
    _cleanup_json_ json_t *nonsense =
        json_pack("{s:i, s:[i, {s:{s:[]}}], s:[{}], s:{s:s}}", "relation", 3, "cmds", 1,
                  "AlterTableCmd", "def", "objects", "view", "relname", "x");
    _cleanup_json_ json_t *empty = json_object();
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        model_apply(model, types[i], nonsense, 1);
        model_apply(model, types[i], empty, 1);
        model_apply(model, types[i], NULL, 1);
        model_apply_unread(model, types[i], strlen(types[i]), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_columns),
        cmocka_unit_test(knows_a_column),
        cmocka_unit_test(follows_indexes_and_constraints),
        cmocka_unit_test(drops_views_with_their_table),
        cmocka_unit_test(follows_functions),
        cmocka_unit_test(knows_which_file_named_what),
        cmocka_unit_test(says_missing_only_of_what_it_knows),
        cmocka_unit_test(an_unread_statement_hides_little),
        cmocka_unit_test(a_table_is_new_for_its_file),
        cmocka_unit_test(tells_volatility),
        cmocka_unit_test(compares_what_indexes_do),
        cmocka_unit_test(knows_operator_classes),
        cmocka_unit_test(ends_on_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
