/* Types, names and other style of columns. */
#include "lint/rule.h"

#include "base/str.h"

typedef struct {
    const LintStatement *now;
    const json_t *column;
    const char *name, *type; /* type: the catalogue's name of it, "int4" */
    int64_t at, type_at;
} Column;

static bool type_is(const Column *column, const char *const *names)
{
    for (; *names; names++) {
        if (str_equal(column->type, *names))
            return true;
    }
    return false;
}

static const char *const chars[] = {"bpchar", "char", NULL};
static const char *const timestamps[] = {"timestamp", NULL};
static const char *const times_with_zone[] = {"timetz", NULL};
static const char *const jsons[] = {"json", NULL};
static const char *const moneys[] = {"money", NULL};
static const char *const varchars[] = {"varchar", NULL};
static const char *const serials[] = {"serial",  "serial4",     "bigserial", "serial8",
                                      "serial2", "smallserial", NULL};
static const char *const short_keys[] = {"int4",    "int2",        "serial", "serial4",
                                         "serial2", "smallserial", NULL};

static void check_type(const Column *column)
{
    const LintStatement *now = column->now;
    const json_t *type = node_inner(column->column, "typeName", NULL);
    if (type_is(column, chars) && node_inner(type, "typmods", NULL))
        lint_add(now, "char-n", column->type_at, "%s is padded with spaces to its full length",
                 column->name);
    if (type_is(column, timestamps))
        lint_add(now, "timestamp-without-time-zone", column->type_at,
                 "%s means another moment in every time zone", column->name);
    if (type_is(column, times_with_zone))
        lint_add(now, "time-with-time-zone", column->type_at,
                 "%s has an offset and no date, so that it means no moment", column->name);
    if (type_is(column, jsons))
        lint_add(now, "json-instead-of-jsonb", column->type_at,
                 "%s can be neither indexed nor compared", column->name);
    if (type_is(column, moneys))
        lint_add(now, "money-type", column->type_at,
                 "what %s is worth depends on lc_monetary of the server", column->name);
    if (type_is(column, varchars) && node_inner(type, "typmods", NULL))
        lint_add(now, "varchar-length", column->type_at,
                 "the day %s needs to be longer is the day of another migration", column->name);
    if (type_is(column, serials))
        lint_add(now, "serial-type", column->type_at,
                 "the sequence of %s has rights and an owner of its own", column->name);
}

static bool is_primary(const json_t *column)
{
    size_t i;
    json_t *element;
    json_array_foreach(node_inner(column, "constraints", NULL), i, element)
    {
        if (node_is(json_object_get(element, "Constraint"), "contype", "CONSTR_PRIMARY"))
            return true;
    }
    return false;
}

static Column column_of(const LintStatement *now, const json_t *node)
{
    const json_t *type = node_inner(node, "typeName", NULL);
    const char *name = node_text(node, "colname");
    const char *type_name = node_name(node_inner(type, "names", NULL), NULL);
    return (Column){.now = now,
                    .column = node,
                    .name = name ? name : "?",
                    .type = type_name ? type_name : "",
                    .at = node_location(node, false),
                    .type_at = node_location(type, false)};
}

static void check_key(const Column *column)
{
    if (type_is(column, short_keys))
        lint_add(column->now, "int-primary-key", column->type_at,
                 "%s runs out of numbers, and a wider type then rewrites the table", column->name);
}

/* PRIMARY KEY (id) as a line of its own. */
static void check_table_key(const LintStatement *now, const json_t *elements,
                            const json_t *constraint)
{
    const json_t *keys = node_inner(constraint, "keys", NULL);
    const char *only = node_string(json_array_get(keys, 0));
    if (!node_is(constraint, "contype", "CONSTR_PRIMARY") || json_array_size(keys) != 1)
        return;
    size_t i;
    json_t *element;
    json_array_foreach(elements, i, element)
    {
        const json_t *node = json_object_get(element, "ColumnDef");
        Column column = column_of(now, node);
        if (node && str_equal(column.name, only))
            check_key(&column);
    }
}

static void check_create(const LintStatement *now)
{
    const json_t *elements = node_inner(now->node, "tableElts", NULL);
    size_t i;
    json_t *element;
    json_array_foreach(elements, i, element)
    {
        const json_t *constraint = json_object_get(element, "Constraint");
        const json_t *node = json_object_get(element, "ColumnDef");
        if (constraint)
            check_table_key(now, elements, constraint);
        if (!node)
            continue;
        Column column = column_of(now, node);
        check_type(&column);
        if (is_primary(node))
            check_key(&column);
    }
}

static void check_alter(const LintStatement *now)
{
    if (lint_is_down(now))
        return;
    size_t i;
    json_t *element;
    json_array_foreach(node_inner(now->node, "cmds", NULL), i, element)
    {
        const json_t *command = json_object_get(element, "AlterTableCmd");
        const json_t *node = node_inner(command, "def", "ColumnDef");
        bool type = node_is(command, "subtype", "AT_AddColumn") ||
                    node_is(command, "subtype", "AT_AlterColumnType");
        if (!node || !type)
            continue;
        Column column = column_of(now, node);
        if (!node_text(node, "colname"))
            column.name = node_text(command, "name") ?: "?";
        check_type(&column);
        if (is_primary(node))
            check_key(&column);
    }
}

/* ---- names ------------------------------------------------------------------------------------
 */

#define NAME_MAX_BYTES 63 /* NAMEDATALEN - 1 */

/* The grammar has cut them already: the text is looked at. */
static void check_names(const LintStatement *now)
{
    if (now->length <= NAME_MAX_BYTES || !now->type || str_equal(now->type, "InsertStmt"))
        return;
    SqlLexer lexer;
    sql_lexer_init(&lexer, now->file->text + now->start, now->length);
    for (;;) {
        SqlToken token = sql_lexer_next(&lexer);
        if (token.kind == TOKEN_END || token.kind == TOKEN_ERROR)
            return;
        bool quoted = token.kind == TOKEN_NAME && lexer.text[token.start] == '"';
        size_t length = quoted ? token.length - 2 : token.length;
        if ((quoted || token.kind == TOKEN_WORD) && length > NAME_MAX_BYTES)
            lint_add(now, "identifier-too-long", (int64_t)token.start,
                     "the server cuts this name of %zu bytes to 63", length);
    }
}

/* ---- enums and domains ---------------------------------------------------------------------- */

static void check_enum(const LintStatement *now)
{
    const char *value = node_text(now->node, "newVal");
    const char *type = node_name(node_inner(now->node, "typeName", NULL), NULL);
    if (!value || !type || node_text(now->node, "oldVal"))
        return;
    if (!node_text(now->node, "newValNeighbor"))
        lint_add(now, "enum-add-value-without-position", -1,
                 "'%s' becomes the last value of %s, whatever it means", value, type);
    const char *created = arena_printf(now->arena, "enum-made %s", type);
    if (!json_object_get(lint_memory(now), created))
        (void)json_object_set_new(
            lint_memory(now), arena_printf(now->arena, "enum-value %s", value), json_text(type));
}

static void check_create_enum(const LintStatement *now)
{
    const char *type = node_name(node_inner(now->node, "typeName", NULL), NULL);
    if (type)
        (void)json_object_set_new(lint_memory(now), arena_printf(now->arena, "enum-made %s", type),
                                  json_true());
}

static bool see_value(void *data, const char *type, const json_t *node)
{
    const LintStatement *now = data;
    const char *value =
        str_equal(type, "A_Const") ? node_text(node_inner(node, "sval", NULL), "sval") : NULL;
    if (!value || strlen(value) > NAME_MAX_BYTES)
        return true;
    const json_t *added =
        json_object_get(lint_memory(now), arena_printf(now->arena, "enum-value %s", value));
    if (added)
        lint_add(now, "enum-value-used-in-same-transaction", node_location(node, false),
                 "'%s' was added to %s above, and cannot be used before the commit", value,
                 json_string_value(added));
    return true;
}

static void check_enum_use(const LintStatement *now)
{
    if (!now->node || !now->file->transaction || str_equal(now->type, "AlterEnumStmt") ||
        json_object_size(lint_memory(now)) == 0)
        return;
    const char *key;
    json_t *value;
    json_object_foreach(lint_memory(now), key, value)
    {
        if (!str_starts(key, "enum-value "))
            continue;
        (void)node_walk(now->node, see_value, (void *)(uintptr_t)now);
        return;
    }
}

static void check_domain(const LintStatement *now)
{
    const char *name = node_name(node_inner(now->node, "typeName", NULL), NULL);
    bool checks = node_is(now->node, "subtype", "C") &&
                  !node_flag(node_inner(now->node, "def", "Constraint"), "skip_validation");
    if (checks || node_is(now->node, "subtype", "O"))
        lint_add(now, "domain-constraint", -1,
                 "every table with a column of %s is read while nobody can write to it",
                 name ? name : "the domain");
}

const LintRule lint_rules_type[] = {
    {"char-n", LINT_WARNING, false, false,
     "char(n) pads with spaces, compares oddly and saves nothing", "text, or varchar(n)"},
    {"timestamp-without-time-zone", LINT_WARNING, false, false,
     "a timestamp without time zone is no moment: nobody can tell later which zone was meant",
     "timestamptz, which stores a moment and shows it in the reader's zone"},
    {"time-with-time-zone", LINT_WARNING, false, false,
     "timetz is there because the standard has it; without a date an offset means nothing",
     "timestamptz, or time"},
    {"json-instead-of-jsonb", LINT_WARNING, false, false,
     "json keeps the text, has no =, so that DISTINCT and GROUP BY fail, and is parsed each time",
     "jsonb"},
    {"money-type", LINT_WARNING, false, false,
     "money has no currency, and its digits depend on a setting of the server",
     "numeric(12,2) and a column for the currency"},
    {"varchar-length", LINT_INFO, false, false,
     "a limit of length in the type changes by migration only, and views hold on to it",
     "text, with CHECK (length(column) <= n) where a limit has a reason"},
    {"serial-type", LINT_WARNING, false, false,
     "serial leaves a sequence with rights of its own, and lets INSERT give any number",
     "bigint GENERATED BY DEFAULT AS IDENTITY, or ALWAYS"},
    {"int-primary-key", LINT_WARNING, false, false,
     "an integer key ends at 2,147,483,647, and making it wider rewrites the table and its keys",
     "bigint, or uuid"},
    {"identifier-too-long", LINT_WARNING, false, false,
     "names are cut to 63 bytes without an error: two of them can become one", "shorten the name"},
    {"enum-add-value-without-position", LINT_INFO, false, false,
     "values of an enum sort in the order they were added, and a value cannot be taken out",
     "ADD VALUE '...' BEFORE '...' or AFTER '...'"},
    {"enum-value-used-in-same-transaction", LINT_WARNING, false, false,
     "a value that ALTER TYPE adds is unusable until the transaction has committed",
     "use it in the next file"},
    {"domain-constraint", LINT_WARNING, false, false,
     "a new constraint of a domain reads every table that uses it under a lock",
     "ADD CONSTRAINT ... NOT VALID, then VALIDATE CONSTRAINT in a file of its own"},
    {0},
};

const LintCheck lint_checks_type[] = {
    {"char-n", "CreateStmt", check_create},
    {"char-n", "AlterTableStmt", check_alter},
    {"identifier-too-long", NULL, check_names},
    {"enum-value-used-in-same-transaction", NULL, check_enum_use},
    {"enum-value-used-in-same-transaction", "CreateEnumStmt", check_create_enum},
    {"enum-add-value-without-position", "AlterEnumStmt", check_enum},
    {"domain-constraint", "AlterDomainStmt", check_domain},
    {0},
};
